"""All answers side by side in every language: a page of the desk, and the same as one file to open or send."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from bot.contacts import Group
from bot.content import Content
from bot.content.overview import overview
from bot.locales import AMSTERDAM
from bot.service import Service
from webhooks.auth import Guard
from webhooks.pages import HERE, Pages, environment, page_language, static, styles


def router(service: Service) -> APIRouter:
    """The route `GET /desk/content`."""
    guard = Guard(service)
    pages = Pages(guard)
    style = static("content.css")
    routes = APIRouter(
        tags=["desk"], route_class=pages.route_class(), dependencies=[Depends(guard.require)], include_in_schema=False
    )

    @routes.get("/desk/content")
    async def show(request: Request) -> Response:
        today = service.clock.now().astimezone(AMSTERDAM).date()
        group = request.query_params.get("group", service.content.groups[0])

        def make() -> Response:
            values = facts(service.content, page_language(request), today, group)
            return pages.render(request, "desk/content.html", content_style=style, group=group, **values)

        return await asyncio.to_thread(make)  # all of it is half a megabyte: the webhooks must not wait for it

    return routes


def facts(content: Content, language: str, today: date, group: str = "") -> dict[str, Any]:
    """What the templates show. A group that doesn't exist stands for all of them."""
    replies = content.replies[language]
    return {
        "overview": overview(content, today, group),
        "group_names": {name: replies.get(f"group.{name}", name) for name in content.groups},
        "audiences": {name: replies.get(f"button.group_{name}", name) for name in Group},
    }


def export(content: Content, language: str) -> str:
    """The overview as one file that needs nothing else; the filter by group works by the links alone."""
    now = datetime.now(AMSTERDAM)
    style = "\n".join((HERE / "static" / name).read_text(encoding="utf-8") for name in (*styles(), "content.css"))
    template = environment(language).get_template("desk/content_export.html")
    return template.render(language=language, style=style, now=now, **facts(content, language, now.date()))
