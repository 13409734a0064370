"""Accounts and the audit log, for admins; the log for coordinators too. What an account is stands in `bot/accounts`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.engine import Connection

from bot import audit
from bot.accounts import accounts, passwords, tries
from bot.accounts.accounts import Account, Wanted
from bot.errors import AccountError
from bot.locales import clean
from bot.roles import Role
from bot.service import Service
from webhooks.auth import Guard
from webhooks.csv_file import csv_file
from webhooks.limits import as_number
from webhooks.login import go
from webhooks.pages import PageError, Pages, static

LINES = 50  # of the audit log on one page
EXPORTED = 50_000  # lines of the audit log in a file, the newest ones
COLUMNS = ("id", "at", "account_id", "who", "action", "ticket_id", "contact_id", "party_id", "detail")


def router(service: Service) -> APIRouter:
    """The routes of `/desk/accounts` and `/desk/audit`."""
    guard = Guard(service)
    pages = Pages(guard)
    admin, log = Admin(service, pages), Log(service, pages)
    routes = APIRouter(tags=["desk"], route_class=pages.route_class(), include_in_schema=False)
    admins, readers = [Depends(guard.allow(Role.ADMIN))], [Depends(guard.allow(Role.ADMIN, Role.COORDINATOR))]
    one = "/desk/accounts/{account_id:int}"
    routes.add_api_route("/desk/accounts", admin.index, methods=["GET"], dependencies=admins)
    routes.add_api_route("/desk/accounts", admin.add, methods=["POST"], dependencies=admins)
    routes.add_api_route(one, admin.show, methods=["GET"], dependencies=admins)
    routes.add_api_route(one, admin.change, methods=["POST"], dependencies=admins)
    routes.add_api_route(f"{one}/password", admin.reset_password, methods=["POST"], dependencies=admins)
    routes.add_api_route(f"{one}/second-factor", admin.reset_totp, methods=["POST"], dependencies=admins)
    routes.add_api_route(f"{one}/switch", admin.switch, methods=["POST"], dependencies=admins)
    routes.add_api_route("/desk/audit", log.show, methods=["GET"], dependencies=readers)
    routes.add_api_route("/desk/audit.csv", log.export, methods=["GET"], dependencies=readers)
    return routes


class Admin:
    """Who has an account, and what it may do."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages = service, pages

    async def index(self, request: Request) -> Response:
        return await self._list(request)

    async def _list(self, request: Request, *, status: int = 200, error: str = "") -> Response:
        people, actors = await self._service.store.aread(lambda c: (accounts.everybody(c), accounts.actor_codes(c)))
        return self._pages.render(
            request,
            "accounts/list.html",
            status=status,
            error=error,
            people=people,
            actors=actors,
            form=request.state.form,
            roles=list(Role),
            second_factor=self._pages.guard.rules.second_factor,
        )

    async def add(self, request: Request) -> Response:
        """A new account with a password for one login, which is shown this once."""
        form, who, now = request.state.form, request.state.session.principal, self._service.clock.machine_now()
        password = passwords.one_time()
        hashed = await asyncio.to_thread(passwords.hash_of, password)

        def add(connection: Connection) -> int:
            login = clean(form.get("login", ""))
            return accounts.add(connection, who, login, _wanted(connection, form), now, password_hash=hashed)

        try:
            account_id = await self._service.store.awrite(add)
        except AccountError as error:
            return await self._list(request, status=422, error=error.fault)
        return await self._handed_out(request, account_id, password)

    async def _handed_out(self, request: Request, account_id: int, password: str) -> Response:
        account = await self._account(account_id)
        return self._pages.render(request, "accounts/one_time.html", account=account, password=password)

    async def _account(self, account_id: int) -> Account:
        account = await self._service.store.aread(lambda connection: accounts.by_id(connection, account_id))
        if account is None:
            raise PageError(404, "no_account")
        return account

    async def show(self, request: Request, account_id: int) -> Response:
        return await self._page(request, account_id)

    async def _page(self, request: Request, account_id: int, *, status: int = 200, error: str = "") -> Response:
        account, actors = await self._account(account_id), await self._service.store.aread(accounts.actor_codes)
        return self._pages.render(
            request,
            "accounts/account.html",
            status=status,
            error=error,
            account=account,
            actors=actors,
            form=request.state.form,
            roles=list(Role),
            done=request.query_params.get("done", ""),
        )

    async def change(self, request: Request, account_id: int) -> Response:
        form, who, now = request.state.form, request.state.session.principal, self._service.clock.machine_now()
        return await self._carry_out(
            request,
            account_id,
            lambda connection: accounts.change(connection, who, account_id, _wanted(connection, form), now),
        )

    async def switch(self, request: Request, account_id: int) -> Response:
        who, now = request.state.session.principal, self._service.clock.machine_now()
        is_on = request.state.form.get("on") == "1"
        return await self._carry_out(
            request, account_id, lambda connection: accounts.switch(connection, who, account_id, now, on=is_on)
        )

    async def reset_totp(self, request: Request, account_id: int) -> Response:
        who, now = request.state.session.principal, self._service.clock.machine_now()
        return await self._carry_out(
            request, account_id, lambda connection: accounts.reset_totp(connection, who, account_id, now)
        )

    async def reset_password(self, request: Request, account_id: int) -> Response:
        """Another password for one login; wrong tries are forgotten with it."""
        who, now, account = (
            request.state.session.principal,
            self._service.clock.machine_now(),
            await self._account(account_id),
        )
        password, key = passwords.one_time(), self._service.vault.lookup("login-account", account.login)
        hashed = await asyncio.to_thread(passwords.hash_of, password)

        def reset(connection: Connection) -> None:
            accounts.set_password(connection, who, account_id, hashed, now, must_change=True)
            tries.forget(connection, key)

        try:
            await self._service.store.awrite(reset)
        except AccountError as error:
            return await self._page(request, account_id, status=422, error=error.fault)
        return await self._handed_out(request, account_id, password)

    async def _carry_out(self, request: Request, account_id: int, work: Callable[[Connection], None]) -> Response:
        await self._account(account_id)
        try:
            await self._service.store.awrite(work)
        except AccountError as error:
            return await self._page(request, account_id, status=422, error=error.fault)
        return go(f"/desk/accounts/{account_id}?done=1")


