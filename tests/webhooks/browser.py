"""A browser without JavaScript: keeps cookies, reads the token out of a page, sends forms."""

from __future__ import annotations

import itertools
import re

import sqlalchemy as sa
from fastapi.testclient import TestClient

from bot.accounts import accounts, passwords, sessions
from bot.roles import EVERYTHING, Principal, Role
from bot.storage.account_models import AccountRow
from webhooks.app import create_app
from webhooks.auth import Guard

BASE = "https://bot.example.org"
PASSWORD = "kat fiets wolk"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOBODY = Principal("test", frozenset())
_numbers = itertools.count(1)


def make_browser(service, **headers):
    return TestClient(create_app(service), base_url=BASE, follow_redirects=False, headers=headers)


def token_of(response):
    """The token of the forms on a page."""
    return re.search(r'name="token" value="([^"]+)"', response.text)[1]


def make_account(service, *roles, name="Sanne", login=None, actor_id=None, second_factor=True, password=None, **more):
    """An account with a second step; without a password unless one is given, because hashing takes its time."""
    wanted = accounts.Wanted(name, frozenset(roles), actor_id)
    hashed = passwords.hash_of(password) if password else "none"
    values = {"totp_sealed": service.vault.seal_text(SECRET)} if second_factor else {}

    def make(connection):
        options = {"password_hash": hashed, "must_change_password": False} | more
        made = accounts.add(
            connection, NOBODY, login or f"colleague{next(_numbers)}", wanted, service.clock.machine_now(), **options
        )
        if values:
            connection.execute(sa.update(AccountRow).where(AccountRow.id == made).values(**values))
        return made

    return service.store.write(make)


def log_in(browser, role=None, *, name="Sanne", actor_id=None):
    """A session as the login makes it, without the 50 ms of a hash: with all roles, or one, or several.

    Returns the account's id.
    """
    service = browser.app.state.service
    roles = EVERYTHING if role is None else {role} if isinstance(role, Role) else role
    account_id = make_account(service, *roles, name=name, actor_id=actor_id)
    open_session(browser, account_id)
    return account_id


def open_session(browser, account_id):
    """Returns what the cookie holds."""
    service, value = browser.app.state.service, sessions.new_value()

    def start(connection):
        sessions.start(connection, accounts.by_id(connection, account_id), value, service.clock.machine_now())

    service.store.write(start)
    browser.cookies.set(Guard(service).cookie, value, domain=browser.base_url.host, path="/")
    return value


def give_password(browser, login, password=PASSWORD, **fields):
    """Fill the login in as a person does."""
    token = token_of(browser.get("/desk/login"))
    return browser.post("/desk/login", data={"login": login, "password": password, "token": token, **fields})


def send(browser, path, **fields):
    """Send a form of a page behind the login."""
    token = token_of(browser.get("/desk/me"))
    return browser.post(path, data={"token": token, **fields})
