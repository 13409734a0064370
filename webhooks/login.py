"""The login: a password, then a code; logging out. Public, so every try is counted and every answer is alike."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.engine import Connection

from bot import audit
from bot.accounts import accounts, passwords, second_factor, sessions, tries
from bot.accounts.accounts import Account, Secrets
from bot.accounts.sessions import Step
from bot.accounts.tries import Keys, Try
from bot.audit import Action
from bot.roles import Principal
from bot.service import Service
from webhooks.auth import ForgedFormError, Guard, Session, check_token, place_after_login, read_form
from webhooks.pages import HEADERS, STEPS, Pages, home

AT_ONCE = 2  # hashes of 19 MiB and 50 ms each, so that a flood of tries takes neither memory nor all cores
UNKNOWN = Principal("", frozenset())  # whoever it was


def router(service: Service) -> APIRouter:
    """The routes of `/desk/login` and `/desk/logout`."""
    guard = Guard(service)
    pages = Pages(guard)
    login = Login(service, pages)
    routes = APIRouter(tags=["desk"], route_class=pages.route_class(), include_in_schema=False)
    on_the_way, any_step = [Depends(guard.on_the_way(Step.CODE))], [Depends(guard.on_the_way(*Step))]
    routes.add_api_route("/desk/login", login.show, methods=["GET"])
    routes.add_api_route("/desk/login", login.enter, methods=["POST"])
    routes.add_api_route("/desk/login/code", login.show_code, methods=["GET"], dependencies=on_the_way)
    routes.add_api_route("/desk/login/code", login.check_code, methods=["POST"], dependencies=on_the_way)
    routes.add_api_route("/desk/logout", login.leave, methods=["POST"], dependencies=any_step)
    return routes


def go(place: str) -> Response:
    """To another page, with GET."""
    return RedirectResponse(place, status_code=303, headers=HEADERS)


class Login:
    """The pages on the way in."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages, self._guard = service, pages, pages.guard
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def show(self, request: Request) -> Response:
        wanted = request.query_params.get("next", "")
        session = await self._guard.session(request)
        if session is not None:
            return go(STEPS.get(session.login.step) or place_after_login(wanted, home(session.principal)))
        return await self._pages.login(request, next=wanted)

    async def enter(self, request: Request) -> Response:
        """Name and password. Whether the name, the password or both are wrong isn't told."""
        form = await read_form(request)
        login, wanted = form.get("login", ""), form.get("next", "")
        again = partial(self._pages.login, request, login=login, next=wanted)
        try:
            check_token(self._guard.token(self._guard.value(request)), form)
        except ForgedFormError:
            return await again(status=403, error="forged")
        account, kept = await self._service.store.aread(lambda connection: _find(connection, login))
        keys = self._guard.keys(request, accounts.normal_login(login), account.id if account else None)
        made = await self._take(keys)
        if made.seconds_shut:
            return _shut(await again(status=429, error="too_often", minutes=_minutes(made)), made)
        async with self._turns:
            right = await asyncio.to_thread(passwords.is_right, kept, form.get("password", ""))
        value = sessions.new_value()
        if not right or account is None or not await self._begin(request, account, kept, value, keys=keys, made=made):
            await self._failed("login.failed", account)
            return await again(status=401, error="wrong")
        return self._inside(account, value, wanted)

    async def _begin(  # what one login is
        self, request: Request, account: Account, kept: str | None, value: str, *, keys: Keys, made: Try
    ) -> bool:
        """A session behind a new value; False when the account changed meanwhile, or may not log in here."""
        now, guard = self._service.clock.machine_now(), self._guard
        before = sessions.hash_of(guard.value(request))

        def begin(connection: Connection) -> bool:
            known, secrets = accounts.by_id(connection, account.id), accounts.secrets_of(connection, account.id)
            if known is None or secrets is None or secrets.password_hash != kept:
                return False
            if not sessions.may_log_in(known, guard.rules):
                return False
            tries.take_back(connection, made)
            sessions.end_value(connection, before)
            sessions.start(connection, known, value, now, needs_code=known.has_totp)
            if not known.has_totp:
                tries.forget(connection, keys.account)
            return True

        return await self._service.store.awrite(begin)

    def _inside(self, account: Account, value: str, wanted: str) -> Response:
        """The answer to a password or a code that was right: the next step, or the page that was asked for."""
        if account.has_totp:
            response = go(f"{STEPS[Step.CODE]}?{urlencode({'next': wanted})}" if wanted else STEPS[Step.CODE])
        else:
            response = go(place_after_login(wanted, home(account.principal)))
            self._guard.know(response, account.id)
        self._guard.remember(response, value)
        return response

    async def show_code(self, request: Request) -> Response:
        return self._code_page(request)

    def _code_page(self, request: Request, *, status: int = 200, **values: Any) -> Response:
        wanted = request.state.form.get("next") or request.query_params.get("next", "")
        values = {"error": "", "minutes": 0, "next": wanted} | values
        return self._pages.render(request, "accounts/code.html", status=status, **values)

    async def check_code(self, request: Request) -> Response:
        """A code of the app, or one of the recovery codes."""
        form, session = request.state.form, request.state.session
        account: Account = session.login.account
        keys = self._guard.keys(request, account.login, account.id)
        made = await self._take(keys)
        if made.seconds_shut:
            return _shut(self._code_page(request, status=429, error="too_often", minutes=_minutes(made)), made)
        value = sessions.new_value()
        if not await self._finish(session, form.get("code", ""), value, keys, made):
            await self._failed("login.code_failed", account)
            return self._code_page(request, status=401, error="wrong")
        response = go(place_after_login(form.get("next", ""), home(account.principal)))
        self._guard.remember(response, value)
        self._guard.know(response, account.id)
        return response

    async def _finish(self, session: Session, code: str, value: str, keys: Keys, made: Try) -> bool:
        """Use the code up and begin the session anew; False for a wrong code."""
        account, now = session.login.account, self._service.clock.machine_now()

        def finish(connection: Connection) -> bool:
            if not take_code(connection, self._service, account.id, code):
                return False
            tries.take_back(connection, made)
            tries.forget(connection, keys.account)
            sessions.end(connection, session.login.session_id)
            sessions.start(connection, account, value, now)
            return True

        return await self._service.store.awrite(finish)

    async def _take(self, keys: Keys) -> Try:
        now = self._service.clock.machine_now()
        return await self._service.store.awrite(lambda connection: tries.take(connection, keys, now))

    async def _failed(self, action: Action, account: Account | None) -> None:
        now, detail = self._service.clock.machine_now(), f"account={account.id}" if account else ""
        await self._service.store.awrite(
            lambda connection: audit.record(connection, UNKNOWN, action, now, detail=detail)
        )

    async def leave(self, request: Request) -> Response:
        session: Session = request.state.session
        now = self._service.clock.machine_now()

        def leave(connection: Connection) -> None:
            sessions.end(connection, session.login.session_id)
            audit.record(connection, session.principal, "logout", now)

        await self._service.store.awrite(leave)
        # Not straight to the municipality's: browsers stop a form that ends on another host.
        response = go("/desk/login?out=1" if session.login.account.is_external else "/desk/login")
        self._guard.forget(response)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'  # what a colleague at the same computer could find
        return response


def take_code(connection: Connection, service: Service, account_id: int, code: str) -> bool:
    """Use up a code of the app, or a recovery code; False when it is neither, or was used before."""
    secrets = accounts.secrets_of(connection, account_id)
    if secrets is None or secrets.totp_sealed is None:
        return False
    now, vault = service.clock.machine_now(), service.vault
    step = second_factor.step_of(vault.open_text(secrets.totp_sealed), code, now, secrets.totp_used)
    if step is not None:
        return accounts.take_totp_step(connection, account_id, step)
    hashed = vault.lookup("recovery", second_factor.normal_recovery(code))
    return accounts.take_recovery_code(connection, account_id, hashed)


def _find(connection: Connection, login: str) -> tuple[Account | None, str | None]:
    account = accounts.by_login(connection, login)
    secrets: Secrets | None = accounts.secrets_of(connection, account.id) if account else None
    return account, secrets.password_hash if secrets else None


def _minutes(made: Try) -> int:
    return -(-made.seconds_shut // 60)


def _shut(response: Response, made: Try) -> Response:
    response.headers["Retry-After"] = str(made.seconds_shut)
    return response