def _wanted(connection: Connection, form: dict[str, str]) -> Wanted:
    """What a form asks an account to be. Raises AccountError for a klantregisseur that doesn't exist."""
    roles = accounts.roles_of(name.removeprefix("role.") for name in form if name.startswith("role."))
    return Wanted(form.get("name", ""), roles, accounts.actor_by_code(connection, form.get("actor", "")))


class Log:
    """The audit log: numbers, never words."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages = service, pages
        self._style = static("accounts.css")

    async def show(self, request: Request) -> Response:
        asked, wanted = dict(request.query_params), _sought(request)

        def read(connection: Connection) -> dict[str, Any]:
            return {
                "lines": audit.lines(connection, wanted, LINES + 1),
                "actions": audit.actions(connection),
                "people": accounts.everybody(connection),
            }

        facts = await self._service.store.aread(read)
        found, more = facts["lines"][:LINES], len(facts["lines"]) > LINES
        kept = {name: asked[name] for name in ("account", "action", "day", "contact", "ticket") if asked.get(name)}
        facts |= {"lines": found, "wanted": wanted, "kept": kept, "next": found[-1].id if more else None}
        return self._pages.render(request, "accounts/audit.html", style=self._style, **facts)

    async def export(self, request: Request) -> Response:
        """The lines that were sought, with their codes, as a file; that somebody saved them is a line itself."""
        wanted, who, now = _sought(request), request.state.session.principal, self._service.clock.machine_now()

        def read(connection: Connection) -> list[Any]:
            found = audit.lines(connection, wanted, EXPORTED)
            audit.record(connection, who, "audit.export", now, detail=f"lines={len(found)}")
            return found

        found = await self._service.store.awrite(read)
        return csv_file("audit.csv", COLUMNS, ([getattr(line, name) for name in COLUMNS] for line in found))


def _sought(request: Request) -> audit.Wanted:
    """Which lines the address asks for; what makes no sense there seeks nothing."""
    asked = request.query_params
    return audit.Wanted(
        account_id=as_number(asked.get("account")),
        action=asked.get("action") or None,
        day=_day(asked.get("day")),
        contact_id=as_number(asked.get("contact")),
        ticket_id=as_number(asked.get("ticket")),
        before=as_number(asked.get("before")),
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
