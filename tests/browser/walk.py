"""Every page of the application, found from its routes: a page that is added is walked without a word here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import APIRoute

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
NO_PAGES = ("/health", "/metrics", "/openapi.json", "/simulator", "/my-data", "/desk/events", "/static")


def pages(app: FastAPI) -> list[str]:
    """The address of every page, with the examples filled in. Raises KeyError for a parameter without an example."""
    found: set[str] = set()
    for path in sorted(_paths(app)):
        if not path.startswith(NO_PAGES):
            found |= set(_filled(path))
    return sorted(found)


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
