"""Waves of surveys for researchers: draft, preview, test, live, closed; the funnel.

No page here shows or takes anything of one person. Rows of answers leave by `/monitoring/export.zip` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.engine import Connection

from bot import audit, survey_figures, survey_waves
from bot.audit import Action
from bot.content.surveys import Survey
from bot.locales import LANGUAGES, direction
from bot.messages import CAPABILITIES, button_rows
from bot.policy import survey
from bot.replies import render
from bot.roles import Role
from bot.service import Service
from bot.survey_answers import Surveyor
from bot.survey_waves import Plan, WaveError
from webhooks.auth import Guard
from webhooks.login import go
from webhooks.pages import PageError, Pages, page_language, static

CHANNELS = ("telegram", "whatsapp")
HERE = "/surveys/{wave_id:int}"


def router(service: Service) -> APIRouter:
    """The routes of `/surveys`."""
    guard = Guard(service)
    waves = WavePages(service, Pages(guard))
    allowed = [Depends(guard.allow(Role.RESEARCHER))]
    routes = APIRouter(
        tags=["surveys"], route_class=waves.pages.route_class(), dependencies=allowed, include_in_schema=False
    )
    routes.add_api_route("/surveys", waves.index, methods=["GET"])
    routes.add_api_route("/surveys/new", waves.draft, methods=["POST"])
    routes.add_api_route(HERE, waves.show, methods=["GET"])
    routes.add_api_route(f"{HERE}/preview", waves.preview, methods=["GET"])
    routes.add_api_route(f"{HERE}/previewed", waves.previewed, methods=["POST"])
    routes.add_api_route(f"{HERE}/test", waves.test, methods=["POST"])
    routes.add_api_route(f"{HERE}/live", waves.live, methods=["POST"])
    routes.add_api_route(f"{HERE}/stop", waves.stop, methods=["POST"])
    return routes


class Price(NamedTuple):
    """Of a template, in millionths of a euro. Without a day nobody set it: it is what the program assumes."""

    micro: int
    set_on: date | None
    source: str


class WavePages:
    """The pages of waves."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self.service, self.pages = service, pages
        self.style = static("surveys.css")

    @property
    def surveyor(self) -> Surveyor:
        surveyor = self.service.conversation.surveyor
        if surveyor is None:
            raise PageError(404, "gone")
        return surveyor

    @property
    def price(self) -> Price:
        """What a template is reckoned to cost, and how anybody knows."""
        settings = self.service.settings
        micro = self.surveyor.template_price
        return Price(micro, settings.price_survey_template_set_on, settings.price_survey_template_source)

    async def index(self, request: Request) -> Response:
        return await self._list(request)

    async def _list(self, request: Request, *, status: int = 200, error: str = "") -> Response:
        waves = await self.service.store.aread(survey_waves.listed)
        surveys, language = self.service.content.surveys, page_language(request)
        return self.pages.render(
            request,
            "surveys/list.html",
            status=status,
            error=error,
            form=request.state.form,
            waves=waves,
            titles={key: surveys.texts[language].surveys[key].title for key in surveys.surveys},
            surveys=surveys.surveys,
        )

    async def draft(self, request: Request) -> Response:
        form, now = request.state.form, self.service.clock.now()
        author = request.state.session.principal
        try:
            plan = Plan(
                form.get("survey", ""),
                _number(form, "sample_size", empty=None),
                (_number(form, "part", empty=1) or 0) - 1,
                _euros(form, "budget"),
            )

            def write(connection: Connection) -> int:
                made = survey_waves.draft(connection, self.surveyor, plan, author.name, now)
                audit.record(connection, author, "survey.draft", now, detail=f"wave={made}")
                return made

            wave_id = await self.service.store.awrite(write)
        except WaveError as error:
            return await self._list(request, status=422, error=error.words)
        return go(f"/surveys/{wave_id}")

    async def show(self, request: Request, wave_id: int) -> Response:
        return await self._show(request, wave_id)

    async def _show(self, request: Request, wave_id: int, *, status: int = 200, error: str = "") -> Response:
        found = await self.service.store.aread(lambda connection: self._read(connection, wave_id))
        if found is None:
            raise PageError(404, "gone")
        language = page_language(request)
        surveys = self.service.content.surveys
        key = found["wave"].survey
        return self.pages.render(
            request,
            "surveys/wave.html",
            status=status,
            error=error,
            style_surveys=self.style,
            title=surveys.texts[language].surveys[key].title if key in surveys.surveys else key,
            survey=surveys.surveys.get(key),
            questions={i: surveys.question(i, language) for i in surveys.items},
            items=surveys.items,
            chat_languages=LANGUAGES,
            price=self.price,
            least=self.service.settings.monitoring_min_people,
            **found,
        )

    def _read(self, connection: Connection, wave_id: int) -> dict[str, Any] | None:
        wave = survey_waves.get(connection, wave_id)
        if wave is None:
            return None
        plan = self.service.content.surveys.surveys.get(wave.survey)
        expected = None
        if wave.state in ("draft", "testing") and plan is not None and plan.schedule.after is None:
            people = len(survey_waves.audience(connection, plan))
            expected = survey_figures.expect(len(survey_waves.sample(connection, plan, wave)), people)
        return {
            "wave": wave,
            "expected": expected,
            "reach": self._reach(connection, plan, wave) if expected and plan else None,
            "trials": survey_waves.trials(connection, wave_id),
            "funnel": survey_figures.funnel(connection, wave),
        }

    def _reach(self, connection: Connection, plan: Survey, wave: Any) -> survey_waves.Reach:
        now = self.service.clock.now()
        return survey_waves.reach(connection, self.surveyor, survey_waves.sample(connection, plan, wave), now)

    async def preview(self, request: Request, wave_id: int) -> Response:
        """Every message of a survey as a newcomer gets it, in one language, on both channels."""
        wave = await self.service.store.aread(lambda connection: survey_waves.get(connection, wave_id))
        shown = request.query_params.get("as", LANGUAGES[0])
        if wave is None or shown not in LANGUAGES or wave.survey not in self.service.content.surveys.surveys:
            raise PageError(404, "gone")
        content, now = self.service.content, self.service.clock.now()
        chats = {
            channel: [
                message
                for reply in survey.preview(content, wave.survey, shown, channel, now)
                for message in render(reply, shown, content, CAPABILITIES[channel], now)
            ]
            for channel in CHANNELS
        }
        templates = {
            channel: render(
                survey.preview_template(content, wave.survey, shown, channel, now),
                *(shown, content, CAPABILITIES[channel], now),
            )[0]
            for channel in CHANNELS
            if CAPABILITIES[channel].window_hours is not None
        }
        return self.pages.render(
            request,
            "surveys/preview.html",
            wave=wave,
            shown=shown,
            chat_languages=LANGUAGES,
            chats=chats,
            templates=templates,
            button_rows=button_rows,
            price=self.price,
            buttons={channel: CAPABILITIES[channel].buttons for channel in CHANNELS},
            direction=direction(shown),
            style_surveys=self.style,
        )

    async def previewed(self, request: Request, wave_id: int) -> Response:
        shown = request.state.form.get("as", "")
        if shown in LANGUAGES:
            await self.service.store.awrite(lambda connection: survey_waves.previewed(connection, wave_id, shown))
        return go(f"/surveys/{wave_id}")

    async def test(self, request: Request, wave_id: int) -> Response:
        return await self._step(request, wave_id, "survey.test", lambda c: survey_waves.begin_test(c, wave_id))

    async def live(self, request: Request, wave_id: int) -> Response:
        now = self.service.clock.now()
        work = lambda c: survey_waves.go_live(c, self.surveyor, wave_id, now)  # noqa: E731  # one step of several
        return await self._step(request, wave_id, "survey.live", work)

    async def stop(self, request: Request, wave_id: int) -> Response:
        now = self.service.clock.now()
        work = lambda c: survey_waves.close(c, self.surveyor, wave_id, now)  # noqa: E731  # as above
        return await self._step(request, wave_id, "survey.stop", work)

    async def _step(
        self, request: Request, wave_id: int, action: Action, work: Callable[[Connection], object]
    ) -> Response:
        author, now = request.state.session.principal, self.service.clock.now()

        def write(connection: Connection) -> None:
            work(connection)
            audit.record(connection, author, action, now, detail=f"wave={wave_id}")

        try:
            await self.service.store.awrite(write)
        except WaveError as error:
            return await self._show(request, wave_id, status=409, error=error.words)
        return go(f"/surveys/{wave_id}")


def _euros(form: dict[str, str], name: str) -> int | None:
    """An amount such as 25 or 12,50 in millionths of a euro; None when it is empty."""
    text = form.get(name, "").strip().removeprefix("€").strip().replace(",", ".")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,2})?", text):
        raise WaveError(name)
    return round(Decimal(text) * 1_000_000)


def _number(form: dict[str, str], name: str, *, empty: int | None) -> int | None:
    text = form.get(name, "").strip()
    if not text:
        return empty
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise WaveError(name)
    return int(text)
