"""What must hold over the surveys, beyond the form of their files. One function a rule; each names the mend."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations, groupby

from bot.content.surveys import CONTROLS, Audience, Item, Survey, Surveys
from bot.errors import Fault
from bot.locales import LANGUAGES, fold
from bot.yaml_files import Document

LABEL_LIMIT = 40  # with its figure before it, it stays on one line of a button
WEEK_DAYS, MONTH_DAYS = 7, 30


def check(surveys: Surveys, definition: Document, texts: dict[str, Document]) -> list[Fault]:
    """Every rule. The documents give the lines."""
    if not surveys.surveys and not surveys.items:
        return []
    faults = [definition.fault(path, message) for path, message in _definition(surveys)]
    for language in LANGUAGES:
        words = surveys.texts[language].items.keys() if language in surveys.texts else ()
        faults += [texts[language].fault(path, message) for path, message in _texts(surveys, language)]
        unknown = sorted(set(words) - set(surveys.items))
        faults += [texts[language].fault(("items", key), "no such item; remove it") for key in unknown]
    if faults:
        return faults
    faults += [definition.fault(("items", key, "versions"), message) for key, message in _versions(surveys)]
    faults += [texts[language].fault(path, message) for language, path, message in _before(surveys)]
    faults += [texts["nl"].fault(path, message) for path, message in _forms(surveys)]
    return faults + [definition.fault(("surveys", key, *rest), message) for key, rest, message in _cap(surveys)]


Found = Iterator[tuple[tuple[str, ...], str]]


def _definition(surveys: Surveys) -> Found:
    for key, item in surveys.items.items():
        yield from ((("items", key, *part), message) for part, message in _item(surveys, key, item))
    for key, survey in surveys.surveys.items():
        yield from ((("surveys", key, *part), message) for part, message in _survey(surveys, survey))
    studies = Counter(item.study for item in surveys.items.values() if item.study)
    for key, item in surveys.items.items():
        if item.study and studies[item.study] > 1:
            yield ("items", key, "study"), f"{item.study} stands at another item too; one item a question of the study"


def _item(surveys: Surveys, key: str, item: Item) -> Found:
    if (item.scale is not None) != (item.kind in ("scale5", "scale11")):
        yield ("scale",), "a scale belongs to kind scale5 and scale11, and to no other; add or remove it"
    if bool(item.options) != (item.kind in ("single", "multiple")):
        yield ("options",), "options belong to kind single and multiple, and to no other; add or remove them"
    if len(item.options) > 10 or len(set(item.options)) != len(item.options):
        yield ("options",), "at most ten options, each once"
    if item.alone is not None and (item.kind != "multiple" or item.alone not in item.options):
        yield ("alone",), "must be one of the options of a multiple item"
    if (item.kind == "number") != (item.high > item.low):
        yield ("high",), "a number needs low and high, and nothing else does"
    condition = item.ask_if
    if condition is not None:
        asked = surveys.items.get(condition.item)
        if asked is None or condition.item == key:
            yield ("ask_if", "item"), f"'{condition.item}' is no other item; correct the name"
        elif wrong := sorted(set(condition.values) - set(asked.values)):
            yield ("ask_if", "values"), f"{', '.join(wrong)}: not among the values of {condition.item}"


def _survey(surveys: Surveys, survey: Survey) -> Found:
    for index, key in enumerate(survey.items):
        if key not in surveys.items:
            yield ("items",), f"'{key}' is no item; add it above or correct the name"
            return
        condition = surveys.items[key].ask_if
        if condition is not None and condition.item not in survey.items[:index]:
            yield ("items",), f"{key} hangs on {condition.item}, which must stand before it"
    if len(set(survey.items)) != len(survey.items):
        yield ("items",), "an item stands twice; keep one"
    schedule = survey.schedule
    if sum(part is not None for part in (schedule.after, schedule.on, schedule.every_months)) != 1:
        yield ("schedule",), "give one of 'after', 'on' and 'every_months'"
    if survey.reminder_after_days >= survey.closes_after_days:
        yield ("reminder_after_days",), "the reminder must come before the survey closes"


def _texts(surveys: Surveys, language: str) -> Found:
    texts = surveys.texts.get(language)
    if texts is None:
        return
    for key, item in surveys.items.items():
        if key not in texts.items:
            yield ("items", key), f"no words for '{key}' in '{language}'; write its question"
            continue
        if item.scale is not None:
            yield from _labels(("scales", item.scale), texts.scales.get(item.scale), _labelled(item))
        elif item.options or texts.items[key].labels:
            yield from _labels(("items", key, "labels"), texts.items[key].labels, item.options)
    for key in surveys.surveys:
        if key not in texts.surveys:
            yield ("surveys", key), f"no words for survey '{key}' in '{language}'; write its title and why"
    for control in CONTROLS:
        if not texts.controls.get(control):
            yield ("controls", control), f"no words for '{control}' in '{language}'; write what people type"


def _labelled(item: Item) -> tuple[str, ...]:
    """Which values need words: all five, or the two ends of eleven."""
    return item.values if item.kind == "scale5" else (item.values[0], item.values[-1])


def _labels(path: tuple[str, ...], labels: dict[str, str] | None, values: tuple[str, ...]) -> Found:
    if labels is None:
        yield path, f"this scale has no labels here; write {', '.join(values)}"
        return
    if missing := [value for value in values if value not in labels]:
        yield path, f"no label for {', '.join(missing)}; write it"
    if extra := sorted(set(labels) - set(values)):
        yield path, f"a label for {', '.join(extra)}, which is no value; remove it"
    if len({fold(label) for label in labels.values()}) != len(labels):
        yield path, "two values have the same label; make them different"
    for value, label in labels.items():
        if len(label) > LABEL_LIMIT:
            yield (*path, value), f"{len(label)} characters; a button takes {LABEL_LIMIT}"


def _versions(surveys: Surveys) -> Iterator[tuple[str, str]]:
    for key, item in surveys.items.items():
        now, known = surveys.fingerprint(key), item.versions[item.version]
        if now != known:
            mend = f"add version {item.version + 1}: '{now}' and keep the old words under 'before', or put them back"
            yield key, f"the words are no longer those of version {item.version}; {mend}"
        if sorted(item.versions) != list(range(1, item.version + 1)):
            yield key, "versions must be numbered 1, 2, 3; keep every old one"


def _before(surveys: Surveys) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The words of each earlier version are kept, and they are the ones that were asked."""
    for key, item in surveys.items.items():
        for version in range(1, item.version):
            there = surveys.earlier(key, version)
            path = ("items", key, "before", str(version))
            missing = [language for language in LANGUAGES if language not in there]
            mend = "write its question, and its labels if it has any: answers were given to them"
            yield from ((language, path, f"no words of version {version}; {mend}") for language in missing)
            if not missing and surveys.earlier_fingerprint(key, version) != item.versions.get(version):
                mend = "put back what was asked, in every language; another kind or range is another item"
                yield LANGUAGES[0], path, f"these are not the words of version {version}; {mend}"
        unknown = {v for language in LANGUAGES for v in surveys.texts[language].items[key].before if v >= item.version}
        for version in sorted(unknown):
            yield LANGUAGES[0], ("items", key, "before"), f"version {version} is no earlier version; remove it"


