"""What people ask that no answer helps with, and the form that makes an answer of it. For editors and coordinators."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from bot import audit
from bot.audit import Action
from bot.content import proposal as content_proposal
from bot.content.schema import Owner
from bot.desk import gaps, proposals
from bot.desk.gaps import Gap
from bot.desk.grouping import Grouper
from bot.desk.proposals import Saved
from bot.errors import Fault
from bot.locales import AMSTERDAM, LANGUAGES
from bot.roles import Principal, Role
from bot.service import Service
from webhooks.auth import Guard
from webhooks.limits import as_number
from webhooks.pages import HEADERS, PageError, Pages, page_language

ROLES = (Role.EDITOR, Role.COORDINATOR)
EXAMPLES = 20  # a language, to start the form with
MAX_FIELD = 6000  # characters


def router(service: Service) -> APIRouter:
    """The routes below `/desk/gaps`."""
    guard = Guard(service)
    pages = Pages(guard)
    desk = GapsDesk(service, pages)
    routes = APIRouter(
        tags=["gaps"],
        route_class=pages.route_class(),
        dependencies=[Depends(guard.allow(*ROLES))],
        include_in_schema=False,
    )
    one = "/desk/gaps/proposals/{proposal_id:int}"
    routes.add_api_route("/desk/gaps", desk.index, methods=["GET"])
    routes.add_api_route("/desk/gaps/new", desk.new, methods=["GET"])
    routes.add_api_route("/desk/gaps/new", desk.save_new, methods=["POST"])
    routes.add_api_route(one, desk.show, methods=["GET"])
    routes.add_api_route(f"{one}/save", desk.save, methods=["POST"])
    routes.add_api_route(f"{one}/patch", desk.patch, methods=["GET"])
    routes.add_api_route(f"{one}/yaml", desk.yaml, methods=["GET"])
    return routes


class GapsDesk:
    """The pages. What is compared and who is hidden stands in `bot/desk/gaps.py`."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages = service, pages
        self._grouper = Grouper(service.conversation.understander.encode)

    async def index(self, request: Request) -> Response:
        now = self._service.clock.now()
        questions = await self._service.store.aread(lambda c: gaps.read(c, now))
        found = await asyncio.to_thread(gaps.find, questions, self._grouper)
        saved = await self._service.store.aread(proposals.saved)
        await self._record(request, "gaps.list")
        return self._pages.render(
            request,
            "gaps/list.html",
            found=found,
            saved=saved,
            safe=gaps.SAFE_PEOPLE,
            days=gaps.LOOK_BACK.days,
            titles=self._titles(request),
        )

    async def new(self, request: Request) -> Response:
        gap = await self._gap(request.query_params.get("ticket", ""))
        form = dict.fromkeys(proposals.fields(), "")
        for language in LANGUAGES:
            form[f"{language}_examples"] = "\n".join(gap.examples.get(language, ()))
        near = next((topic for topic in gap.near if topic in self._service.content.topics), None)
        if near is not None:
            form |= {"group": self._service.content.topics[near].group}
        return self._form(request, form, gap=gap)

    async def save_new(self, request: Request) -> Response:
        """A proposal is kept also while the content check still finds faults; only a sound one can be exported."""
        form = self._filled(request)
        gap = await self._gap(request.state.form.get("ticket", ""))
        found = await self._faults(form)
        topic = form["topic"].strip()
        if not content_proposal.is_id(topic) or topic in self._service.content.topics:
            return self._form(request, form, gap=gap, faults=found, status=422)
        return await self._keep(request, form, gap.tickets)

    async def show(self, request: Request, proposal_id: int) -> Response:
        saved = await self._saved(proposal_id)
        return self._form(request, saved.form, saved=saved, faults=await self._faults(saved.form))

    async def save(self, request: Request, proposal_id: int) -> Response:
        saved = await self._saved(proposal_id)
        form = self._filled(request) | {"topic": saved.topic}
        return await self._keep(request, form, ())

    async def _keep(self, request: Request, form: dict[str, str], tickets: tuple[int, ...]) -> Response:
        who, now = self._who(request), self._service.clock.now()
        kept = await self._service.store.awrite(lambda c: proposals.save(c, form, tickets, who.name, now))
        if kept is None:
            raise PageError(409, "gone")
        await self._record(request, "proposal.save", f"proposal={kept}")
        return RedirectResponse(f"/desk/gaps/proposals/{kept}", status_code=303, headers=HEADERS)

    async def patch(self, request: Request, proposal_id: int) -> Response:
        saved = await self._sound(proposal_id)
        made = proposals.from_form(saved.form)
        content, root = self._service.content, self._service.settings.content_dir
        text = await asyncio.to_thread(content_proposal.patch, root, made, content, self._today())
        await self._record(request, "proposal.export", f"proposal={saved.id}")
        return self._download(text, f"{saved.topic}.patch", "text/x-diff")

    async def yaml(self, request: Request, proposal_id: int) -> Response:
        saved = await self._sound(proposal_id)
        entries = content_proposal.entries(proposals.from_form(saved.form), self._service.content, self._today())
        await self._record(request, "proposal.export", f"proposal={saved.id}")
        return self._download(content_proposal.as_yaml(entries), f"{saved.topic}.yaml", "application/yaml")

    def _download(self, text: str, name: str, kind: str) -> Response:
        headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)

    async def _sound(self, proposal_id: int) -> Saved:
        """A proposal that passes the content check; PageError for another."""
        saved = await self._saved(proposal_id)
        if await self._faults(saved.form):
            raise PageError(409, "gone")
        return saved

    async def _saved(self, proposal_id: int) -> Saved:
        found = await self._service.store.aread(lambda c: proposals.saved(c, proposal_id))
        if not found:
            raise PageError(404, "gone")
        return found[0]

    async def _gap(self, ticket: str) -> Gap:
        seed = as_number(ticket) or 0
        now = self._service.clock.now()
        questions = await self._service.store.aread(lambda c: gaps.read(c, now))
        gap = await asyncio.to_thread(gaps.with_seed, questions, self._grouper, seed, examples=EXAMPLES)
        if gap is None:
            raise PageError(404, "gone")
        return gap

    async def _faults(self, form: dict[str, str]) -> list[Fault]:
        made = proposals.from_form(form)
        root = self._service.settings.content_dir
        return await asyncio.to_thread(content_proposal.faults, root, made, self._service.content, self._today())

    def _form(
        self,
        request: Request,
        form: dict[str, str],
        *,
        status: int = 200,
        **facts: Any,
    ) -> Response:
        content = self._service.content
        names = content.replies[page_language(request)]
        return self._pages.render(
            request,
            "gaps/proposal.html",
            status=status,
            form=form,
            groups=[(group, names.get(f"group.{group}", group)) for group in content.groups],
            owners=[(owner.value, owner.value) for owner in Owner],
            tongues=LANGUAGES,
            **({"gap": None, "saved": None, "faults": []} | facts),
        )

    def _filled(self, request: Request) -> dict[str, str]:
        return {name: request.state.form.get(name, "")[:MAX_FIELD] for name in proposals.fields()}

    def _titles(self, request: Request) -> dict[str, str]:
        answers = self._service.content.answers[page_language(request)]
        return {topic: answer.title for topic, answer in answers.items()}

    def _today(self) -> Any:
        return self._service.clock.now().astimezone(AMSTERDAM).date()

    def _who(self, request: Request) -> Principal:
        who: Principal = request.state.session.principal
        return who

    async def _record(self, request: Request, action: Action, detail: str = "") -> None:
        who, now = self._who(request), self._service.clock.machine_now()
        await self._service.store.awrite(lambda c: audit.record(c, who, action, now, detail=detail))
