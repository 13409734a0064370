"""Who may see the desk and the monitoring page: one password, a session in an encrypted cookie, a token in each form.

No HTML here. `Guard.require` is the dependency of every page behind the login; a page without it is for everybody.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from starlette.requests import Request
from starlette.responses import Response

from bot.errors import WegwijsError
from bot.locales import clean
from bot.roles import EVERYTHING, Principal, Role
from bot.settings import Settings

COOKIE = "wegwijs_desk"
HOURS = 8
DEMO_PASSWORD = "demo"  # only where the chat page runs without a login as well
WRONG_ALLOWED = 10
WRONG_SECONDS = 600.0
CLIENTS_KEPT = 10_000
MAX_NAME = 40
MAX_FIELDS = 20
# The only places to go to after the login: no address of somebody else's.
_INSIDE = re.compile(r"/(?:desk|monitoring|surveys)(?:/[A-Za-z0-9/]*)?(?:\?[A-Za-z0-9=&_-]*)?")


class LoginNeededError(WegwijsError):
    """Nobody is logged in. A page sends to the login; a form is answered with the login and the words typed."""


class NotYoursError(WegwijsError):
    """Somebody is logged in, but without the role that this page is for. 403."""


class ForgedFormError(WegwijsError):
    """A form without the token of its session: it may come from another site. 403."""


@dataclass(frozen=True)
class Session:
    """What the cookie holds. `token` goes into every form. Before the login `inside` is false."""

    token: str
    name: str = ""
    inside: bool = False
    mark: str = ""  # of the password: a new password ends every session

    @property
    def principal(self) -> Principal:
        """Who it is. Everybody with the shared password may do everything."""
        return Principal(self.name, EVERYTHING if self.inside else frozenset())


class Guard:
    """Sessions and passwords of one set of settings."""

    def __init__(self, settings: Settings) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in settings.fernet_keys])
        self._secure = settings.public_base_url.startswith("https://")
        self.is_demo = not settings.desk_password and settings.simulator and not settings.is_production
        self._password = settings.desk_password or (DEMO_PASSWORD if self.is_demo else "")
        self._mark = hmac.digest(settings.hash_key.encode(), b"desk:" + self._password.encode(), "sha256").hex()[:16]

    @property
    def is_shut(self) -> bool:
        """No password is set, so nobody comes in."""
        return not self._password

    def knows(self, password: str) -> bool:
        """Whether this is the password, in constant time."""
        return not self.is_shut and hmac.compare_digest(password.encode(), self._password.encode())

    def enter(self, name: str) -> Session:
        """A new session of somebody who gave the password. Never the one from before: that may be known to others."""
        words = " ".join(clean(name).split())[:MAX_NAME]
        return Session(secrets.token_urlsafe(24), words, inside=True, mark=self._mark)

    def visitor(self, request: Request) -> Session:
        """The session of a request, or a new one of nobody."""
        return self.session(request) or Session(secrets.token_urlsafe(24))

    def session(self, request: Request) -> Session | None:
        """The session in the cookie; None when there is none, or it is old, forged or of another password."""
        try:
            opened = self._fernet.decrypt(request.cookies.get(COOKIE, "").encode(), ttl=HOURS * 3600)
            data = json.loads(opened)
            session = Session(**data["session"])
        except (InvalidToken, ValueError, KeyError, TypeError):
            return None
        return session if not session.inside or session.mark == self._mark else None

    def remember(self, response: Response, session: Session) -> None:
        """Put a session into the cookie."""
        sealed = self._fernet.encrypt(json.dumps({"session": asdict(session)}).encode()).decode()
        response.set_cookie(
            COOKIE, sealed, max_age=HOURS * 3600, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def forget(self, response: Response) -> None:
        response.delete_cookie(COOKIE, path="/", secure=self._secure, httponly=True, samesite="lax")

    def allow(self, *roles: Role) -> Callable[[Request], Coroutine[Any, Any, None]]:
        """A dependency that lets only people with one of these roles through. It raises NotYoursError for others."""

        async def require_role(request: Request) -> None:
            await self.require(request)
            if not request.state.session.principal.has(*roles):
                raise NotYoursError

        return require_role

    async def require(self, request: Request) -> None:
        """Let only somebody inside through, and a form only with its token. Both are on `request.state` afterwards.

        Raises LoginNeededError or ForgedFormError.
        """
        request.state.form = {}
        if request.method == "POST":
            request.state.form = await read_form(request)
        session = self.session(request)
        if session is None or not session.inside:
            raise LoginNeededError
        if request.method == "POST":
            check_token(session, request.state.form)
        request.state.session = session


async def read_form(request: Request) -> dict[str, str]:
    """The texts of a form; files and repeats are left out."""
    form = await request.form(max_fields=MAX_FIELDS, max_files=1)
    return {name: value for name, value in form.items() if isinstance(value, str)}


def check_token(session: Session | None, form: dict[str, str]) -> None:
    """Raises ForgedFormError when a form does not carry the token of its session."""
    given = form.get("token", "")
    if session is None or not hmac.compare_digest(given.encode(), session.token.encode()):
        raise ForgedFormError


def place_after_login(wanted: str) -> str:
    """Where to go after the login: a page of ours, or the list."""
    return wanted if _INSIDE.fullmatch(wanted) else "/desk"


class Attempts:
    """Wrong passwords per client, in the memory of this process: after `WRONG_ALLOWED` in ten minutes it is shut."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: dict[str, deque[float]] = {}

    def seconds_shut(self, client: str) -> int:
        """For how long this client may not try; 0 when it may."""
        wrong = self._recent(network(client))
        if len(wrong) < WRONG_ALLOWED:
            return 0
        return max(1, round(wrong[0] + WRONG_SECONDS - self._clock()))

    def failed(self, client: str) -> None:
        key = network(client)
        wrong = self._recent(key)
        wrong.append(self._clock())
        self._wrong.pop(key, None)
        self._wrong[key] = wrong  # last in line, so that the oldest go first
        while len(self._wrong) > CLIENTS_KEPT:
            del self._wrong[next(iter(self._wrong))]

    def _recent(self, key: str) -> deque[float]:
        wrong = self._wrong.get(key, deque(maxlen=WRONG_ALLOWED))
        while wrong and wrong[0] + WRONG_SECONDS <= self._clock():
            wrong.popleft()
        return wrong


def network(client: str) -> str:
    """The address of a client; of IPv6 the network, because one machine has a whole one to itself."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else client
