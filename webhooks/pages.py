"""Pages for people who work here: templates, two languages, and the headers that every page carries.

The words stand in the templates, in English; `webhooks/locale/<language>/LC_MESSAGES/desk.po` translates them.
The catalogues are compiled in memory at start, so a changed translation needs no further step.
"""

from __future__ import annotations

import gettext
import hashlib
import io
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from babel import Locale
from babel.dates import format_timedelta
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_percent
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot import locales
from bot.accounts import accounts
from bot.accounts.sessions import Step
from bot.desk.calendar import Slot
from bot.errors import StoreUnavailableError, WegwijsError
from bot.roles import ANSWERING, EVERYTHING, Principal, Role
from webhooks.auth import ForgedFormError, Guard, LoginNeededError, NotYoursError, Session, UnfinishedLoginError

log = logging.getLogger(__name__)

HERE = Path(__file__).resolve().parent
LANGUAGES = ("nl", "en")
LANGUAGE_COOKIE = "wegwijs_desk_language"
# In this order: our values, the components, the municipality's values where they were fetched (make theme), our rules.
STYLES = ("theme.css", "vendor/components.css", "vendor/nijmegen.css", "desk.css")
SCRIPTS = ("vendor/htmx.min.js", "desk.js")
YEAR_SECONDS = 365 * 24 * 3600
_KEPT = {"next", "conversation", "done", "group", "t"}  # what stays in the address when the language changes
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageError(WegwijsError):
    """A page that can't be shown. `words` names the explanation in `problem.html`."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass(frozen=True)
class NavItem:
    """A page in the navigation. `name` is the key of its words in `desk/base.html`."""

    place: str
    name: str
    roles: frozenset[Role]


NAV = (
    NavItem("/desk", "questions", ANSWERING),
    NavItem("/desk/week", "week", frozenset({Role.KLANTREGISSEUR, Role.COORDINATOR})),
    NavItem("/desk/caseload", "caseload", frozenset({Role.COORDINATOR})),
    NavItem("/desk/content", "answers", EVERYTHING),
    NavItem("/surveys", "surveys", frozenset({Role.RESEARCHER})),
    NavItem("/monitoring", "monitoring", frozenset({Role.COORDINATOR, Role.RESEARCHER})),
    NavItem("/desk/overview", "overview", frozenset({Role.COORDINATOR})),
    NavItem("/desk/gaps", "gaps", frozenset({Role.EDITOR, Role.COORDINATOR})),
    NavItem("/desk/accounts", "accounts", frozenset({Role.ADMIN})),
    NavItem("/desk/retention", "retention", frozenset({Role.ADMIN})),
    NavItem("/desk/audit", "audit", frozenset({Role.ADMIN, Role.COORDINATOR})),
)
STEPS = {  # what is left to do after the password
    Step.CODE: "/desk/login/code",
    Step.PASSWORD: "/desk/me/password",
    Step.ENROL: "/desk/me/second-factor",
}


def home(principal: Principal) -> str:
    """The first page of somebody's work."""
    of_their_task = [item.place for item in NAV if principal.has(*item.roles) and item.roles != EVERYTHING]
    return of_their_task[0] if of_their_task else "/desk/content"


