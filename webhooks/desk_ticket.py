"""One ticket: look at it, take it, answer it, and everything else that can be done with it. Works without JavaScript.

Routes only read the request and choose a page; what a deed means stands in `bot/desk`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.engine import Connection

from bot.desk import (
    answering,
    asking_back,
    claims,
    closing,
    drafts,
    handover,
    prepared,
    resending,
    routing,
    settling,
    tickets,
)
from bot.desk.answering import Translation
from bot.desk.claims import Claim
from bot.desk.drafts import Draft
from bot.desk.prepared import Prepared
from bot.desk.settling import WAITING, Deed, Outcome, Result
from bot.desk.telling import Teller
from bot.desk.tickets import TicketPage, Utterance
from bot.errors import TranslationError
from bot.locales import LANGUAGES, clean
from bot.roles import ANSWERING, Principal
from bot.service import Service
from bot.storage.store import Work
from webhooks import desk_curated, desk_why
from webhooks.auth import Guard
from webhooks.desk_forms import MAX_ANSWER, read_answer, read_translation
from webhooks.limits import as_number
from webhooks.pages import HEADERS, PageError, Pages, page_language

TRANSLATED = 3  # of the newcomer's messages on a ticket, the last ones
TRANSLATION_SECONDS = 4.0  # that a page waits for the translator before it shows itself without
_MENDABLE = {Outcome.NO_TOPIC, Outcome.TOO_LATE, Outcome.LANGUAGE, Outcome.NOT_NOW, Outcome.NOBODY}


def add_routes(routes: APIRouter, service: Service, guard: Guard, pages: Pages) -> None:
    """The routes below `/desk/tickets/<number>`."""
    desk = TicketDesk(service, pages)
    allowed = [Depends(guard.allow(*ANSWERING))]
    place = "/desk/tickets/{ticket_id:int}"
    routes.add_api_route(place, desk.show, methods=["GET"], dependencies=allowed)
    posts = {
        "answer": desk.answer,
        "draft": desk.draft,
        "ask": desk.ask,
        "close": desk.close,
        "hand-over": desk.hand_over,
        "claim": desk.claim,
        "leave": desk.leave,
        "take-back": desk.take_back,
        "again": desk.send_again,
    }
    for name, endpoint in posts.items():
        routes.add_api_route(f"{place}/{name}", endpoint, methods=["POST"], dependencies=allowed)


def go(place: str) -> Response:
    """To another page after a form was sent."""
    return RedirectResponse(place, status_code=303, headers=HEADERS)


@dataclass(frozen=True)
class View:
    """All that the page of a ticket shows."""

    page: TicketPage
    conversation: list[Utterance] | None
    claim: Claim | None  # who else is at it
    draft: Draft | None
    prepared: Prepared | None
    due_at: Any  # when an answer that is prepared now goes out
    colleagues: list[routing.Colleague]


@dataclass(frozen=True)
class Shown:
    """What a page says besides the ticket: an error with its status, or a translation to look at."""

    status: int = 200
    error: str = ""
    result: Result | None = None
    preview: Translation | None = None
    purpose: str = "answer"  # of the preview: answer, or ask


class TicketDesk:
    """The pages of one ticket."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages = service, pages

    async def show(self, request: Request, ticket_id: int) -> Response:
        """A waiting ticket that nobody is at is taken by looking at it."""
        return await self._page(request, ticket_id, Shown())

    async def answer(self, request: Request, ticket_id: int) -> Response:
        """Own words or a curated answer, now or prepared: the button says which."""
        form = read_answer(request.state.form, page_language(request))
        if form.error:
            return await self._page(request, ticket_id, Shown(422, form.error))
        if form.send == "preview":
            return await self._preview(request, ticket_id, form.text, form.written, "answer")
        content, deed = self._service.content, self._deed(request, ticket_id)
        language = request.state.form.get("language", "")
        translation = read_translation(request.state.form, language) if language else None

        def work(connection: Connection) -> Result:
            if form.is_prepared:
                words = {"topic": form.topic} if form.is_topic else {"text": form.text, "translation": translation}
                return prepared.prepare(connection, deed, content, **words)
            facts = {"ticket_id": ticket_id, "who": deed.who, "now": deed.now, "content": content}
            if form.is_topic:
                return answering.answer_with_topic(connection, topic=form.topic, **facts)  # type: ignore[arg-type]  # as above
            return answering.answer(connection, text=form.text, translation=translation, **facts)  # type: ignore[arg-type]  # as above

        return await self._carry_out(request, ticket_id, work)

    async def draft(self, request: Request, ticket_id: int) -> Response:
        """Keep what was typed. The browser may do so by itself; then a short yes is enough."""
        text = clean(request.state.form.get("text", ""))
        if len(text) > 4 * MAX_ANSWER:
            return await self._page(request, ticket_id, Shown(422, "too_long"))
        who, now = self._who(request), self._service.clock.now()
        kept = await self._service.store.awrite(lambda c: drafts.save(c, ticket_id, who, text, now))
        if not kept:
            raise PageError(404, "gone")
        if request.state.form.get("by") == "browser":
            return Response(status_code=204, headers=HEADERS)
        return go(f"/desk/tickets/{ticket_id}?kept=1#answering")

    async def ask(self, request: Request, ticket_id: int) -> Response:
        """Ask the newcomer something back."""
        form = request.state.form
        text = clean(form.get("question", "")).strip()
        error = "no_question" if not text else "question_too_long" if len(text) > MAX_ANSWER else ""
        if error:
            return await self._page(request, ticket_id, Shown(422, error))
        if form.get("send") == "preview":
            written = form.get("written", "")
            written = written if written in LANGUAGES else page_language(request)
            return await self._preview(request, ticket_id, text, written, "ask")
        translation = read_translation(form, form["language"]) if form.get("language") else None
        deed, content = self._deed(request, ticket_id), self._service.content
        return await self._carry_out(
            request, ticket_id, lambda c: asking_back.ask_back(c, deed, text, content, translation)
        )

    async def close(self, request: Request, ticket_id: int) -> Response:
        form = request.state.form
        reason, note = form.get("why", ""), clean(form.get("reason", "")).strip()
        error = "no_why" if reason not in closing.REASONS else ""
        error = error or ("no_reason" if reason in closing.NEEDS_WORDS and not note else "")
        error = error or ("reason_too_long" if len(note) > MAX_ANSWER else "")
        if error:
            return await self._page(request, ticket_id, Shown(422, error))
        deed, teller = self._deed(request, ticket_id), self._teller()
        return await self._carry_out(request, ticket_id, lambda c: closing.close(c, deed, reason, note, teller))

    async def hand_over(self, request: Request, ticket_id: int) -> Response:
        """To a colleague, or to the back-up desk, with a note."""
        form = request.state.form
        to, note = form.get("to", ""), clean(form.get("note", "")).strip()
        actor_id = as_number(to)
        error = "" if to == "desk" or actor_id is not None else "no_colleague"
        error = error or ("note_too_long" if len(note) > MAX_ANSWER else "")
        if error:
            return await self._page(request, ticket_id, Shown(422, error))
        deed, teller = self._deed(request, ticket_id), self._teller()
        work = partial(handover.hand_over, deed=deed, actor_id=actor_id, note=note, teller=teller)
        return await self._carry_out(request, ticket_id, work)

    async def claim(self, request: Request, ticket_id: int) -> Response:
        """Take a ticket from a colleague who is at it."""
        deed = self._deed(request, ticket_id)

        def work(connection: Connection) -> bool:
            taken = claims.take(connection, ticket_id, deed.who, deed.now, over=True)
            if taken is not None:
                deed.record(connection, "ticket.take_over")
            return taken is not None or bool(tickets.some(connection, [ticket_id], deed.who))

        if not await self._service.store.awrite(work):
            raise PageError(404, "gone")
        return go(f"/desk/tickets/{ticket_id}")

    async def leave(self, request: Request, ticket_id: int) -> Response:
        """Leave a ticket to others."""
        who = self._who(request)
        await self._service.store.awrite(lambda c: claims.put_back(c, ticket_id, who))
        return go("/desk")

    async def take_back(self, request: Request, ticket_id: int) -> Response:
        """What was prepared shall not go out; its words become a draft."""
        deed = self._deed(request, ticket_id)
        result = await self._service.store.awrite(lambda c: prepared.take_back(c, deed))
        if result.outcome is Outcome.GONE:
            raise PageError(404, "gone")
        return go(f"/desk/tickets/{ticket_id}")

    async def send_again(self, request: Request, ticket_id: int) -> Response:
        """What could not be sent, or may not have arrived, goes once more."""
        deed = self._deed(request, ticket_id)
        return await self._carry_out(request, ticket_id, lambda c: resending.send_again(c, deed))

    def _who(self, request: Request) -> Principal:
        who: Principal = request.state.session.principal
        return who

    def _deed(self, request: Request, ticket_id: int) -> Deed:
        return Deed(ticket_id, self._who(request), self._service.clock.now())

    def _teller(self) -> Teller:
        return Teller(self._service.content, self._service.settings.hours, self._service.clock.now())

    async def _carry_out(self, request: Request, ticket_id: int, work: Work[Result]) -> Response:
        now = self._service.clock.now()

        def whole(connection: Connection) -> Result:
            result = work(connection)
            if result.accepted and request.state.form.get("bad_news"):
                settling.note_bad_news(connection, ticket_id, now)
            return result

        result = await self._service.store.awrite(whole)
        if result.accepted:
            return go(f"/desk?done={ticket_id}")
        status = 422 if result.outcome in _MENDABLE else 409
        return await self._page(request, ticket_id, Shown(status, result.outcome.value, result))

    async def _preview(self, request: Request, ticket_id: int, text: str, written: str, purpose: str) -> Response:
        """Show what a machine makes of the words, before anybody gets it. The words are kept whatever happens."""
        who, now, translator = self._who(request), self._service.clock.now(), self._service.translator
        if purpose == "answer":
            await self._service.store.awrite(lambda c: drafts.save(c, ticket_id, who, text, now))
        found = await self._service.store.aread(lambda c: tickets.some(c, [ticket_id], who))
        if not found:
            raise PageError(404, "gone")
        target = found[0].answer_language
        if translator is None or target == written:
            return await self._page(request, ticket_id, Shown(422, "same_language", purpose=purpose))
        try:
            translated = await translator.translate(text, written, target)
        except TranslationError:
            return await self._page(request, ticket_id, Shown(502, "translator", purpose=purpose))
        return await self._page(request, ticket_id, Shown(preview=Translation(translated, target), purpose=purpose))

    async def _page(self, request: Request, ticket_id: int, shown: Shown) -> Response:
        """A ticket. After an error with what was typed, and the error's words beside the field."""
        view = await self._service.store.awrite(self._look(request, ticket_id))
        if view is None:
            raise PageError(404, "gone")
        now, ticket = self._service.clock.now(), view.page.summary
        waits = ticket.state in WAITING
        return self._pages.render(
            request,
            "desk/ticket.html",
            status=shown.status,
            error=shown.error,
            result=shown.result,
            preview=shown.preview,
            purpose=shown.purpose,
            form=request.state.form,
            view=view,
            page=view.page,
            ticket=ticket,
            waits=waits,
            conversation=view.conversation,
            can_explain=desk_why.can_explain(self._service),
            why=await desk_why.why(self._service, view.page) if request.query_params.get("why") == "1" else None,
            now=now,
            limit=MAX_ANSWER,
            kept=request.query_params.get("kept") == "1",
            reasons=list(closing.REASONS),
            has_translator=self._service.translator is not None,
            translated=await self._translated(view.page, page_language(request)) if waits else {},
            written=request.state.form.get("written", page_language(request)),
            tongues=LANGUAGES,
            **desk_curated.choices(self._service.content, page_language(request), ticket.likely, now),
        )

    def _look(self, request: Request, ticket_id: int) -> Callable[[Connection], View | None]:
        """Read a ticket; a look is written down, and whoever looks at one that waits is at it if nobody is."""
        deed, wants = self._deed(request, ticket_id), request.query_params.get("conversation") == "1"

        def look(connection: Connection) -> View | None:
            page = tickets.ticket(connection, ticket_id, deed.who)
            if page is None:
                return None
            deed.record(connection, "ticket.view", "conversation=1" if wants else "")
            claim = claims.take(connection, ticket_id, deed.who, deed.now)
            others = claims.by_others(connection, [ticket_id], deed.who, deed.now)
            summary = page.summary
            return View(
                page=page,
                conversation=tickets.conversation_before(connection, ticket_id) if wants else None,
                claim=others.get(ticket_id) if claim is not None else None,
                draft=drafts.of(connection, ticket_id, deed.who),
                prepared=prepared.of(connection, [ticket_id], deed.now).get(ticket_id),
                due_at=prepared.due_at(connection, summary.actor_id, summary.promise_at, deed.now),
                colleagues=[c for c in routing.colleagues(connection) if c.id != summary.actor_id],
            )

        return look

    async def _translated(self, page: TicketPage, language: str) -> dict[int, str]:
        """What the newcomer wrote, for somebody who doesn't read it; nothing without a translator or its answer."""
        translator, asked = self._service.translator, page.summary.language
        if translator is None or asked == language:
            return {}
        entries = [entry for entry in page.entries if entry.kind == "question"][-TRANSLATED:]
        source = asked if asked != "und" else "auto"
        calls = (translator.translate(entry.text, source, language) for entry in entries)
        try:
            done = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), TRANSLATION_SECONDS)
        except TimeoutError:
            done = []
        pairs = zip(entries, done, strict=False)
        return {entry.id: text for entry, text in pairs if isinstance(text, str)}
