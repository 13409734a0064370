"""What was claimed from the inbox, read: the message of each row, and whether its words must be understood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from bot import people
from bot.contacts import Contact
from bot.desk import linking
from bot.identifiers import Vault
from bot.messages import InboundMessage
from bot.people import Person
from bot.policy import has_words
from bot.storage.fixed import Row

LanguageOf = Callable[[Contact, InboundMessage], str]


@dataclass(frozen=True)
class Heard:
    """A message of the inbox. `language`: its words must be understood, and this one was chosen; empty: no need."""

    message: InboundMessage
    language: str = ""


def hear_all(
    connection: Connection, rows: Sequence[Row], vault: Vault, language_of: LanguageOf
) -> dict[int, Heard | Exception]:
    """Read all rows of a claim, with one look at their people; by the rows' ids.

    What is wrong with one of them stands in its place, to be raised when its turn comes: the others go on. Raises what
    the database raises.
    """
    heard: dict[int, Heard | Exception] = {row.id: _read(row, vault) for row in rows}
    worded = {key: one for key, one in heard.items() if isinstance(one, Heard) and has_words(one.message)}
    persons = people.find_each(connection, vault, [one.message.address for one in worded.values()])
    for (key, one), person in zip(worded.items(), persons, strict=True):
        heard[key] = _with_language(one.message, person, language_of)
    return heard


def _read(row: Row, vault: Vault) -> Heard | Exception:
    try:
        message = InboundMessage.from_row(row.key, vault.open(row.sealed), row.body)
        return Heard(linking.take_code(message, vault))
    except Exception as error:  # noqa: BLE001  # whatever is wrong with it
        return error


def _with_language(message: InboundMessage, person: Person | None, language_of: LanguageOf) -> Heard | Exception:
    try:
        return Heard(message, language_of(person.contact if person else Contact(id=0), message))
    except Exception as error:  # noqa: BLE001  # as above
        return error
