"""A browser without JavaScript: keeps cookies, reads the token out of a page, sends forms."""

from __future__ import annotations

import re

from fastapi import FastAPI
from fastapi.testclient import TestClient

from webhooks import desk, monitoring

BASE = "https://bot.example.org"
PASSWORD = "a long enough password"


def make_browser(service, **headers):
    app = FastAPI()
    app.include_router(desk.router(service))
    app.include_router(monitoring.router(service))
    return TestClient(app, base_url=BASE, follow_redirects=False, headers=headers)


def token_of(response):
    """The token of the forms on a page."""
    return re.search(r'name="token" value="([^"]+)"', response.text)[1]


def log_in(browser, password=PASSWORD, **fields):
    token = token_of(browser.get("/desk/login"))
    return browser.post("/desk/login", data={"password": password, "token": token, **fields})


def send(browser, path, **fields):
    """Send a form of the ticket's page."""
    token = token_of(browser.get("/desk"))
    return browser.post(path, data={"token": token, **fields})
