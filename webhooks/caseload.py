"""The caseload for the coordinator: the municipality's files, first as a report and then for real, and the letters.

The file of a report travels in the page itself, so that nothing of it is kept before somebody says yes; its digest,
with that of what it would change, sees to it that what is applied is what was shown.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.engine import Connection
from starlette.datastructures import UploadFile

from bot.commands.caseload import chats_of
from bot.desk import importing
from bot.desk.caseload import Change
from bot.desk.importing import File, Importer, Kind, Report
from bot.desk.letters import Letter, Printer, Sheets, make_letters
from bot.desk.telling import Teller
from bot.locales import clean
from bot.roles import Role
from bot.service import Service
from bot.storage.linking_models import LinkCodeRow
from bot.storage.models import ActorRow, PartyRow
from webhooks.auth import Guard, LoginNeededError
from webhooks.pages import HEADERS, HERE, Pages, environment, page_language, static

CHECK, APPLY, LETTERS = "/desk/caseload/check", "/desk/caseload/apply", "/desk/caseload/letters"
HELD_BYTES = 900_000  # of a file inside a page, packed: larger ones go by the command line
SHOWN = 300  # lines and faults of a report
MAX_NAME = 80
MAX_KEYS = 500  # people of a request for letters
FORM = 65_536  # what a form has around its file


def larger_bodies(upload: int) -> dict[str, int]:
    """The paths that take more than an ordinary body, and how much."""
    return {CHECK: upload + FORM, APPLY: HELD_BYTES * 2 + FORM}


def router(service: Service) -> APIRouter:
    """The routes of `/desk/caseload`."""
    guard = Guard(service)
    pages = Pages(guard)
    area = Caseload(service, pages)

    async def inside(request: Request) -> AsyncIterator[None]:
        """Before a large file is read: nobody else may make this machine read one. It is closed at the end."""
        session = await guard.session(request)
        if session is None or not session.inside:
            raise LoginNeededError
        try:
            yield
        finally:
            await request.close()

    routes = APIRouter(
        tags=["desk"],
        route_class=pages.route_class(),
        include_in_schema=False,
        dependencies=[Depends(inside), Depends(guard.allow(Role.COORDINATOR))],
    )
    routes.add_api_route("/desk/caseload", area.show, methods=["GET"])
    routes.add_api_route(CHECK, area.check, methods=["POST"])
    routes.add_api_route(APPLY, area.apply, methods=["POST"])
    routes.add_api_route(LETTERS, area.letters, methods=["POST"])
    return routes


@dataclass(frozen=True)
class Counts:
    """How the caseload stands."""

    klantregisseurs: int
    people: int
    linked: int
    without: int
    letters: int


def count(connection: Connection, now: Any) -> Counts:
    """Read the counts."""

    def number(table: Any, *where: Any) -> int:
        return connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()

    out = (LinkCodeRow.used_at.is_(None), LinkCodeRow.expires_at > now)
    return Counts(
        number(ActorRow, ActorRow.active),
        number(PartyRow),
        number(PartyRow, PartyRow.contact_id.is_not(None)),
        number(PartyRow, PartyRow.actor_id.is_(None)),
        number(LinkCodeRow, *out),
    )


class Caseload:
    """The pages."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages = service, pages
        self._sheet = static("letters.css")

    async def show(self, request: Request) -> Response:
        return await self._overview(request)

    async def _overview(self, request: Request, status: int = 200, **values: Any) -> Response:
        now, settings = self._service.clock.now(), self._service.settings
        counts = await self._service.store.aread(lambda connection: count(connection, now))
        facts: dict[str, Any] = {"error": "", "unknown": (), "applied": None, "counts": counts}
        facts |= {"days": settings.link_code_days, "chats": chats_of(settings)}
        return self._pages.render(request, "caseload/overview.html", status=status, **(facts | values))

    async def check(self, request: Request) -> Response:
        """A dry run: the report of a file."""
        form = await request.form()  # read before by the guard: this is the same
        upload = form.get("file")
        kind = _kind(request.state.form)
        if kind is None or not isinstance(upload, UploadFile) or not upload.filename:
            return await self._overview(request, 422, error="no_file")
        data = await upload.read()
        if len(data) > self._service.settings.max_upload_bytes or len(_pack(data)) > HELD_BYTES:
            return await self._overview(request, 413, error="too_large")
        name = clean(upload.filename).replace("\n", " ")[:MAX_NAME]
        return await self._report(request, File(kind, name, data))

    async def _report(self, request: Request, file: File, *, changed: bool = False) -> Response:
        report = await self._run(request, file, apply=False)
        plan = report.plan
        return self._pages.render(
            request,
            "caseload/report.html",
            status=409 if changed else 422 if plan.faults else 200,
            report=report,
            changed=changed,
            counts={change.value: plan.count(change) for change in Change},
            lines=[line for line in plan.lines if line.change is not Change.UNCHANGED][:SHOWN],
            faults=plan.faults[:SHOWN],
            held=_pack(file.data),
            digest=_digest(report),
        )

    async def _run(self, request: Request, file: File, *, apply: bool, digest: str = "") -> Report:
        service, who = self._service, request.state.session.principal
        teller = Teller(service.content, service.settings.hours, service.clock.now())
        importer = Importer(service.vault, teller, who)

        def work(connection: Connection) -> Report:
            report = importing.run(connection, file, importer, apply=False)
            if not apply or report.plan.faults or _digest(report) != digest:
                return report
            return importing.run(connection, file, importer, apply=True)

        return await service.store.awrite(work) if apply else await service.store.aread(work)

    async def apply(self, request: Request) -> Response:
        """Do what a report showed. Where that is not what would happen now, the report is shown anew."""
        form = request.state.form
        kind, data = _kind(form), _unpack(form.get("held", ""), self._service.settings.max_upload_bytes)
        if kind is None or data is None:
            return await self._overview(request, 422, error="no_file")
        file = File(kind, clean(form.get("name", ""))[:MAX_NAME], data)
        report = await self._run(request, file, apply=True, digest=form.get("digest", ""))
        if report.applied is None:
            return await self._report(request, file, changed=True)
        counts = {change.value: report.plan.count(change) for change in Change}
        return await self._overview(request, applied=report.applied, report=report, applied_counts=counts)

    async def letters(self, request: Request) -> Response:
        """Letters for the keys that were typed, or for everybody without an account."""
        form = request.state.form
        typed = [line.strip() for line in clean(form.get("persons", "")).split("\n") if line.strip()]
        if form.get("who") != "all" and not 0 < len(typed) <= MAX_KEYS:
            return await self._overview(request, 422, error="no_keys" if not typed else "many_keys")
        persons = None if form.get("who") == "all" else list(dict.fromkeys(typed))
        service, who = self._service, request.state.session.principal
        printer = Printer(
            service.content,
            service.vault,
            chats_of(service.settings),
            service.clock.now(),
            service.settings.link_code_days,
        )
        sheets: Sheets = await service.store.awrite(lambda c: make_letters(c, persons, printer, who))
        if sheets.unknown:
            return await self._overview(request, 422, error="unknown_keys", unknown=sheets.unknown)
        if not sheets.letters:
            return await self._overview(request, 422, error="nobody")
        language = page_language(request)
        html = _render(sheets.letters, language, sheet=self._sheet)
        return HTMLResponse(html, headers=HEADERS)


def _kind(form: dict[str, str]) -> Kind | None:
    return {"people": "people", "klantregisseurs": "klantregisseurs"}.get(form.get("kind", ""))  # type: ignore[return-value]  # the two values of Kind


def _pack(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _unpack(text: str, limit: int) -> bytes | None:
    """What `_pack` made; None for anything else, and for what would be larger than may be sent."""
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(text, validate=True), limit + 1)
    except (zlib.error, binascii.Error, ValueError):
        return None
    return data if unpacker.eof and len(data) <= limit else None


def _digest(report: Report) -> str:
    """Of a file and of all that it would change."""
    changes = [(line.line, line.change.value, line.what) for line in report.plan.lines]
    return hashlib.sha256(f"{report.file.digest}:{json.dumps(changes)}".encode()).hexdigest()


def _render(letters: Sequence[Letter], language: str, *, style: str = "", sheet: str = "") -> str:
    template = environment(language).get_template("caseload/letters.html")
    return template.render(language=language, letters=letters, style=style, sheet=sheet)


def letters_file(letters: Sequence[Letter], language: str) -> str:
    """The letters as one file that needs nothing else."""
    return _render(letters, language, style=(HERE / "static" / "letters.css").read_text(encoding="utf-8"))
