"""The own account: password, second step, where one is logged in. For everybody who is logged in, or on the way."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.engine import Connection

from bot import audit
from bot.accounts import accounts, passwords, second_factor, sessions, tries
from bot.accounts.accounts import Account
from bot.accounts.sessions import Step
from bot.errors import AccountError
from bot.service import Service
from webhooks.auth import Guard, Session
from webhooks.login import go, take_code
from webhooks.pages import PageError, Pages, home


def router(service: Service) -> APIRouter:
    """The routes of `/desk/me`."""
    guard = Guard(service)
    pages = Pages(guard)
    me = Me(service, pages)
    routes = APIRouter(tags=["desk"], route_class=pages.route_class(), include_in_schema=False)
    inside = [Depends(guard.require)]
    choosing = [Depends(guard.on_the_way(Step.PASSWORD, Step.INSIDE))]
    enrolling = [Depends(guard.on_the_way(Step.ENROL, Step.INSIDE))]
    routes.add_api_route("/desk/me", me.show, methods=["GET"], dependencies=inside)
    routes.add_api_route("/desk/me/password", me.show_password, methods=["GET"], dependencies=choosing)
    routes.add_api_route("/desk/me/password", me.change_password, methods=["POST"], dependencies=choosing)
    routes.add_api_route("/desk/me/second-factor", me.show_enrolment, methods=["GET"], dependencies=enrolling)
    routes.add_api_route("/desk/me/second-factor", me.confirm, methods=["POST"], dependencies=enrolling)
    routes.add_api_route("/desk/me/second-factor/start", me.prepare, methods=["POST"], dependencies=enrolling)
    routes.add_api_route("/desk/me/sessions", me.log_out_elsewhere, methods=["POST"], dependencies=inside)
    return routes


class Me:
    """Pages about oneself. What protects the account asks for the password again (ASVS 5.0, 7.5.1)."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages, self._guard = service, pages, pages.guard

    async def show(self, request: Request) -> Response:
        session: Session = request.state.session
        now, account = self._service.clock.machine_now(), session.login.account
        alive = await self._service.store.aread(
            lambda connection: sessions.of_account(connection, account.id, now, self._guard.rules.ages)
        )
        return self._pages.render(
            request,
            "accounts/me.html",
            account=account,
            here=session.login.session_id,
            sessions=alive,
            done=request.query_params.get("done", ""),
        )

    async def log_out_elsewhere(self, request: Request) -> Response:
        session: Session = request.state.session
        now = self._service.clock.machine_now()

        def end(connection: Connection) -> None:
            accounts.end_sessions(connection, session.login.account.id, but=session.login.session_id)
            audit.record(connection, session.principal, "account.sessions_ended", now)

        await self._service.store.awrite(end)
        return go("/desk/me?done=sessions")

    async def show_password(self, request: Request) -> Response:
        return self._password_page(request)

    def _password_page(self, request: Request, *, status: int = 200, error: str = "") -> Response:
        account: Account = request.state.session.login.account
        if account.is_external:
            raise PageError(404, "from_elsewhere")
        values = {"account": account, "least": passwords.MIN_LENGTH, "most": passwords.MAX_LENGTH}
        return self._pages.render(request, "accounts/password.html", status=status, error=error, **values)

    async def change_password(self, request: Request) -> Response:
        """A new password; every other session ends and this one goes on under a new value."""
        form, account = request.state.form, request.state.session.login.account
        new = form.get("new", "")
        error = "" if await self._is_really(request) else "wrong"
        error = error or (
            "differ" if new != form.get("again", "") else passwords.fault(new, account.login, account.name)
        )
        error = error or ("same" if new == form.get("password", "") else "")
        if error:
            return self._password_page(request, status=422, error=error)
        hashed = await asyncio.to_thread(passwords.hash_of, new)
        now = self._service.clock.machine_now()

        def change(connection: Connection) -> None:
            accounts.set_password(connection, account.principal, account.id, hashed, now)

        return await self._changed(request, change, "password")

    async def show_enrolment(self, request: Request) -> Response:
        return await self._enrolment_page(request)

    async def _enrolment_page(self, request: Request, *, status: int = 200, error: str = "") -> Response:
        account: Account = request.state.session.login.account
        if account.is_external:
            raise PageError(404, "from_elsewhere")
        kept = await self._service.store.aread(lambda connection: accounts.secrets_of(connection, account.id))
        secret = self._service.vault.open_text(kept.totp_pending) if kept and kept.totp_pending else ""
        values: dict[str, Any] = {"account": account, "error": error, "secret": secret}
        values["picture"] = second_factor.picture(secret, account.login) if secret else ""
        return self._pages.render(request, "accounts/second_factor.html", status=status, **values)

    async def prepare(self, request: Request) -> Response:
        """Show a new secret. Who has a second step already proves both, or a stolen session could take it over."""
        account: Account = request.state.session.login.account
        if account.has_totp and not await self._is_really(request, with_code=True):
            return await self._enrolment_page(request, status=422, error="wrong")
        sealed, now = self._service.vault.seal_text(second_factor.new_secret()), self._service.clock.machine_now()
        try:
            await self._service.store.awrite(
                lambda connection: accounts.prepare_totp(connection, account.id, sealed, now)
            )
        except AccountError:
            raise PageError(404, "from_elsewhere") from None
        return go("/desk/me/second-factor")

    async def confirm(self, request: Request) -> Response:
        """The first code of the app: from now on the login asks for one. The recovery codes are shown, once."""
        account: Account = request.state.session.login.account
        codes, vault, now = second_factor.new_recovery_codes(), self._service.vault, self._service.clock.machine_now()
        hashes = [vault.lookup("recovery", code) for code in codes]

        def confirm(connection: Connection) -> bool:
            kept = accounts.secrets_of(connection, account.id)
            if kept is None or kept.totp_pending is None:
                return False
            secret = vault.open_text(kept.totp_pending)
            step = second_factor.step_of(secret, request.state.form.get("code", ""), now, 0)
            if step is None:
                return False
            accounts.confirm_totp(connection, account.principal, account.id, now, step=step, recovery=hashes)
            return True

        value = sessions.new_value()
        if not await self._service.store.awrite(lambda c: confirm(c) and self._begin_anew(c, account, value)):
            return await self._enrolment_page(request, status=422, error="code")
        request.state.session = Session(self._guard.token(value), request.state.session.login)
        onward = home(account.principal)
        response = self._pages.render(request, "accounts/recovery.html", codes=codes, onward=onward)
        self._guard.remember(response, value)
        self._guard.know(response, account.id)
        return response

    async def _changed(self, request: Request, change: Any, done: str) -> Response:
        """Carry a change out that ends all sessions, and begin this one anew."""
        account, value = request.state.session.login.account, sessions.new_value()
        await self._service.store.awrite(lambda c: (change(c), self._begin_anew(c, account, value)))
        response = go(f"/desk/me?done={done}")
        self._guard.remember(response, value)
        self._guard.know(response, account.id)
        return response

    def _begin_anew(self, connection: Connection, account: Account, value: str) -> bool:
        sessions.start(connection, account, value, self._service.clock.machine_now())
        return True

    async def _is_really(self, request: Request, *, with_code: bool = False) -> bool:
        """Whether the password (and a code) in the form are right. Counted like a login, and refused when shut."""
        form, account = request.state.form, request.state.session.login.account
        keys, now = self._guard.keys(request, account.login, account.id), self._service.clock.machine_now()
        made = await self._service.store.awrite(lambda connection: tries.take(connection, keys, now))
        if made.seconds_shut:
            return False
        kept = await self._service.store.aread(lambda connection: accounts.secrets_of(connection, account.id))
        given = form.get("password", "")
        right = await asyncio.to_thread(passwords.is_right, kept.password_hash if kept else None, given)

        def settle(connection: Connection) -> bool:
            good = right and (not with_code or take_code(connection, self._service, account.id, form.get("code", "")))
            if good:
                tries.take_back(connection, made)
                tries.forget(connection, keys.account)
            return good

        return await self._service.store.awrite(settle)
