"""Who works here, and what each may do. Pure.

A role is a task, not a rank: a coordinator who also answers has both. What a role may open stands at each route
(`Guard.allow`) and in the matrix that a test walks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """A task at the municipality."""

    KLANTREGISSEUR = "klantregisseur"  # answers the own caseload, and sees nobody else's
    DESK = "desk"  # the back-up desk: answers what no klantregisseur has, or did not answer in time
    COORDINATOR = "coordinator"  # sees how all of it goes, imports the caseload, hands questions over
    EDITOR = "editor"  # the texts, and what is asked that they don't answer
    RESEARCHER = "researcher"  # surveys and figures, never a person
    ADMIN = "admin"  # accounts, the audit log, settings; sees no question of a newcomer


EVERYTHING = frozenset(Role)
ANSWERING = frozenset({Role.KLANTREGISSEUR, Role.DESK, Role.COORDINATOR})  # who sees questions of newcomers


@dataclass(frozen=True)
class Principal:
    """Somebody who is logged in. `actor_id`: the klantregisseur that this account belongs to, if it does."""

    name: str
    roles: frozenset[Role]
    account_id: int | None = None
    actor_id: int | None = None

    def has(self, *roles: Role) -> bool:
        """Whether one of these roles is theirs."""
        return not self.roles.isdisjoint(roles)

    def sees_tickets_of(self, actor_id: int | None) -> bool:
        """Whether a question with this klantregisseur (None: the back-up desk) may be seen and answered."""
        if self.has(Role.COORDINATOR):
            return True
        if actor_id is None:
            return self.has(Role.DESK)
        return self.has(Role.KLANTREGISSEUR) and self.actor_id == actor_id
