"""Tests that guard the building: routes, migrations, files, texts."""

from __future__ import annotations

import ast
import re

import pytest
import sqlalchemy as sa
import yaml
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi.testclient import TestClient

from bot.settings import ROOT
from bot.storage.models import Base
from webhooks.app import create_app

MATRIX = yaml.safe_load((ROOT / "tests" / "authorisation.yaml").read_text(encoding="utf-8"))["routes"]
PUBLIC = {tuple(route.split(" ")) for route, who in MATRIX.items() if who == "public"}
SIGNED = {("POST", "/telegram"), ("POST", "/whatsapp"), ("POST", "/whatsapp/status")}


def all_routes(app):
    """Every route of the application, included routers too."""
    pending = list(app.routes)
    while pending:
        route = pending.pop()
        pending += list(getattr(getattr(route, "original_router", None), "routes", []))
        yield route


def routes(app):
    """Method and path of each."""
    return {(m, route.path) for route in all_routes(app) for m in (getattr(route, "methods", None) or set()) - {"HEAD"}}


def test_every_route_asks_for_a_proof_or_is_listed_as_public(service):
    app = create_app(service)
    found = routes(app)
    assert SIGNED | {("GET", "/desk"), ("GET", "/monitoring")} <= found
    client = TestClient(app, follow_redirects=False)
    for method, path in sorted(found - PUBLIC):
        answer = client.request(method, re.sub(r"\{\w+(:\w+)?\}", "1", path))
        assert answer.status_code in (302, 303, 307, 401, 403), f"{method} {path} is open to anybody"


def test_no_route_gets_a_number_that_no_column_holds(service):
    """SQLite breaks on it: a page must say that there is no such thing."""
    found = [route for route in all_routes(create_app(service)) if ":int" in getattr(route, "path", "")]
    assert len(found) > 20
    for route in found:
        (name,) = route.param_convertors
        assert route.param_convertors[name].convert("9" * 30) == 2**63 - 1, route.path


def test_every_route_has_a_row_in_the_matrix(service):
    """Who may open it is decided and written down before it exists; tests/test_authorisation.py opens it."""
    service.settings = service.settings.model_copy(update={"oidc_issuer": "https://login.example"})
    without = {f"{method} {path}" for method, path in routes(create_app(service))} - set(MATRIX)
    assert not without, "add these to tests/authorisation.yaml, each with the roles that may open it"


def test_the_chat_page_is_not_there_when_it_is_off(service):
    service.settings = service.settings.model_copy(update={"simulator": False})
    client = TestClient(create_app(service))
    assert client.get("/simulator").status_code == 404


def test_an_address_that_is_no_address_is_refused(service):
    client = TestClient(create_app(service), follow_redirects=False)
    assert client.get(f"/desk/tickets/{'9' * 5000}").status_code == 414


def test_a_webhook_is_never_redirected(service):
    """Twilio follows a redirect with GET and loses the message."""
    client = TestClient(create_app(service), follow_redirects=False)
    assert client.post("/whatsapp/").status_code == 404


def test_the_migrations_make_the_tables_of_the_models(store):
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []
        names = set(sa.inspect(connection).get_table_names())
    assert names == set(Base.metadata.tables) | {"alembic_version"}


def python_files():
    return [
        path for folder in ("bot", "webhooks") for path in (ROOT / folder).rglob("*.py") if "versions" not in str(path)
    ]


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_readable(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 55, f"{node.name} has {length} lines"


def test_no_text_for_people_stands_in_python():
    """Arabic letters in a string are a text that belongs in `content/`; tables of letters are what a program needs."""
    allowed = {"locales.py", "normalise.py", "arabizi.py", "language.py", "skeleton.py", "lexicon.py"}
    for path in python_files():
        if path.name in allowed or path.name == "bench.py":  # the load test sends a sentence
            continue
        assert not re.search("[\u0620-\u064a]{3}", path.read_text(encoding="utf-8")), path


def test_no_file_names_a_place_where_packages_come_from():
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "deb.debian" + ".org")
    for path in [*ROOT.glob("*"), *(ROOT / "docs").rglob("*"), *(ROOT / "scripts").rglob("*"), *python_files()]:
        if path.is_file() and path.suffix not in (".pyc", ".png"):
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not [host for host in hosts if host in text], path
