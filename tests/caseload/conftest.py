"""A whole service, once each database."""

from __future__ import annotations

import pytest

from tests.conftest import make_service


@pytest.fixture
def service(settings, store, vault, clock, content, understander):
    return make_service(settings, store, vault, clock, content, understander)
