"""The desk: tickets that wait for a person, and the form that answers one. Works without JavaScript.

Routes only read the request and choose a page; what an answer means stands in `bot/desk`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.engine import Connection

from bot.actions import Reply, Show
from bot.desk import answering, news, tickets
from bot.desk.answering import AnswerResult
from bot.desk.tickets import TicketPage, TicketSummary
from bot.escalation import BACK_UP_DESK
from bot.locales import AMSTERDAM, clean
from bot.messages import CAPABILITIES
from bot.replies import render
from bot.roles import ANSWERING
from bot.service import Service
from bot.storage.store import Work
from webhooks.auth import Guard
from webhooks.pages import HEADERS, PageError, Pages, page_language

MAX_ANSWER = 3000  # characters: one message on Telegram, two on WhatsApp
MAX_ID = 2**63 - 1


def router(service: Service) -> APIRouter:
    """The routes of `/desk`."""
    guard = Guard(service)
    pages = Pages(guard)
    desk = Desk(service, pages)
    routes = APIRouter(tags=["desk"], route_class=pages.route_class(), include_in_schema=False)
    may_answer = [Depends(guard.allow(*ANSWERING))]
    routes.add_api_route("/desk", desk.index, methods=["GET"], dependencies=may_answer)
    routes.add_api_route("/desk/tickets/{ticket_id:int}", desk.ticket, methods=["GET"], dependencies=may_answer)
    routes.add_api_route("/desk/tickets/{ticket_id:int}/answer", desk.answer, methods=["POST"], dependencies=may_answer)
    routes.add_api_route("/desk/tickets/{ticket_id:int}/close", desk.close, methods=["POST"], dependencies=may_answer)
    return routes


def _go(place: str) -> Response:
    return RedirectResponse(place, status_code=303, headers=HEADERS)


def _author(request: Request) -> str:
    """Who answers, for colleagues: the name given at the login, or the desk."""
    name: str = request.state.session.name
    return name or BACK_UP_DESK


class Desk:
    """The pages behind the login."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages = service, pages

    async def index(self, request: Request) -> Response:
        """What waits, the most urgent first; and what became of the ticket that was just dealt with."""
        done = request.query_params.get("done", "")
        done_id = int(done) if done.isascii() and done.isdigit() and len(done) < len(str(MAX_ID)) else 0

        def read(connection: Connection) -> dict[str, Any]:
            return {
                "tickets": tickets.open_tickets(connection),
                "total": tickets.count_open(connection),
                "state": news.state_of(news.open_tickets(connection), request.state.session.principal),
                "troubles": tickets.attention(connection),
                "done": tickets.ticket(connection, done_id) if done_id else None,
            }

        facts: dict[str, Any] = await self._service.store.aread(read)
        facts |= {"now": self._service.clock.now(), "titles": self._titles(request)}
        return self._pages.render(request, "desk/list.html", **facts)

    async def ticket(self, request: Request, ticket_id: int) -> Response:
        return await self._ticket_page(request, ticket_id)

    async def answer(self, request: Request, ticket_id: int) -> Response:
        """Own words or a curated answer: the button says which."""
        form, content, now = request.state.form, self._service.content, self._service.clock.now()
        if form.get("send") == "topic":
            error = "" if form.get("topic") else "no_choice"
            work = partial(answering.answer_with_topic, topic=form.get("topic", ""))
        else:
            text = clean(form.get("text", "")).strip()
            error = "empty" if not text else "too_long" if len(text) > MAX_ANSWER else ""
            work = partial(answering.answer, text=text)
        if error:
            return await self._ticket_page(request, ticket_id, status=422, error=error)
        author = _author(request)
        return await self._carry_out(
            request,
            ticket_id,
            lambda connection: work(connection, ticket_id=ticket_id, author=author, now=now, content=content),
        )

    async def close(self, request: Request, ticket_id: int) -> Response:
        reason = clean(request.state.form.get("reason", "")).strip()
        error = "no_reason" if not reason else "reason_too_long" if len(reason) > MAX_ANSWER else ""
        if error:
            return await self._ticket_page(request, ticket_id, status=422, error=error)
        now = self._service.clock.now()
        work = partial(answering.close, ticket_id=ticket_id, reason=reason, author=_author(request), now=now)
        return await self._carry_out(request, ticket_id, work)

    async def _carry_out(self, request: Request, ticket_id: int, work: Work[AnswerResult]) -> Response:
        if ticket_id > MAX_ID:
            raise PageError(404, "gone")
        result: AnswerResult = await self._service.store.awrite(work)
        if result.accepted:
            return _go(f"/desk?done={ticket_id}")
        status = 422 if result.outcome is answering.AnswerOutcome.NO_TOPIC else 409
        return await self._ticket_page(request, ticket_id, status=status, error=result.outcome.value, result=result)

    async def _ticket_page(
        self,
        request: Request,
        ticket_id: int,
        *,
        status: int = 200,
        error: str = "",
        result: AnswerResult | None = None,
    ) -> Response:
        """A ticket. After an error with what was typed, and the error's words beside the field."""
        wants_conversation = request.query_params.get("conversation") == "1"

        def read(connection: Connection) -> tuple[TicketPage | None, list[tickets.Utterance]]:
            earlier = tickets.conversation_before(connection, ticket_id) if wants_conversation else []
            return tickets.ticket(connection, ticket_id), earlier

        page, conversation = await self._service.store.aread(read) if ticket_id <= MAX_ID else (None, [])
        if page is None:
            raise PageError(404, "gone")
        return self._pages.render(
            request,
            "desk/ticket.html",
            status=status,
            error=error,
            result=result,
            form=request.state.form,
            page=page,
            ticket=page.summary,
            conversation=conversation if wants_conversation else None,
            now=self._service.clock.now(),
            titles=self._titles(request),
            limit=MAX_ANSWER,
            **self._curated(request, page.summary),
        )

    def _titles(self, request: Request) -> dict[str, str]:
        """The question of each topic, in the language of the page."""
        answers = self._service.content.answers[page_language(request)]
        return {topic: answers[topic].question for topic in self._service.content.topics}

    def _curated(self, request: Request, ticket: TicketSummary) -> dict[str, Any]:
        """The curated answers to choose from: those that were thought of first, with their words, then all by group."""
        content, language, now = self._service.content, page_language(request), self._service.clock.now()
        today = now.astimezone(AMSTERDAM).date()
        fresh = [topic for topic in content.topics if not content.is_withheld(topic, today)]

        def words(topic: str) -> str:
            return render(Reply((Show(topic),)), language, content, CAPABILITIES["telegram"], now)[0].text

        thought_of = [(topic, sure, words(topic)) for topic, sure in ticket.candidates if topic in fresh][:3]
        groups = [(group, [topic for topic in content.of_group(group) if topic in fresh]) for group in content.groups]
        names = {group: content.replies[language][f"group.{group}"] for group in content.groups}
        return {"thought_of": thought_of, "groups": groups, "group_names": names}
