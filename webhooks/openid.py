"""The protocol of OpenID Connect (authorization code with PKCE), as a client: no pages, no accounts.

Every answer of the provider is checked: the metadata are of the issuer in the settings; the ID token is signed with
one of its keys, meant for us, of now, and of this very login (nonce).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]  # it ships no types
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]  # as above
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from bot.errors import WegwijsError

TIMEOUT = 10.0  # seconds: somebody waits
LEEWAY = 60  # seconds that clocks may differ
# Signatures with a key pair only: with a shared secret or without any, whoever knows our secret could make a token.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class ProviderError(WegwijsError):
    """The municipality's login can't be reached, or says what can't be trusted. Nobody is let in."""


@dataclass(frozen=True)
class Provider:
    """What the provider tells about itself."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str


@dataclass(frozen=True)
class Attempt:
    """One login under way: kept in an encrypted cookie of the browser that began it."""

    state: str
    nonce: str
    verifier: str
    next: str

    @classmethod
    def new(cls, wanted: str) -> Attempt:
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(32), wanted)


@dataclass(frozen=True)
class Client:
    """Our registration at a provider."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str

    async def discover(self) -> Provider:
        """The provider's metadata. Raises ProviderError."""
        data = await self._json("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if data.get("issuer") != self.issuer:
            raise ProviderError("the metadata are of another issuer")
        try:
            return Provider(
                str(data["authorization_endpoint"]),
                str(data["token_endpoint"]),
                str(data["jwks_uri"]),
                str(data.get("end_session_endpoint", "")),
            )
        except KeyError as error:
            raise ProviderError(f"the metadata lack {error}") from None

    def begin(self, provider: Provider, attempt: Attempt) -> str:
        """The address to send the browser to."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": create_s256_code_challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in provider.authorization_endpoint else "?"
        return f"{provider.authorization_endpoint}{mark}{urlencode(asked)}"

    async def finish(self, code: str, attempt: Attempt) -> dict[str, Any]:
        """The claims of a checked ID token, in exchange for a code. Raises ProviderError."""
        provider = await self.discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        token = await self._json("POST", provider.token_endpoint, form)
        keys = await self._json("GET", provider.jwks_uri)
        return self.check(token, keys, attempt.nonce)

    def check(self, token: dict[str, Any], keys: dict[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of the ID token in a token response (OpenID Connect Core 3.1.3.7). Raises ProviderError."""
        options = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
            "nonce": {"essential": True, "value": nonce},
        }
        try:
            registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
            opened = jwt.decode(str(token["id_token"]), KeySet.import_key_set(keys), registry=registry)  # type: ignore[arg-type]  # what the provider sent
            params = {"nonce": nonce, "client_id": self.client_id, "access_token": token.get("access_token")}
            claims = CodeIDToken(opened.claims, opened.header, options, params)
            claims.validate(leeway=LEEWAY)
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise ProviderError(f"the ID token is refused: {type(error).__name__}") from None
        return dict(claims)

    def end(self, provider: Provider, back: str) -> str:
        """The address at which the browser logs out of the provider; `back` when it knows none."""
        if not provider.end_session_endpoint:
            return back
        asked = {"client_id": self.client_id, "post_logout_redirect_uri": back}
        mark = "&" if "?" in provider.end_session_endpoint else "?"
        return f"{provider.end_session_endpoint}{mark}{urlencode(asked)}"

    async def _json(self, method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        auth = httpx.BasicAuth(self.client_id, self.client_secret) if form else None
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT) as client:
                answer = await client.request(method, url, data=form, auth=auth)
                answer.raise_for_status()
                data = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ProviderError(f"{method} {httpx.URL(url).path}: {type(error).__name__}") from None
        if not isinstance(data, dict):
            raise ProviderError(f"{method} {httpx.URL(url).path}: no object")
        return data
