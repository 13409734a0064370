"""The understanding loads beside the rest of a start; what goes wrong there is told to who waits for it."""

from __future__ import annotations

import threading

import pytest

from bot import beside
from bot.understanding.model import model_path


@pytest.fixture
def fitted(settings, monkeypatch):
    """A model that is there, and what loading it gives."""
    path = model_path(settings.content_dir, settings.data_dir / "models")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    given = []

    def load(_):
        given.append(threading.current_thread().name)
        return given

    monkeypatch.setattr(beside, "load", load)
    return path, given


def test_it_loads_in_a_thread_of_its_own_and_once(settings, fitted):
    loading = beside.begin(settings)
    assert loading() is fitted[1]
    assert loading() == ["beside"]


def test_a_fit_does_not_begin_before_the_content_was_read(settings, fitted):
    fitted[0].unlink()
    loading = beside.begin(settings)
    assert loading() == [threading.current_thread().name]


def test_a_fault_goes_to_who_waits(settings, fitted, monkeypatch):
    def broken(_):
        raise OSError("no such weights")

    monkeypatch.setattr(beside, "load", broken)
    loading = beside.begin(settings)
    with pytest.raises(OSError, match="no such weights"):
        loading()
