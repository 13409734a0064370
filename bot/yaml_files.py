"""YAML files with the line of every key, so that an editor is told where a fault stands.

Duplicate keys and tabs are faults.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.errors import Fault

Path_ = tuple[str | int, ...]
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader  # the same, five times as fast
DEEPEST = 40  # levels; ours have five. libyaml's composer calls itself for each: some 30,000 end the whole process
MOST = 100_000  # parts (values, keys, starts and ends of lists) of a file; ours have 5,300 at most
TABS = 20  # that are told
_CAN_NOT_BE = (ValueError, LookupError, AttributeError, TypeError, OverflowError)  # what PyYAML stumbles with


@dataclass
class Document:
    """What stands in one file. `lines` gives the line of each path of keys, counted from 1."""

    file: str
    data: Any = None
    lines: dict[Path_, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    most: int = 0  # values: what is written out can't be more than there are characters

    def fault(self, path: Path_, message: str) -> Fault:
        """A fault at a key, or at the nearest key above it that has a line."""
        where = path
        while where and where not in self.lines:
            where = where[:-1]
        return Fault(self.file, self.lines.get(where, 1), ".".join(str(step) for step in path), message)


class _RepeatsError(Exception):
    """Aliases of aliases: a kilobyte could become billions of values."""


class _TooMuchError(Exception):
    """Too deep or too long to be read. `line` is counted from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def read_yaml(path: Path, root: Path, most: int = MOST) -> Document:
    """Read one file of at most `most` parts. Never raises for what stands in it: the faults are in the document.

    Names are given relative to `root`, so that messages read the same everywhere.
    """
    document = Document(_relative(path, root))
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        document.faults.append(Fault(document.file, 0, "", "the file is missing; make it"))
        return document
    except OSError as error:
        message = f"can't be read ({error.strerror}); the user of the service must be able to"
        document.faults.append(Fault(document.file, 0, "", message))
        return document
    except UnicodeDecodeError as error:
        document.faults.append(Fault(document.file, 0, "", f"not UTF-8 at byte {error.start}; save the file as UTF-8"))
        return document
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line and len(document.faults) < TABS:
            document.faults.append(Fault(document.file, number, "", "a tab; use two spaces"))
    if document.faults:
        return document
    _compose(text, document, most)
    return document


def _relative(path: Path, root: Path) -> str:
    try:
        return str(path.relative_to(root.parent))
    except ValueError:
        return str(path)


def _compose(text: str, document: Document, most: int) -> None:
    loader = _LOADER(text)
    document.most = len(text) + 2
    try:
        _measure(text, most)
        node = loader.get_single_node()
        document.data = _build(loader, node, (), document) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        document.faults.append(Fault(document.file, line, "", f"not readable as YAML: {error.problem}"))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.faults.append(Fault(document.file, line, "", "an invisible control character; take it out"))
    except _RepeatsError:
        document.faults.append(Fault(document.file, 1, "", "aliases (*name) repeat too much; write it out"))
    except _TooMuchError as error:
        document.faults.append(Fault(document.file, error.line, "", str(error)))
    finally:
        loader.dispose()


def _measure(text: str, most: int) -> None:
    """Walk over the file before it is put together. Raises _TooMuchError, and what the parser raises."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST or number > most:
            line = event.start_mark.line + 1 if event.start_mark else 1
            too_long = f"more than {most} parts; is this the right file?"
            raise _TooMuchError(line, "nested too deeply" if depth > DEEPEST else too_long)


def _value(loader: Any, node: yaml.Node, document: Document) -> Any:
    """What a scalar says; None with a fault for what can't be: the day 2026-02-31, `!!bool perhaps`."""
    try:
        return loader.construct_object(node, deep=True)
    except _CAN_NOT_BE as error:
        message = f"a value that can't be: {str(error) or type(error).__name__}; mend it"
        document.faults.append(Fault(document.file, node.start_mark.line + 1, "", message))
        return None


def _build(loader: Any, node: yaml.Node, path: Path_, document: Document) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if len(document.lines) > document.most:
        raise _RepeatsError
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, child, (*path, index), document) for index, child in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return _value(loader, node, document)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = _value(loader, key_node, document)
        key = {True: "yes", False: "no"}.get(key, key) if isinstance(key, bool) else key
        line = key_node.start_mark.line + 1
        if isinstance(key, list | dict | set):
            document.faults.append(Fault(document.file, line, "", "a list or mapping as a key; a key is a word"))
            continue
        if key in result:
            message = f"stands twice (first on line {document.lines[*path, key]}); keep one"
            document.faults.append(Fault(document.file, line, ".".join(map(str, (*path, key))), message))
            continue
        document.lines[*path, key] = line
        result[key] = _build(loader, value_node, (*path, key), document)
    return result
