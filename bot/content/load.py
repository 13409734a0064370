"""Reading the content into frozen objects. A bad file stops the start, with file, line, key and mend."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.content.schema import Answer, Figure, Organisation, Topic, placeholders
from bot.content.surveys import Definition, Surveys, SurveyTexts
from bot.errors import ContentError, Fault
from bot.locales import LANGUAGES
from bot.yaml_files import Document, read_yaml

Model = TypeVar("Model", bound=BaseModel)
Text = str | dict[str, str]  # a text, or one for each plural category
PLURALS = {"zero", "one", "two", "few", "many", "other"}


@dataclass(frozen=True)
class Content:
    """All that the service can say, checked. `version` changes when a word changes."""

    version: str
    topics: Mapping[str, Topic]
    answers: Mapping[str, Mapping[str, Answer]]  # language, topic
    figures: Mapping[str, Figure]
    organisations: Mapping[str, Organisation]
    replies: Mapping[str, Mapping[str, Text]]  # language, key
    notices: Mapping[str, str]  # a kind word in languages that aren't served, by ISO code
    commands: Mapping[str, str]  # a word that people write, in any language: the token that it stands for
    surveys: Surveys = field(default_factory=Surveys)
    where: Mapping[tuple[str, str], tuple[str, int]] = field(default_factory=dict)  # file and line, for messages

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of the menu, in the order of `topics.yaml`."""
        return tuple(dict.fromkeys(topic.group for topic in self.topics.values()))

    def of_group(self, group: str) -> tuple[str, ...]:
        """The topics of a group, in the order of `topics.yaml`."""
        return tuple(key for key, topic in self.topics.items() if topic.group == group)

    def answer(self, topic: str, language: str) -> Answer:
        return self.answers[language][topic]

    def figures_of(self, topic: str) -> dict[str, Figure]:
        """The figures with a value that the answer to a topic stands on."""
        answer = self.answers["nl"][topic]
        used = set().union(*(placeholders(text) for text in answer.parts().values()))
        return {key: self.figures[key] for key in sorted(used) if self.figures[key].value is not None}

    def is_stale(self, topic: str, today: date) -> bool:
        """Whether the text or a figure in it is past its review date."""
        dates = [self.topics[topic].review_by] + [f.review_by for f in self.figures_of(topic).values() if f.review_by]
        return any(day < today for day in dates)

    def is_withheld(self, topic: str, today: date) -> bool:
        """Whether the text or a figure in it is so old that it isn't shown any more."""
        dates = [self.topics[topic].withhold_after]
        dates += [f.withhold_after for f in self.figures_of(topic).values() if f.withhold_after]
        return any(day < today for day in dates)


