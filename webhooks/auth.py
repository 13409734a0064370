"""Who may see a page: sessions kept on the server, roles, a token in each form. No HTML here.

`Guard.allow` is the dependency of every page behind the login; a page without it is for everybody. What a session is
stands in `bot/accounts/sessions.py`; the login itself in `webhooks/login.py`.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bot.accounts import sessions
from bot.accounts.sessions import Ages, Login, Rules, Step
from bot.accounts.tries import Keys
from bot.errors import WegwijsError
from bot.identifiers import SealError
from bot.roles import Principal, Role
from bot.service import Service

COOKIE = "wegwijs_desk"
DEVICE_COOKIE = "wegwijs_known"
DEVICE_DAYS = 180
MAX_FIELDS = 100  # a group of forty questions has a box for each
BY_ITSELF = "x-by-itself"  # a header of our own script
# The only places to go to after the login: no address of somebody else's.
_INSIDE = re.compile(r"/(?:desk|monitoring|surveys)(?:/[A-Za-z0-9/_-]*)?(?:\?[A-Za-z0-9=&._-]*)?")


class LoginNeededError(WegwijsError):
    """Nobody is logged in. A page sends to the login; a form is answered with the login and the words typed."""


class UnfinishedLoginError(WegwijsError):
    """The password was right, but something is still to do. A page sends there."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.step = step


class NotYoursError(WegwijsError):
    """Somebody is logged in, but without the role that this page is for. 403."""


class ForgedFormError(WegwijsError):
    """A form without the token of its session: it may come from another site. 403."""


@dataclass(frozen=True)
class Session:
    """Who is logged in, or on the way. `token` goes into every form."""

    token: str
    login: Login

    @property
    def principal(self) -> Principal:
        return self.login.account.principal

    @property
    def name(self) -> str:
        return self.login.account.name

    @property
    def inside(self) -> bool:
        """Whether nothing is left to do: no code, no password to choose."""
        return self.login.step is Step.INSIDE


Dependency = Callable[[Request], Coroutine[Any, Any, None]]


class Guard:
    """The sessions of a service."""

    def __init__(self, service: Service) -> None:
        settings = service.settings
        self.service = service
        self._secure = settings.public_base_url.startswith("https://")
        # With this prefix no other host, not even one beside ours, can put a cookie of this name into a browser.
        self._prefix = "__Host-" if self._secure else ""
        self.cookie, self.device_cookie = self.cookie_name(COOKIE), self.cookie_name(DEVICE_COOKIE)
        ages = Ages(timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours))
        self.rules = Rules(ages, settings.second_factor == "required", settings.has_demo_accounts)

    def cookie_name(self, name: str) -> str:
        return self._prefix + name

    def value(self, request: Request) -> str:
        """What the browser's cookie holds; a fresh value where it has none."""
        return request.cookies.get(self.cookie, "") or sessions.new_value()

    def token(self, value: str) -> str:
        """What forms of this browser carry: derived from the cookie with a key, so that nobody can make both."""
        return self.service.vault.lookup("form", value)

    def remember(self, response: Response, value: str) -> None:
        """Put a value into the cookie. How long it counts is kept on the server."""
        self.set_cookie(response, COOKIE, value, timedelta(hours=24))

    def forget(self, response: Response) -> None:
        self.drop_cookie(response, COOKIE)

    def set_cookie(self, response: Response, name: str, value: str, age: timedelta) -> None:
        """A cookie that no script reads and no form of another site sends along."""
        name, seconds = self.cookie_name(name), int(age.total_seconds())
        response.set_cookie(name, value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="lax")

    def drop_cookie(self, response: Response, name: str) -> None:
        name = self.cookie_name(name)
        response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")

    def know(self, response: Response, account_id: int) -> None:
        """Somebody logged in here: from now on this browser's wrong tries are counted apart from everybody's."""
        sealed = self.service.vault.seal_text(f"{account_id}:{secrets.token_urlsafe(12)}")
        self.set_cookie(response, DEVICE_COOKIE, sealed, timedelta(days=DEVICE_DAYS))

    def keys(self, request: Request, login: str, account_id: int | None) -> Keys:
        """Under what a try to log in is counted."""
        lookup = self.service.vault.lookup
        client = network(request.client.host if request.client else "")
        account = lookup("login-account", login)
        try:
            known = self.service.vault.open_text(request.cookies.get(self.device_cookie, ""))
        except SealError:
            known = ""
        if account_id is not None and known.startswith(f"{account_id}:"):
            account = lookup("login-device", known)
        return Keys(lookup("login-network", client), account)

    async def session(self, request: Request) -> Session | None:
        """Who is behind a request. Kept on `request.state`, where the pages find it."""
        value = request.cookies.get(self.cookie, "")
        if not value or not value.isascii():
            return None
        store, now = self.service.store, self.service.clock.machine_now()
        login = await store.aread(lambda connection: sessions.find(connection, value, now, self.rules))
        if login is None:
            return None
        if now - login.seen_at >= sessions.TOUCH and not _comes_by_itself(request):
            await store.awrite(lambda connection: sessions.touch(connection, login.session_id, now))
        session = request.state.session = Session(self.token(value), login)
        return session

    def allow(self, *roles: Role) -> Dependency:
        """A dependency that lets only people with one of these roles through. It raises NotYoursError for others."""

        async def require_role(request: Request) -> None:
            await self.require(request)
            if not request.state.session.principal.has(*roles):
                raise NotYoursError

        return require_role

    async def require(self, request: Request) -> None:
        """Let only somebody inside through, and a form only with its token. Both are on `request.state` afterwards.

        Raises LoginNeededError, UnfinishedLoginError or ForgedFormError.
        """
        await self._require(request, Step.INSIDE)

    def on_the_way(self, *steps: Step) -> Dependency:
        """A dependency for what is left to do after the password: only at one of these steps. Raises as `require`."""

        async def require_step(request: Request) -> None:
            await self._require(request, *steps)

        return require_step

    async def _require(self, request: Request, *steps: Step) -> None:
        request.state.form = {}
        if request.method == "POST":
            request.state.form = await read_form(request)
        session = await self.session(request)
        if session is None:
            raise LoginNeededError
        if session.login.step not in steps:
            raise UnfinishedLoginError(session.login.step)
        if request.method == "POST":
            check_token(session.token, request.state.form)


def _comes_by_itself(request: Request) -> bool:
    """A list that follows what happens is nobody who works: it must not keep a session alive."""
    return BY_ITSELF in request.headers or "text/event-stream" in request.headers.get("accept", "")


async def read_form(request: Request) -> dict[str, str]:
    """The texts of a form; files and repeats are left out."""
    form = await request.form(max_fields=MAX_FIELDS, max_files=1)
    return {name: value for name, value in form.items() if isinstance(value, str)}


def check_token(token: str, form: dict[str, str]) -> None:
    """Raises ForgedFormError when a form does not carry the token of its browser."""
    if not hmac.compare_digest(form.get("token", "").encode(), token.encode()):
        raise ForgedFormError


def place_after_login(wanted: str, home: str) -> str:
    """Where to go after the login: a page of ours that was asked for, or home."""
    return wanted if _INSIDE.fullmatch(wanted) else home


def network(client: str) -> str:
    """The address of a client; of IPv6 the network, because one machine has a whole one to itself."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else client
