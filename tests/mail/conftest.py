"""A mail server for the tests."""

from __future__ import annotations

import pytest

from tests.conftest import make_service
from tests.mail.servers import Inbox, LocalServer


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def server(inbox):
    running = LocalServer(inbox, hostname="127.0.0.1", port=0)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def both(settings, store, vault, clock, content, understander):
    """A whole service, once on each database."""
    return make_service(settings, store, vault, clock, content, understander)
