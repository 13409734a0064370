"""Every page of the application, found from its routes: a page that is added is walked without a word here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from fastapi import FastAPI
from fastapi.routing import APIRoute

from bot.settings import ROOT

MATRIX = yaml.safe_load((ROOT / "tests" / "authorisation.yaml").read_text(encoding="utf-8"))["routes"]

# What stands for a parameter of a path. A new kind of page needs an example here, in the population of these tests.
EXAMPLES = {
    "ticket_id": ("1", "3", "21"),
    "account_id": ("1",),
    "proposal_id": ("1",),
    "wave_id": ("1",),
    "item": ("pip_known",),
    "background": ("gender",),
}
# Not pages: streams, files and JSON; and the pages without a login, which are walked by themselves.
NO_PAGES = ("/health", "/metrics", "/openapi.json", "/simulator", "/my-data", "/desk/events", "/static", "/api")
FILES = (".zip", ".pdf", ".csv", "/patch", "/yaml")
WHOSE = {"/desk/tickets/1": "own", "/desk/tickets/3": "own", "/desk/tickets/21": "of nobody"}


@dataclass(frozen=True)
class Place:
    """The address of a page, and the roles that may open it; empty where everybody who is logged in may."""

    path: str
    roles: frozenset[str]

    def is_for(self, role: str) -> bool:
        return not self.roles or role in self.roles


def pages(app: FastAPI) -> list[Place]:
    """Every page behind the login, with the examples filled in. Raises KeyError for a parameter without an example."""
    found: dict[str, Place] = {}
    for route in sorted(_paths(app)):
        who = MATRIX[f"GET {route}"]
        if route.startswith(NO_PAGES) or route.endswith(FILES) or who in ("public", "on the way"):
            continue
        for path in _filled(route):
            roles = who[WHOSE[path]] if isinstance(who, dict) else who
            found[path] = Place(path, frozenset() if roles == "everybody" else frozenset(roles))
    return [found[path] for path in sorted(found)]


def _paths(app: FastAPI) -> Iterator[str]:
    pending = list(app.routes)
    while pending:
        route = pending.pop()
        pending += list(getattr(getattr(route, "original_router", None), "routes", []))
        if isinstance(route, APIRoute) and "GET" in route.methods:
            yield route.path


def _filled(path: str) -> Iterator[str]:
    """A path with each example in the place of its parameter."""
    parameter = re.search(r"\{(\w+)(?::\w+)?\}", path)
    if parameter is None:
        yield path
        return
    for example in EXAMPLES[parameter[1]]:
        yield from _filled(path.replace(parameter[0], example, 1))
