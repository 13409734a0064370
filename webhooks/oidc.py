"""Logging in with the municipality's own account.

The protocol is in `openid.py`; what an account is, in `bot/accounts/external.py`.
"""

from __future__ import annotations

import hmac
import json
import logging
from dataclasses import asdict
from datetime import timedelta
from functools import partial

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from bot.accounts import external, sessions
from bot.accounts.accounts import Account
from bot.accounts.external import External
from bot.errors import AccountError
from bot.identifiers import SealError
from bot.service import Service
from webhooks.auth import Guard, place_after_login
from webhooks.login import go
from webhooks.openid import Attempt, Client, ProviderError
from webhooks.pages import Pages, home

COOKIE = "wegwijs_oidc"
ON_THE_WAY = timedelta(minutes=10)
log = logging.getLogger(__name__)


def router(service: Service) -> APIRouter:
    """The routes of `/desk/oidc`; none where no provider is set."""
    guard = Guard(service)
    pages = Pages(guard)
    routes = APIRouter(tags=["desk"], route_class=pages.route_class(), include_in_schema=False)
    settings = service.settings
    if settings.oidc_issuer:
        base = settings.public_base_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
        client = Client(
            settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, f"{base}/desk/oidc/callback"
        )
        elsewhere = Elsewhere(service, pages, client, f"{base}/desk/login")
        routes.add_api_route("/desk/oidc/login", elsewhere.begin, methods=["GET"])
        routes.add_api_route("/desk/oidc/callback", elsewhere.finish, methods=["GET"])
        routes.add_api_route("/desk/oidc/logout", elsewhere.leave, methods=["GET"])
    return routes


class Elsewhere:
    """To the provider and back."""

    def __init__(self, service: Service, pages: Pages, client: Client, login_page: str) -> None:
        self._service, self._pages, self._guard = service, pages, pages.guard
        self._client, self._login_page = client, login_page

    async def begin(self, request: Request) -> Response:
        attempt = Attempt.new(request.query_params.get("next", ""))
        try:
            provider = await self._client.discover()
        except ProviderError as error:
            log.warning("municipality's login: %s", error)
            return await self._pages.login(request, status=502, error="away")
        response = go(self._client.begin(provider, attempt))
        sealed = self._service.vault.seal_text(json.dumps(asdict(attempt)))
        self._guard.set_cookie(response, COOKIE, sealed, ON_THE_WAY)
        return response

    async def finish(self, request: Request) -> Response:
        """Back from the provider. Only a browser that began this login, within ten minutes, gets on."""
        attempt, asked = self._attempt(request), request.query_params
        state = asked.get("state", "")
        if attempt is None or not hmac.compare_digest(state.encode(), attempt.state.encode()):
            return await self._refused(request, 403, "not_begun")
        if "code" not in asked:  # the person said no there, or may not use this service
            return await self._refused(request, 403, "denied")
        try:
            claims = await self._client.finish(asked["code"], attempt)
        except ProviderError as error:
            log.warning("municipality's login: %s", error)
            return await self._refused(request, 502, "away")
        settings = self._service.settings
        who = external.read_claims(claims, settings.oidc_roles_claim, settings.oidc_role_map, settings.oidc_actor_claim)
        return await self._arrive(request, who, attempt)

    async def _arrive(self, request: Request, who: External, attempt: Attempt) -> Response:
        now, value = self._service.clock.machine_now(), sessions.new_value()
        before = sessions.hash_of(self._guard.value(request))

        def arrive(connection: Connection) -> Account:
            account = external.arrive(connection, who, now)
            sessions.end_value(connection, before)
            sessions.start(connection, account, value, now)
            return account

        try:
            account = await self._service.store.awrite(arrive)
        except AccountError as error:
            await self._service.store.awrite(partial(external.refuse, who=who, now=now))
            return await self._refused(request, 403, error.fault)
        response = go(place_after_login(attempt.next, home(account.principal)))
        self._guard.remember(response, value)
        self._guard.drop_cookie(response, COOKIE)
        return response

    async def _refused(self, request: Request, status: int, error: str) -> Response:
        response = await self._pages.login(request, status=status, error=error)
        self._guard.drop_cookie(response, COOKIE)
        return response

    def _attempt(self, request: Request) -> Attempt | None:
        sealed = request.cookies.get(self._guard.cookie_name(COOKIE), "")
        try:
            return Attempt(**json.loads(self._service.vault.open_text(sealed, ON_THE_WAY)))
        except (SealError, ValueError, TypeError):
            return None

    async def leave(self, request: Request) -> Response:
        """Log out at the provider too. Here it has been done before."""
        try:
            return go(self._client.end(await self._client.discover(), self._login_page))
        except ProviderError as error:
            log.warning("municipality's login: %s", error)
            return await self._pages.login(request, status=502, error="away")
