"""The chat page: invented phones in the browser. What they send takes the same inbox and outbox as every message.

There is no login: the routes exist only where the settings allow it, and never in production.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import yaml
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, Template
from pydantic import BaseModel, ConfigDict, Field

from bot import simulation
from bot.errors import StoreUnavailableError
from bot.locales import AMSTERDAM, LANGUAGES, NAMES, clean, day, direction, moment
from bot.messages import CAPABILITIES, Address, InboundMessage, Kind
from bot.service import Service
from bot.simulation import Bubble

HERE = Path(__file__).parent
TIME_ZONE: ZoneInfo = AMSTERDAM
NUMBERS = "-numbers"  # ends the id of a phone without buttons, so that one person can have both
# The invented people, and what their app is set to.
PEOPLE = {"amina": "ar", "yusuf": "ar", "selam": "en", "olena": "en", "maria": "nl", "tom": "nl"}
EXAMPLES = 7
BATCH = 200
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
# What the page's script says or shows; the rest of the texts is for the template.
SCRIPT_TEXTS = ("from_service", "from_you", "choices", "voice", "image", "document", "location", "made_up", "new_tab")

Texts = dict[str, dict[str, str]]
Phone = Annotated[str, InPath(pattern=r"^[a-z0-9-]{1,40}$")]
ChannelName = Literal["console", "console-numbers"]
Language = Literal["nl", "en", "ar"]


class Posted(BaseModel):
    """What an invented person does. `id` makes a repeat harmless; `message` is the bubble whose button was tapped."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-Za-z0-9-]{8,64}$")
    channel: ChannelName
    kind: Literal["text", "tap", "start", "voice", "image", "document", "location", "blocked", "unblocked"]
    text: str = Field("", max_length=4096)
    message: int = Field(0, ge=0, lt=2**63)
    token: str = Field("", max_length=64)
    language: Language = "nl"


class Step(BaseModel):
    """How far to move the clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: int = Field(ge=1, le=366 * 86400)


class ClearErrors(APIRoute):
    """Every refusal is JSON with one line: {"error": ...}."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                faults = [f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in error.errors()]
                return refusal(422, "; ".join(faults))
            except HTTPException as error:
                return refusal(error.status_code, str(error.detail))
            except (StoreUnavailableError, sa.exc.SQLAlchemyError):
                return refusal(503, "the database is away; try again")

        return guarded


def refusal(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)


@cache  # once a process, as the template below: tests make hundreds of applications
def load_texts(folder: Path = HERE / "texts") -> Texts:
    """The page's own words in each language."""
    return {code: yaml.safe_load((folder / f"simulator.{code}.yaml").read_text(encoding="utf-8")) for code in LANGUAGES}


@cache
def _template() -> Template:
    return Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True).get_template("simulator.html")


def router(service: Service) -> APIRouter:
    """The routes below `/simulator`."""
    routes = APIRouter(prefix="/simulator", tags=["simulator"], route_class=ClearErrors)
    texts = load_texts()
    template = _template()

    @routes.get("")
    async def page(
        request: Request,
        contact: Annotated[str, Query(pattern=r"^[a-z0-9-]{1,30}$")] = "amina",
        channel: ChannelName = "console",
        language: Language | None = None,
    ) -> HTMLResponse:
        code = language or preferred_language(request.headers.get("accept-language", ""))
        described = describe_page(service, texts[code], contact, channel, code)
        return HTMLResponse(template.render(described), headers=HEADERS)

    @routes.get("/phones/{phone}/messages")
    async def messages(
        phone: Phone,
        channel: ChannelName,
        language: Language = "nl",
        after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    ) -> JSONResponse:
        return JSONResponse(await look(service, Address(channel, phone), after, language), headers=HEADERS)

    @routes.post("/phones/{phone}/messages")
    async def post(phone: Phone, posted: Posted) -> JSONResponse:
        message, bubble = await read(service, phone, posted, texts[posted.language])
        return JSONResponse({"new": await simulation.send(service, message, bubble)})

    @routes.post("/clock")
    async def forward(step: Step) -> JSONResponse:
        try:
            await simulation.move_clock(service, timedelta(seconds=step.seconds))
        except ValueError as error:
            return refusal(409, str(error))
        return JSONResponse({"now": service.clock.now().isoformat()})

    return routes


def preferred_language(header: str) -> str:
    """The first language of the browser that the page has, else Dutch."""
    codes = (part.strip()[:2].lower() for part in header[:200].split(","))
    return next((code for code in codes if code in LANGUAGES), "nl")