def _forms(surveys: Surveys) -> Found:
    """A word may mean one value only, over all languages: people answer in the language that they like."""
    for key, item in surveys.items.items():
        meanings: dict[str, set[str]] = defaultdict(set)
        for form, value in surveys._forms_of(key):  # noqa: SLF001  # before they are a dictionary, doubles are seen
            meanings[form].add(value)
        for form, values in meanings.items():
            if len(values) > 1:
                place = ("words", item.scale or key)
                yield place, f"'{form}' means {' and '.join(sorted(values))} of {key}; keep one"
            if form in surveys.controls:
                yield ("controls", surveys.controls[form]), f"'{form}' is an answer to {key} too; keep one"


def _cap(surveys: Surveys) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Schedules that can't hold to the limits. Of two surveys, those that may meet the same person count together."""
    limits = surveys.definition.limits
    for key, survey in surveys.surveys.items():
        if (asked := surveys.longest(key)) > limits.questions:
            yield key, ("items",), f"up to {asked} questions; a pulse has at most {limits.questions}"
        if 0 < survey.reminder_after_days < WEEK_DAYS and limits.per_week < 2:
            message = "invitation and reminder in one week break the limit a week; wait at least seven days"
            yield key, ("reminder_after_days",), message
    for (one, first), (two, second) in combinations(surveys.surveys.items(), 2):
        days = _days_between(first, second)
        if days is not None and days < WEEK_DAYS and limits.per_week < 2 and _overlap(first.audience, second.audience):
            yield two, ("schedule",), f"{days} days from '{one}' for the same people; leave at least seven between"
    for event, group in groupby(sorted(_after(surveys), key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        names = [key for _, key in group]
        pushes = sum(1 + bool(surveys.surveys[key].reminder_after_days) for key in names)
        if pushes > limits.per_month * max(1, _span(surveys, names) // MONTH_DAYS + 1):
            message = f"{pushes} messages after '{event}' break the limit a month; spread them or drop a reminder"
            yield names[-1], ("schedule",), message


def _after(surveys: Surveys) -> list[tuple[str, str]]:
    return [(str(s.schedule.after), key) for key, s in surveys.surveys.items() if s.schedule.after]


def _span(surveys: Surveys, names: list[str]) -> int:
    days = [surveys.surveys[key].schedule.days for key in names]
    return max(days) - min(days)


def _days_between(first: Survey, second: Survey) -> int | None:
    """Days between two invitations that are sure to come to one person; None when nobody can tell."""
    one, two = first.schedule, second.schedule
    if one.after is not None and one.after == two.after:
        return abs(one.days - two.days)
    if one.on is not None and two.on is not None:
        return abs((one.on - two.on).days)
    return None


def _overlap(one: Audience, two: Audience) -> bool:
    pairs: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (one.phases, two.phases),
        (one.types, two.types),
        (one.work, two.work),
    ]
    return all(not mine or not yours or set(mine) & set(yours) for mine, yours in pairs)