def read_catalogue(language: str) -> gettext.GNUTranslations:
    """The translations of a language, from the files that people edit: one for each folder of templates."""
    merged = Catalog(locale=language)
    for path in sorted((HERE / "locale" / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                merged.add(message.id, message.string)
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def static(name: str) -> str:
    """The address of a file, which changes with the file, so that no browser shows an old one."""
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


def styles() -> tuple[str, ...]:
    """The style sheets of every page that are there."""
    return tuple(name for name in STYLES if (HERE / "static" / name).is_file())


def nav_here(path: str) -> NavItem | None:
    """The page of the navigation that a path belongs to: the longest that begins it."""
    above = [item for item in NAV if path == item.place or path.startswith(f"{item.place}/")]
    return max(above, key=lambda item: len(item.place), default=None)


class Pages:
    """Renders templates in the language of a request."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._environments = {language: environment(language) for language in LANGUAGES}
        self._styles = [static(name) for name in styles()]
        self._scripts = [static(name) for name in SCRIPTS]

    def render(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page from a template such as `desk/list.html`. No other site may show it in a frame."""
        language = page_language(request)
        session: Session | None = getattr(request.state, "session", None)
        values |= {
            "language": language,
            "languages": {code: _here(request, code) for code in LANGUAGES},
            "path": request.url.path,
            "styles": self._styles,
            "scripts": self._scripts,
            "session": session,
            "nav_here": nav_here(request.url.path),
            "nav": self._nav(session) if session and session.inside else [],
            "home": home(session.principal) if session else "/desk/login",
        }
        html = self._environments[language].get_template(template).render(values)
        response = HTMLResponse(html, status_code=status, headers=HEADERS)
        if request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_SECONDS, httponly=True, samesite="lax")
        return response

    def _nav(self, session: Session) -> list[NavItem]:
        """The pages of somebody's roles that are switched on."""
        off = set() if self.guard.service.settings.surveys else {"/surveys"}
        return [item for item in NAV if session.principal.has(*item.roles) and item.place not in off]

    def fragment(self, request: Request, template: str, **values: Any) -> str:
        """A part of a page in the language of a request: for a script that puts it into the page."""
        return self._environments[page_language(request)].get_template(template).render(values)

    async def login(self, request: Request, *, status: int = 200, **values: Any) -> Response:
        """The page with the password, and the cookie that its form belongs to."""
        service, value = self.guard.service, self.guard.value(request)
        people = await service.store.aread(accounts.everybody)
        values = {"error": "", "minutes": 0, "login": "", "draft": "", "next": ""} | values
        values |= {
            "token": self.guard.token(value),
            "nobody": not people,
            "elsewhere": bool(service.settings.oidc_issuer),
            "out": request.query_params.get("out") == "1",
            "demo": [account for account in people if account.is_demo and account.active and self.guard.rules.demo],
        }
        response = self.render(request, "desk/login.html", status=status, **values)
        self.guard.remember(response, value)
        return response

    def route_class(self) -> type[APIRoute]:
        """Routes whose refusals are pages that a person can read. Words that were typed come back with them."""
        pages = self

        class PageRoute(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                handler = super().get_route_handler()

                async def with_pages(request: Request) -> Response:
                    try:
                        return await handler(request)
                    except LoginNeededError:
                        return await pages.to_login(request)
                    except UnfinishedLoginError as error:
                        return RedirectResponse(STEPS.get(error.step, "/desk/me"), status_code=303, headers=HEADERS)
                    except (ForgedFormError, NotYoursError) as error:
                        words = "forged" if isinstance(error, ForgedFormError) else "not_yours"
                        _log_refusal(request, words)
                        return pages.problem(request, 403, words)
                    except PageError as error:
                        return pages.problem(request, error.status, error.words)
                    except (StoreUnavailableError, sa.exc.OperationalError):
                        return pages.problem(request, 503, "unavailable")

                return with_pages

        return PageRoute

    async def to_login(self, request: Request) -> Response:
        """To the login; a form that came too late is answered with it at once, so that its words aren't lost."""
        if request.method == "GET":
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/desk/login?{urlencode({'next': wanted})}", status_code=303, headers=HEADERS)
        wanted = request.url.path.rpartition("/")[0]
        return await self.login(request, status=401, error="expired", draft=_typed(request), next=wanted)

    def problem(self, request: Request, status: int, words: str) -> Response:
        return self.render(request, "desk/problem.html", status=status, words=words, draft=_typed(request))


def _log_refusal(request: Request, words: str) -> None:
    """Who wanted what they may not (ASVS 5.0, 16.3.2): numbers and the route, nothing that was sent."""
    session: Session | None = getattr(request.state, "session", None)
    who = session.login.account.id if session else "nobody"
    log.warning("refused (%s): account %s at %s %s", words, who, request.method, request.scope["route"].path)


def _typed(request: Request) -> str:
    form: dict[str, str] = getattr(request.state, "form", {})
    return next((form[name] for name in ("text", "question", "note", "reason") if form.get(name)), "")


def _here(request: Request, language: str) -> str:
    """The page of a request in another language; of a form that was sent, the page that it stands on."""
    path = request.url.path
    if request.method == "POST":
        return f"{path if path == '/desk/login' else path.rpartition('/')[0]}?lang={language}"
    kept = [(name, value) for name, value in request.query_params.multi_items() if name in _KEPT]
    return f"{path}?{urlencode([*kept, ('lang', language)])}"


def page_language(request: Request) -> str:
    """The language in the address, else the one chosen before, else one that the browser wants, else Dutch."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in LANGUAGES:
            return str(chosen)
    return _wanted(request.headers.get("accept-language", ""))


def _wanted(header: str) -> str:
    """The best language of an Accept-Language header that there is."""
    best, quality = LANGUAGES[0], 0.0
    for part in header.split(",")[:20]:
        code, _, weight = part.strip().partition(";q=")
        try:
            value = float(weight or 1)
        except ValueError:
            continue
        code = code.split("-")[0].lower()
        if code in LANGUAGES and value > quality:
            best, quality = code, value
    return best


@cache  # reading the catalogues takes most of the start, and every area of the desk asks for both languages
def environment(language: str) -> Environment:
    """Templates with the words of a language."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(read_catalogue(language), newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    environment.filters |= {
        "moment": partial(locales.moment, language=language),
        "day": partial(locales.day, language=language),
        "week": partial(_week, language=language),
        "number": partial(locales.number, language=language),
        "decimal": partial(_decimal, language=language),
        "percent": partial(_percent, language=language),
        "duration": partial(_duration, language=language),
        "tongue": partial(_tongue, language=language),
        "lang_code": _lang_code,
    }
    return environment


def _decimal(value: float, digits: int = 2, *, language: str) -> str:
    """A figure with as many decimals as others of its kind: "3,90"."""
    text = f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return text.replace(".", ",") if language == "nl" else text


def _percent(value: float, language: str) -> str:
    return format_percent(value, "#,##0 %" if language == "nl" else "#,##0%", locale=language)


def _duration(value: timedelta, language: str) -> str:
    """How long something takes: "3 uur". The largest unit that says enough; less than a minute is a minute."""
    return format_timedelta(max(abs(value), timedelta(minutes=1)), granularity="minute", threshold=1.5, locale=language)


def _week(slots: Sequence[Slot], language: str) -> str:
    """Times in the week: "dinsdag 09:00–11:00 en donderdag 13:00–15:00"."""
    return locales.week([(slot.weekday, slot.starts, slot.ends) for slot in sorted(slots)], language)


def _tongue(code: str, language: str) -> str:
    """The name of a language: "Arabisch". The code itself where it has none; nothing for one that isn't known."""
    return "" if code == "und" else str(Locale.parse(language).languages.get(code, code))


def _lang_code(code: str) -> str:
    """What may stand in a `lang` attribute; empty for a language that isn't known."""
    return code if code.isascii() and code.isalpha() and code != "und" else ""
