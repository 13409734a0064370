"""The real server with a scripted understanding: the text is the id of its topic. For tests that start a process."""

from __future__ import annotations

import logging
import sys

from bot.service import build
from bot.settings import load_settings
from bot.understanding import Candidate, Outcome, Understanding
from tests.fakes import ScriptedUnderstander
from webhooks.server import Server


class TextIsTopic:
    encode = ScriptedUnderstander.encode  # the desk puts questions together by it

    def understand(self, text: str, language: str, *, hurry: bool = False) -> Understanding:  # the interface
        if "." in text:
            return Understanding(Outcome.ANSWER, language, (Candidate(text, 0.9),))
        return Understanding(Outcome.SMALLTALK, language, (), "greeting")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    settings = load_settings()
    service = build(settings, understander=TextIsTopic())
    Server(service).run()
