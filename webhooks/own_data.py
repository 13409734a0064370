"""What is kept of a person, shown to that person: a page behind a link that only they were given."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from bot import locales, own_data
from bot.own_data import OwnData
from bot.service import Service
from webhooks.pages import HEADERS, HERE, static

MAX_TOKEN = 64


def router(service: Service) -> APIRouter:
    """The route `GET /my-data/{token}`; `?file=1` gives the same as a file. Open to whoever has the link."""
    routes = APIRouter(tags=["own data"], include_in_schema=False)
    page = _template()
    style = static("own_data.css")

    @routes.get("/my-data/{token}")
    async def show(request: Request, token: str) -> Response:
        now = service.clock.now()
        found = await service.store.aread(lambda c: own_data.open_link(c, token[:MAX_TOKEN], now))
        if found is not None and request.query_params.get("file"):
            headers = HEADERS | {"Content-Disposition": 'attachment; filename="wegwijs.json"'}
            body = json.dumps(found.to_json(), ensure_ascii=False, indent=2, default=_plain)
            return Response(body, media_type="application/json; charset=utf-8", headers=headers)
        language = found.language if found else _wanted(request)
        values: dict[str, Any] = {
            "say": _texts(service, language),
            "data": found,
            "style": style,
            "token": token[:MAX_TOKEN],
        }
        values |= {"language": language, "direction": locales.direction(language), "facts": _facts(service, found)}
        values["surveys"] = _surveys(service, found)
        topics = {topic: service.content.answer(topic, language).question for topic in service.content.topics}
        html = page.render(**values, topics=topics, moment=lambda at: locales.moment(at, language))
        return HTMLResponse(html, status_code=200 if found else 404, headers=HEADERS)

    return routes


@cache
def _template() -> Template:
    loader = FileSystemLoader(HERE / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("own_data.html")


_OF_THE_FILE = ("klantregisseur", "route", "phase", "birth_year", "progress_talk")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _wanted(request: Request) -> str:
    """The language of the browser where it is served, for a link that opens nothing."""
    code = request.headers.get("accept-language", "")[:2]
    return code if code in locales.LANGUAGES else "nl"


def _texts(service: Service, language: str) -> dict[str, str]:
    replies = service.content.replies[language]
    return {key.removeprefix("mydata."): str(text) for key, text in replies.items() if key.startswith("mydata.")}


def _facts(service: Service, data: OwnData | None) -> list[tuple[str, str]]:
    """The facts that there are, each with the key of its name and in words."""
    if data is None:
        return []
    replies, facts = service.content.replies[data.language], data.facts
    rows = [("language", locales.NAMES.get(data.language, data.language))]
    if facts["group"]:
        rows.append(("group", str(replies[f"button.group_{facts['group']}"])))
    moments = [key for key in ("consent_at", "first_seen", "last_seen") if facts[key]]
    rows += [(key, locales.moment(facts[key], data.language)) for key in moments]
    rows.append(("channels", ", ".join(facts["channels"])))
    file = facts["file_of_the_municipality"] or {}
    rows += [(key, str(file[key])) for key in _OF_THE_FILE if file.get(key)]
    return rows


def _surveys(service: Service, data: OwnData | None) -> dict[str, Any]:
    """What is kept around surveys, in words: facts with the key of their name, what was asked, and what we sent."""
    if data is None:
        return {}
    found, language = data.surveys, data.language
    titles = service.content.surveys.texts[language].surveys
    facts = []
    if found["consent"]:
        facts.append((f"surveys_{found['consent']['state']}", locales.moment(found["consent"]["at"], language)))
    if found["bad_news_at"]:
        local = found["bad_news_at"].astimezone(locales.AMSTERDAM)
        facts.append(("bad_news", locales.day(local.date(), language)))
    asked = [
        {
            "title": titles[one["survey"]].title if one["survey"] in titles else one["survey"],
            "state": one["state"],
            "at": one["invited_at"],
        }
        for one in found["invitations"]
    ]
    return {"facts": facts, "asked": asked, "pushes": found["messages_of_our_own_accord"]}
