"""Reading open answers before anybody sees them among the figures. For researchers only; audited."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.engine import Connection

from bot import audit, survey_words
from bot.locales import AMSTERDAM
from bot.roles import Role
from bot.service import Service
from webhooks.auth import Guard
from webhooks.login import go
from webhooks.monitoring_pages import open_items
from webhooks.pages import Pages, page_language, static

PLACE = "/monitoring/words"
AT_ONCE = 20


def router(service: Service) -> APIRouter:
    """The routes of `/monitoring/words`."""
    guard = Guard(service)
    words = WordPages(service, Pages(guard))
    routes = APIRouter(
        tags=["monitoring"],
        route_class=words.pages.route_class(),
        dependencies=[Depends(guard.allow(Role.RESEARCHER))],
        include_in_schema=False,
    )
    routes.add_api_route(PLACE, words.show, methods=["GET"])
    routes.add_api_route(PLACE, words.review, methods=["POST"])
    return routes


class WordPages:
    """The page with what waits, and the form under each answer."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self.service, self.pages = service, pages
        self._styles = [static("chart.css"), static("monitoring.css")]

    async def show(self, request: Request) -> Response:
        return await self._show(request)

    async def _show(self, request: Request, *, status: int = 200, error: bool = False) -> Response:
        items, surveys = open_items(self.service), self.service.content.surveys
        waiting, total = await self.service.store.aread(
            lambda connection: survey_words.waiting(connection, items, AT_ONCE)
        )
        language = page_language(request)
        return self.pages.render(
            request,
            "monitoring/words.html",
            status=status,
            error=error,
            waiting=waiting,
            total=total,
            questions={item: surveys.question(item, language) for item in items},
            style_sheets=self._styles,
        )

    async def review(self, request: Request) -> Response:
        """Let one answer through, with the words of the form, or keep it back."""
        form, now = request.state.form, self.service.clock.now()
        author = request.state.session.principal
        key = (form.get("wave", ""), form.get("item", ""), form.get("respondent", ""))
        words = form.get("words", "") if form.get("verdict") == "show" else None

        def write(connection: Connection) -> bool:
            done = survey_words.review(connection, key, words, now.astimezone(AMSTERDAM).date())
            if done:
                verdict = "kept" if words is None else "shown"
                audit.record(connection, author, "survey.words", now, detail=f"{key[0]}:{key[1]}:{verdict}")
            return done

        if key[1] in open_items(self.service) and await self.service.store.awrite(write):
            return go(PLACE)
        return await self._show(request, status=409, error=True)
