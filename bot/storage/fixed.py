"""Statements that never change, handed to the driver as they are: what runs for every message.

SQLAlchemy writes each of them once, for each database, with the types of its columns. Running one through SQLAlchemy
takes about five times as long as the database does (docs/performance.md), because it prepares each run anew. They run
where a transaction was begun (`Store`): SQLAlchemy, which does not see them, begins none by itself.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from bot.storage import driver, together

Row = Any  # of a `Fixed` or of SQLAlchemy: its columns are attributes
Values = Mapping[str, Any]
Change = Callable[[Any], Any]

NONE: Values = {}


def listed(many: int) -> list[sa.BindParameter[Any]]:
    """Names for as many values of an IN, to be given by `in_list`.

    There are 1, 2, 4, 8 and so on of them, so that few statements serve lists of all lengths.
    """
    return [sa.bindparam(f"b_in{place}") for place in range(_places(many))]


def in_list(values: Sequence[Any]) -> dict[str, Any]:
    """The values of an IN that was made with `listed`; the last fills the places that are left."""
    filled = [*values, *[values[-1]] * (_places(len(values)) - len(values))]
    return {f"b_in{place}": value for place, value in enumerate(filled)}


def _places(many: int) -> int:
    return 1 << (many - 1).bit_length()


def is_one_of(
    column: sa.ColumnElement[int], ids: sa.Select[tuple[int]] | sa.CompoundSelect[tuple[int]], dialect: str
) -> sa.ColumnElement[bool]:
    """Whether a column is among a few ids. To PostgreSQL they are a list.

    For a join it may keep the plan of the day when the table was empty, which is a walk through the whole table.
    """
    if dialect == "postgresql":
        return column == sa.any_(sa.func.array(ids.scalar_subquery()))
    return column.in_(ids)


class Fixed:
    """A statement of SQLAlchemy Core whose values are all named (`sa.bindparam`). For lists of values see `listed`.

    `columns`: what an INSERT without values of its own is given. Errors are those of SQLAlchemy.
    """

    def __init__(self, statement: sa.Executable, columns: Sequence[str] = ()) -> None:
        self._statement, self._columns = statement, columns
        self._written: dict[str, _Written] = {}  # by the name of the database

    def rows(self, connection: Connection, values: Values = NONE) -> list[Any]:
        """All rows, with their columns as attributes, as SQLAlchemy names them."""
        written = self._written_for(connection)
        return written.read(_run(connection, written.words, written.bind(values)).fetchall())

    def first(self, connection: Connection, values: Values = NONE) -> Any:
        """The first row, or None."""
        found = self.rows(connection, values)
        return found[0] if found else None

    def value(self, connection: Connection, values: Values = NONE) -> Any:
        """The first column of the first row, or None."""
        found = self.first(connection, values)
        return None if found is None else found[0]

    def run(self, connection: Connection, values: Values = NONE) -> int:
        """Change something; tells how many rows."""
        written = self._written_for(connection)
        return int(_run(connection, written.words, written.bind(values)).rowcount)

    def later(self, connection: Connection, values: Values = NONE) -> None:
        """Change something where nobody asks how many rows: `bot/storage/together.py`. Only given values, no reading.

        An error may come with the next statement or with the commit.
        """
        written = self._written_for(connection)
        if connection.dialect.name == "postgresql":
            together.collect(connection, (written.table, written.words, written.bind(values)))
        else:
            _run(connection, written.words, written.bind(values))

    def _written_for(self, connection: Connection) -> _Written:
        name = connection.dialect.name
        written = self._written.get(name)
        if written is None:
            written = self._written[name] = _Written(self._statement, connection.dialect, self._columns)
        return written


class _Written:
    """A statement in the words of one database, and what turns values into the driver's and back."""

    def __init__(self, statement: Any, dialect: Dialect, columns: Sequence[str]) -> None:
        compiled: Any = statement.compile(
            dialect=dialect, column_keys=list(columns) or None, for_executemany=bool(columns)
        )
        self.words = str(compiled)
        if "POSTCOMPILE" in self.words or compiled.insert_prefetch:
            raise ValueError(f"not the same at each run: {self.words}")
        self.table = str(getattr(statement, "table", ""))  # that it changes
        names = compiled.positiontup if compiled.positional else sorted(set(compiled.bind_names.values()))
        self._is_positional = compiled.positional
        self._given = [(name, _to_driver(compiled.binds[name].type, dialect)) for name in names]
        self._set = {name: compiled.binds[name].value for name in names if not compiled.binds[name].required}
        found = list(statement.exported_columns)
        make_row: Any = namedtuple  # noqa: PYI024  # the statement says which columns
        self._make = make_row("row", [column.key for column in found])._make
        changes = [(place, _from_driver(column.type, dialect)) for place, column in enumerate(found)]
        self._changes = [(place, change) for place, change in changes if change]

    def bind(self, values: Values) -> Any:
        """Values as the driver takes them. Raises KeyError for one that is not given."""
        given = {**self._set, **values}
        if self._is_positional:
            return [change(given[name]) if change else given[name] for name, change in self._given]
        return {name: change(given[name]) if change else given[name] for name, change in self._given}

    def read(self, rows: Iterable[Any]) -> list[Any]:
        """Rows of the driver as the columns' types say."""
        if not self._changes:
            return list(map(self._make, rows))
        return [self._make(self._changed(row)) for row in rows]

    def _changed(self, row: Any) -> list[Any]:
        changed = list(row)
        for place, change in self._changes:
            changed[place] = change(changed[place])
        return changed


def _to_driver(kind: Any, dialect: Dialect) -> Change | None:
    change: Change | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return change


def _from_driver(kind: Any, dialect: Dialect) -> Change | None:
    change: Change | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return change


def written_out(connection: Connection, words: str, values: Sequence[Any]) -> list[Any]:
    """Run a statement that stands written out in the driver's own form; its rows are plain tuples."""
    found: list[Any] = _run(connection, words, values).fetchall()
    return found


def _run(connection: Connection, words: str, values: Any) -> Any:
    together.send(connection)
    return driver.run(connection, words, values)