async def read(
    service: Service, phone: str, posted: Posted, texts: dict[str, str]
) -> tuple[InboundMessage, Bubble | None]:
    """Our own message of what was posted, and what the phone shows of it. Raises HTTPException if it can't be sent."""
    kind = Kind(posted.kind)
    text, token, bubble = "", "", None
    if kind is Kind.TEXT:
        text = clean(posted.text)
        if not text.strip():
            raise HTTPException(422, "text: nothing to send")
        bubble = Bubble(text)
    elif kind is Kind.TAP:
        token = posted.token
        bubble = await _tapped(service, phone, posted)
    elif kind is Kind.START:
        bubble = Bubble("/start", "en")
    elif kind not in (Kind.BLOCKED, Kind.UNBLOCKED):
        bubble = Bubble(texts[kind], posted.language, [{"token": kind.value, "label": texts[kind]}])
    hint = PEOPLE.get(phone.removesuffix(NUMBERS), "")
    return InboundMessage(f"console:{posted.id}", Address(posted.channel, phone), kind, text, token, hint), bubble


async def _tapped(service: Service, phone: str, posted: Posted) -> Bubble:
    rows = await service.store.aread(lambda c: simulation.read_screen(c, phone, posted.message - 1, 1))
    offered = rows[0].options if rows and rows[0].id == posted.message and not rows[0].mine else []
    for option in offered:
        if option["token"] == posted.token:
            return Bubble(option["label"], rows[0].language)
    raise HTTPException(422, "token: there is no such button on this phone")


async def look(service: Service, address: Address, after: int, language: str) -> dict[str, Any]:
    """What is new on a phone, as the page's script takes it."""

    def work(connection: sa.Connection) -> tuple[list[sa.Row[Any]], simulation.PhoneState]:
        # The state first: what was answered between the two is then in the rows.
        state = simulation.read_state(connection, service.vault, address)
        return simulation.read_screen(connection, address.value, after, BATCH), state

    rows, state = await service.store.aread(work)
    return {
        "messages": [as_json(row, CAPABILITIES[address.channel].buttons, language) for row in rows],
        "more": len(rows) == BATCH,
        "busy": state.is_busy,
        "blocked": state.is_blocked,
        "clock": moment(service.clock.now(), language),
    }


def as_json(row: sa.Row[Any], has_buttons: bool, language: str) -> dict[str, Any]:  # noqa: FBT001  # one fact of a channel
    at = row.at.astimezone(TIME_ZONE)
    return {
        "id": row.id,
        "mine": row.mine,
        "kind": row.options[0]["token"] if row.mine and row.options else "text",
        "text": row.text,
        "language": row.language,
        "options": row.options if has_buttons and not row.mine else [],
        "day": day(at.date(), language),
        "time": f"{at:%H:%M}",
    }


def describe_page(
    service: Service, texts: dict[str, str], contact: str, channel: ChannelName, language: str
) -> dict[str, Any]:
    """What the template needs. The page says where it stands in its address alone, so that every link is plain."""

    def link(**changes: str) -> str:
        place = {"contact": contact, "channel": channel, "language": language} | changes
        return "/simulator?" + "&".join(f"{name}={value}" for name, value in place.items())

    is_new = contact not in PEOPLE
    people = [
        {"name": texts[key], "about": texts[f"{key}_about"], "link": link(contact=key), "current": key == contact}
        for key in PEOPLE
    ]
    fresh = {"name": texts["new_phone"], "about": texts["new_phone_about"], "current": is_new}
    people.append(fresh | {"link": link(contact=f"new-{secrets.token_hex(5)}")})
    return {
        "texts": texts,
        "language": language,
        "direction": direction(language),
        "phone": contact + (NUMBERS if channel == "console-numbers" else ""),
        "channel": channel,
        "owner": texts["you_are_new"] if is_new else texts["you_are"].format(name=texts[contact]),
        "people": people,
        "kinds": [
            {"name": texts[f"like_{key}"], "about": texts[f"like_{key}_about"], "link": link(channel=name)}
            | {"current": name == channel}
            for key, name in (("buttons", "console"), ("numbers", "console-numbers"))
        ],
        "languages": [
            {"code": code, "name": NAMES[code], "link": link(language=code), "direction": direction(code)}
            for code in LANGUAGES
        ],
        "steps": [(texts["hour"], 3600), (texts["day"], 86400), (texts["week"], 7 * 86400)],
        "clock": moment(service.clock.now(), language),
        "examples": _examples(service, PEOPLE.get(contact, language)),
        "script_texts": {key: texts[key] for key in SCRIPT_TEXTS},
    }


def _examples(service: Service, language: str) -> dict[str, Any]:
    """Questions in the language of the invented person, so that anybody can try it: the first of each group."""
    topics = [service.content.of_group(group)[0] for group in service.content.groups][:EXAMPLES]
    questions = [service.content.answer(topic, language).question for topic in topics]
    return {"language": language, "direction": direction(language), "questions": questions}
