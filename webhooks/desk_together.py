"""One answer to several tickets whose questions mean the same. Each is settled by itself: one that fails stops none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.engine import Connection

from bot.desk import answering, claims, prepared, tickets
from bot.desk.answering import Translation
from bot.desk.batch import Line
from bot.desk.settling import WAITING, Deed, Outcome, Result
from bot.errors import TranslationError
from bot.locales import LANGUAGES
from bot.roles import ANSWERING
from bot.service import Service
from webhooks import desk_curated
from webhooks.auth import Guard
from webhooks.desk_forms import MAX_ANSWER, Answer, read_answer, read_ids, read_translation
from webhooks.desk_ticket import go
from webhooks.pages import PageError, Pages, page_language

MOST = 40  # tickets that one answer goes to


def add_routes(routes: APIRouter, service: Service, guard: Guard, pages: Pages) -> None:
    """The routes of `/desk/together`."""
    together, allowed = Together(service, pages), [Depends(guard.allow(*ANSWERING))]
    routes.add_api_route("/desk/together", together.show, methods=["GET"], dependencies=allowed)
    routes.add_api_route("/desk/together", together.answer, methods=["POST"], dependencies=allowed)


@dataclass(frozen=True)
class Shown:
    """What the page says besides the tickets."""

    status: int = 200
    error: str = ""
    previews: tuple[Translation, ...] = ()
    failed: tuple[tuple[int, Result], ...] = ()
    answered: int = 0


class Together:
    """The page on which several tickets get one answer."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages = service, pages

    async def show(self, request: Request) -> Response:
        ids = read_ids(request.query_params.getlist("t"), MOST)
        if not ids:  # nothing was ticked
            return go("/desk")
        return await self._page(request, ids, set(ids), Shown())

    async def answer(self, request: Request) -> Response:
        """The same answer to every ticket that is still ticked."""
        form = request.state.form
        ids = read_ids(form.get("all", "").split(","), MOST)
        chosen = [number for number in ids if form.get(f"t_{number}") == "1"]
        answer = read_answer(form, page_language(request))
        error = answer.error or ("" if chosen else "no_members")
        if error:
            return await self._page(request, ids, set(chosen), Shown(422, error))
        if answer.send == "preview":
            return await self._preview(request, ids, chosen, answer)
        results = [(number, await self._one(request, number, answer)) for number in chosen]
        failed = tuple((number, result) for number, result in results if not result.accepted)
        done = [number for number, result in results if result.accepted]
        if not failed:
            return go(f"/desk?done={','.join(map(str, done))}")
        left = [number for number in ids if number not in done]
        shown = Shown(409, "some_failed", failed=failed, answered=len(done))
        return await self._page(request, left, {number for number, _ in failed}, shown)

    async def _one(self, request: Request, ticket_id: int, answer: Answer) -> Result:
        """A ticket of its own, in a transaction of its own: contacts are never locked side by side."""
        content = self._service.content
        deed = Deed(ticket_id, request.state.session.principal, self._service.clock.now())

        def work(connection: Connection) -> Result:
            translation = self._translation_for(connection, deed, request.state.form)
            if answer.is_prepared:
                words: dict[str, Any] = {"topic": answer.topic} if answer.is_topic else {"text": answer.text}
                made = None if answer.is_topic else translation
                return prepared.prepare(connection, deed, content, translation=made, **words)
            facts: dict[str, Any] = {"ticket_id": ticket_id, "who": deed.who, "now": deed.now, "content": content}
            if answer.is_topic:
                return answering.answer_with_topic(connection, topic=answer.topic, **facts)
            return answering.answer(connection, text=answer.text, translation=translation, **facts)

        return await self._service.store.awrite(work)

    @staticmethod
    def _translation_for(connection: Connection, deed: Deed, form: dict[str, str]) -> Translation | None:
        """The translation that was shown for the language of this newcomer, where one was shown."""
        found = tickets.some(connection, [deed.ticket_id], deed.who)
        return read_translation(form, found[0].answer_language) if found else None

    async def _preview(self, request: Request, ids: list[int], chosen: list[int], answer: Answer) -> Response:
        """What a machine makes of the words, once for each language of the chosen."""
        translator, who = self._service.translator, request.state.session.principal
        found = await self._service.store.aread(lambda c: tickets.some(c, chosen, who))
        wanted = sorted({ticket.answer_language for ticket in found} - {answer.written})
        if translator is None or not wanted:
            return await self._page(request, ids, set(chosen), Shown(422, "same_language"))
        try:
            made = [Translation(await translator.translate(answer.text, answer.written, to), to) for to in wanted]
        except TranslationError:
            return await self._page(request, ids, set(chosen), Shown(502, "translator"))
        return await self._page(request, ids, set(chosen), Shown(previews=tuple(made)))

    async def _page(self, request: Request, ids: list[int], chosen: set[int], shown: Shown) -> Response:
        who, now = request.state.session.principal, self._service.clock.now()

        def look(connection: Connection) -> list[Line]:
            found = [ticket for ticket in tickets.some(connection, ids, who) if ticket.state in WAITING]
            for ticket in found:
                Deed(ticket.id, who, now).record(connection, "ticket.view")
                claims.take(connection, ticket.id, who, now)
            others = claims.by_others(connection, [ticket.id for ticket in found], who, now)
            made = prepared.of(connection, [ticket.id for ticket in found], now)
            return [Line(ticket, others.get(ticket.id), made.get(ticket.id)) for ticket in found]

        lines = await self._service.store.awrite(look)
        if not lines and not shown.failed:
            raise PageError(404, "gone")
        language = page_language(request)
        return self._pages.render(
            request,
            "desk/together.html",
            status=shown.status,
            shown=replace(shown, failed=tuple((n, r) for n, r in shown.failed if r.outcome is not Outcome.REPEATED)),
            error=shown.error,
            lines=lines,
            chosen={line.ticket.id for line in lines if line.ticket.id in chosen and line.claim is None},
            form=request.state.form,
            now=now,
            limit=MAX_ANSWER,
            tongues=LANGUAGES,
            written=request.state.form.get("written", language),
            has_translator=self._service.translator is not None,
            **desk_curated.choices(self._service.content, language, _candidates(lines), now),
        )


def _candidates(lines: list[Line]) -> list[tuple[str, float]]:
    """The topics that were thought of for any of these, the surest first."""
    best: dict[str, float] = {}
    for line in lines:
        for topic, sure in line.ticket.likely:
            best[topic] = max(best.get(topic, 0.0), sure)
    return sorted(best.items(), key=lambda found: -found[1])
