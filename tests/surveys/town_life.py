"""What invented people do: answer, skip, go back, stop, block, call for help, join two chats, delete everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from bot import escalation, merging, pushes, survey_waves, surveys
from bot.messages import Kind, OutboundMessage, Push
from bot.storage.models import PartyRow, TicketRow, TicketState
from bot.storage.survey_models import SurveyWaveRow
from tests.surveys.town import ASKED, CRISIS, PRICE, RULES, START, STEP, Someone, Town

AFTER_EVENTS = ("after_intake", "answer_of_the_desk", "lessons_begun")
MONTHLY = ("social_life", "programme", "work", "wellbeing", "taking_part", "initiatives", "job", "contacts")
DOES = {"yes": "survey:yes:", "go": "survey:go:", "open": "survey:open"}


def year(town: Town, days: int, tell: Callable[[int], object] = lambda _: None) -> None:
    """Waves every month, and what happens in between."""
    for key in AFTER_EVENTS:
        town.wave(key, 0, None, 50 * PRICE)
    for day in range(days):
        town.clock.at = START + timedelta(days=day)
        if day % 30 == 0:
            tell(day)
            _month(town, day // 30)
        _lives(town)
        _desk(town)
        end = START + timedelta(days=day + 1)
        town.tick(acts)
        while (at := town.next_moment()) < end:
            town.clock.at = at
            town.tick(acts)
        if town.chance.random() < 0.1:
            town.restart()
    town.clock.at = START + timedelta(days=days + 400)
    town.tick(acts)


def _month(town: Town, turn: int) -> None:
    for offset in range(2):
        survey, size = MONTHLY[(2 * turn + offset) % len(MONTHLY)], max(20, town.people_count // 25)
        town.wave(survey, turn // 3 % 4, size, town.chance.choice((None, size // 8 * PRICE)))
    if turn % 4 == 3:
        live = sa.select(SurveyWaveRow.id).where(SurveyWaveRow.state == "live").order_by(SurveyWaveRow.id.desc())
        town.stop(town.store.read(lambda c: c.execute(live.limit(1)).scalar_one()))


def _lives(town: Town) -> None:
    """What happens in a day besides surveys."""
    chance = town.chance
    for someone in chance.sample(list(town.people.values()), k=max(1, town.people_count // 500)):
        luck, wait = chance.random(), timedelta(minutes=chance.randint(0, 1400))
        if luck < 0.70:
            town.later(someone, wait, "question", "hoe laat is mijn les morgen")
        elif luck < 0.76:
            town.later(someone, wait, "block")
            town.later(someone, wait + timedelta(days=chance.randint(1, 60)), "unblock")
        else:
            kinds = ("stop", "crisis", "erase", "bad news", "notice", "event", "merge", "asks")
            what = chance.choices(kinds, (2, 2, 1, 3, 6, 8, 1, 1))[0]
            town.later(someone, wait, what, {"stop": "stop", "crisis": CRISIS, "erase": "erase:yes"}.get(what, ""))


def _desk(town: Town) -> None:
    """The desk closes urgent tickets in the morning."""
    urgent = (TicketRow.urgent, TicketRow.state == TicketState.OPEN)

    def settle(connection: sa.Connection) -> None:
        for row in connection.execute(sa.select(TicketRow.id, TicketRow.contact_id).where(*urgent)).all():
            escalation.drop_timers(connection, row.id, row.contact_id)
        connection.execute(sa.update(TicketRow).where(*urgent).values(state=TicketState.CLOSED))

    town.store.write(settle)


def acts(town: Town, someone: Someone, what: str, text: str) -> None:
    """What somebody does, or what happens to them, at its moment."""
    now = town.clock.now()
    if someone.gone_at or (someone.blocked and what not in ("unblock", "notice", "event", "bad news")):
        return
    town.figures[what] += 1
    if what in _HAPPENS:
        _HAPPENS[what](town, someone)
    elif what in ("tap", "erase"):
        _taps(town, someone, text)
    else:
        town.brings(someone, Kind.VOICE if what == "voice" else Kind.TEXT, text=text)
    for each in _chats(town, someone):
        if what == "stop" or text == "survey:never":
            each.never_at = each.never_at or now
        if text == CRISIS:
            each.upset.append(now)
        if what == "erase":
            each.gone_at = now


def _taps(town: Town, someone: Someone, token: str) -> None:
    town.brings(someone, Kind.TAP, token=token)
    if town.chance.random() < 0.03:
        town.brings(someone, Kind.TAP, token=token)
        town.figures["double taps"] += 1


def _block(town: Town, someone: Someone) -> None:
    someone.blocks.append([town.clock.now()])
    town.brings(someone, Kind.BLOCKED)


def _unblock(town: Town, someone: Someone) -> None:
    if someone.blocked:
        someone.blocks[-1].append(town.clock.now())
    town.brings(someone, Kind.UNBLOCKED)


def _chats(town: Town, someone: Someone) -> list[Someone]:
    """All chats of a person."""
    if someone.merged_at is None:
        return [someone]
    return [one for one in town.people.values() if one.contact_id == someone.contact_id]


def _bad_news(town: Town, someone: Someone) -> None:
    now = town.clock.now()
    town.store.write(lambda c: pushes.bad_news(c, someone.contact_id, now))
    for each in _chats(town, someone):
        each.upset.append(now)


def _notice(town: Town, someone: Someone) -> None:
    """Another part of the service speaks first: it asks the same question as surveys do."""
    now = town.clock.now()
    if town.store.write(lambda c: pushes.book(c, someone.contact_id, Push.NOTICE, now, RULES)).now:
        someone.pushed.append(now)


def _event(town: Town, someone: Someone) -> None:
    event, now = town.chance.choice(("brede_intake", "ticket_answered", "lessons_start")), town.clock.now()
    town.store.write(lambda c: survey_waves.happened(c, town.surveyor, someone.contact_id, event, now))


def _merge(town: Town, someone: Someone) -> None:
    """Another chat of the same person becomes one with this one, as a code from a letter does it."""
    other = town.chance.choice(list(town.people.values()))
    if other.merged_at or someone.merged_at or other is someone or other.gone_at or other.blocks or someone.blocks:
        return
    now = town.clock.now()
    town.drain()  # nothing of the two is under way

    def join(connection: sa.Connection) -> None:
        connection.execute(sa.delete(PartyRow).where(PartyRow.contact_id == other.contact_id))
        merging.join(connection, gone=other.contact_id, stays=someone.contact_id)
        surveys.join(connection, town.surveyor, gone=other.contact_id, stays=someone.contact_id)

    town.store.write(join)
    other.contact_id, other.merged_at, someone.merged_at = someone.contact_id, now, now
    upset, nevers = someone.upset + other.upset, [at for at in (someone.never_at, other.never_at) if at]
    for each in (someone, other):
        each.upset, each.never_at = list(upset), now if nevers else None


_HAPPENS = {
    "block": _block,
    "unblock": _unblock,
    "bad news": _bad_news,
    "notice": _notice,
    "event": _event,
    "merge": _merge,
}


def reacts(town: Town, someone: Someone, message: OutboundMessage) -> None:
    """A message arrived: what this person will do with it, if anything."""
    chance, tokens = town.chance, [option.token for option in message.options]
    if any(key in ASKED for key in message.keys):
        wait = STEP * chance.choice((0, 1, 7, 30, 80))
        if chance.random() < someone.zeal:
            town.later(someone, wait, "tap", next(t for t in tokens if t.startswith(tuple(DOES.values()))))
        elif chance.random() < 0.1:
            no = [t for t in tokens if t.startswith(("survey:no:", "survey:never", "survey:later:", "survey:end:"))]
            town.later(someone, wait, "tap", chance.choice(no or tokens))
    elif any(t.startswith("survey:skip:") for t in tokens):
        _answers(town, someone, message, tokens)


def _answers(town: Town, someone: Someone, message: OutboundMessage, tokens: list[str]) -> None:
    """A question of a survey is on the screen."""
    chance, wait = town.chance, timedelta(seconds=town.chance.randint(5, 300))
    values = [t for t in tokens if t.startswith("survey:a:")]
    done = [t for t in tokens if t.startswith("survey:enough:")]
    luck = chance.random()
    if luck < 0.04:  # the phone goes into a pocket
        return
    if luck < 0.12:
        controls = [t for t in tokens if t.startswith(("survey:skip:", "survey:back:", "survey:later:"))]
        town.later(someone, wait, "tap", chance.choice(controls))
    elif luck < 0.15:
        town.later(someone, wait, "question", "wanneer krijg ik een ander huis van de gemeente")
        town.later(someone, wait + STEP, "text", "verder")
    elif luck < 0.17:
        town.later(someone, wait, "voice")
    elif done and luck < 0.6:
        town.later(someone, wait, "tap", done[0] if "survey.chosen" in message.keys else chance.choice(values))
    elif values:
        town.later(someone, wait, "tap", chance.choice(values))
    else:
        town.later(someone, wait, "text", chance.choice(("7", "10", "٣", "0", "99", "goed, meer lessen graag")))