class Reader:
    """Reads the files of one content folder and collects what is wrong."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[Fault] = []
        self.documents: dict[str, Document] = {}

    def read(self, path: Path) -> Document:
        document = read_yaml(path, self.root)
        self.documents[document.file] = document
        self.faults += document.faults
        if not document.faults and not isinstance(document.data, dict):
            self.faults.append(Fault(document.file, 1, "", "must be a mapping of keys"))
            document.data = {}
        document.data = document.data or {}
        return document

    def models(self, document: Document, model: type[Model]) -> dict[str, Model]:
        """Every entry of a document as a model; what doesn't fit becomes a fault at its line."""
        result: dict[str, Model] = {}
        for key, value in document.data.items():
            made = self.model(document, model, value, (key,))
            if made is not None:
                result[str(key)] = made
        return result

    def model(self, document: Document, model: type[Model], value: Any, path: tuple[str, ...]) -> Model | None:
        """A part of a document as a model; None with faults at their lines where it doesn't fit."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for problem in error.errors():
                where = tuple(step for step in problem["loc"] if isinstance(step, int) or step in _keys(value))
                message = problem["msg"].removeprefix("Value error, ")
                if problem["type"] == "missing":
                    message = f"'{problem['loc'][-1]}' is missing; add it"
                elif problem["type"] == "extra_forbidden":
                    message = "unknown key; see docs/content.md for the keys that exist"
                self.faults.append(document.fault((*path, *where), message))
            return None


def _keys(value: Any) -> set[Any]:
    if isinstance(value, dict):
        return set(value) | set().union(*(_keys(inner) for inner in value.values()), set())
    if isinstance(value, list):
        return set().union(*(_keys(inner) for inner in value), set())
    return set()


def read_content(root: Path) -> tuple[Content, Reader]:
    """Read everything; the faults of form are in the reader. `bot.content.load` starts a service."""
    reader = Reader(root)
    topics_file = reader.read(root / "topics.yaml")
    topics = reader.models(topics_file, Topic)
    where = {("topic", key): (topics_file.file, topics_file.lines.get((key,), 1)) for key in topics}
    figures: dict[str, Figure] = {}
    for path in sorted((root / "figures").glob("*.yaml")):
        document = reader.read(path)
        for key, figure in reader.models(document, Figure).items():
            if key in figures:
                reader.faults.append(document.fault((key,), "this figure stands in another file too; keep one"))
            figures[key] = figure
            where["figure", key] = (document.file, document.lines.get((key,), 1))
    social = root / "social_map.yaml"
    organisations = reader.models(reader.read(social), Organisation) if social.exists() else {}
    notices = reader.read(root / "notices.yaml")
    answers, replies, commands = {}, {}, {}
    for language in LANGUAGES:
        answers[language] = _answers(reader, language, where)
        replies[language] = _replies(reader, language)
        commands.update(_commands(reader, language))
    content = Content(
        version=fingerprint(root),
        topics=topics,
        answers=answers,
        figures=figures,
        organisations=organisations,
        replies=replies,
        notices={str(code): str(text).strip() for code, text in notices.data.items()},
        commands=commands,
        surveys=_surveys(reader),
        where=where,
    )
    return content, reader


def _answers(reader: Reader, language: str, where: dict[tuple[str, str], tuple[str, int]]) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    for path in sorted((reader.root / language / "answers").glob("*.yaml")):
        document = reader.read(path)
        for key, answer in reader.models(document, Answer).items():
            if key in answers:
                reader.faults.append(document.fault((key,), "this topic stands in another file too; keep one"))
            answers[key] = answer
            where[language, key] = (document.file, document.lines.get((key,), 1))
    return answers


def _replies(reader: Reader, language: str) -> dict[str, Text]:
    document = reader.read(reader.root / language / "replies.yaml")
    flat: dict[str, Text] = {}

    def walk(prefix: str, value: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(value, str):
            flat[prefix] = value.strip()
        elif isinstance(value, dict) and value and set(value) <= PLURALS and "other" in value:
            flat[prefix] = {category: str(text).strip() for category, text in value.items()}
        elif isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner, (*path, key))
        else:
            reader.faults.append(document.fault(path, "must be a text; put it between quotes"))

    walk("", document.data, ())
    return flat


def read_surveys(root: Path) -> Surveys:
    """The surveys alone, for who needs no other content. Raises ContentError."""
    reader = Reader(root)
    surveys = _surveys(reader)
    if reader.faults:
        raise ContentError(sorted(reader.faults))
    return surveys


def _surveys(reader: Reader) -> Surveys:
    """The surveys, where there are any."""
    path = reader.root / "surveys.yaml"
    if not path.exists():
        return Surveys()
    document = reader.read(path)
    definition = reader.model(document, Definition, document.data, ())
    words: dict[str, SurveyTexts] = {}
    for language in LANGUAGES:
        document = reader.read(reader.root / language / "surveys.yaml")
        texts = reader.model(document, SurveyTexts, document.data, ())
        if texts is not None:
            words[language] = texts
    return Surveys(definition, words) if definition is not None else Surveys()


def _commands(reader: Reader, language: str) -> dict[str, str]:
    document = reader.read(reader.root / language / "commands.yaml")
    words: dict[str, str] = {}
    for token, forms in document.data.items():
        for form in forms if isinstance(forms, list) else []:
            words[str(form)] = str(token)
        if not isinstance(forms, list):
            reader.faults.append(document.fault((token,), "must be a list of words"))
    return words


def fingerprint(root: Path) -> str:
    """A hash of every file of a content folder, so that what was made of it is made again when a word changes."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.yaml")):
        digest.update(str(path.relative_to(root)).encode())
        with contextlib.suppress(OSError):  # told as a fault of the file
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
