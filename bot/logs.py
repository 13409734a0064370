"""Logs: one line a step, with the key of the message it belongs to, so that it can be followed to its reply.

Never words, names or addresses of people; never tokens. A provider's id names nobody.
"""

from __future__ import annotations

import contextvars
import json
import logging
import sys
from datetime import UTC, datetime

# The key of the message that is being worked on: the provider's id of what came in, also while its reply is sent.
trace: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="")
_QUIET = ("httpx", "httpcore", "telegram", "twilio", "aiohttp", "alembic", "matplotlib", "fontTools")


class _WithTrace(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.trace = trace.get() or "-"
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, logger, trace, message; the type of an error, never its text."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "trace": getattr(record, "trace", "-"),
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


class _Stderr(logging.Handler):
    """Writes to what stderr is now, which in a test is not what it was at the start."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001  # a log line must never stop the service
            self.handleError(record)


def configure(*, as_json: bool = False) -> None:
    """Set up the logs of this process. Libraries that print addresses or tokens at INFO are kept to warnings."""
    handler = _Stderr()
    handler.addFilter(_WithTrace())
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(trace)s] %(message)s")
    handler.setFormatter(JsonLines() if as_json else plain)
    root = logging.getLogger()
    root.handlers[:] = [*(other for other in root.handlers if not isinstance(other, _Stderr)), handler]
    root.setLevel(logging.INFO)
    quiet()


def quiet() -> None:
    """Keep libraries to warnings: httpx prints whole addresses, and Telegram's holds the bot's token."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def origin(outbox_key: str) -> str:
    """The key of the message that an outgoing one answers: `reply:tg:7:1` belongs to `tg:7`."""
    kind, _, rest = outbox_key.partition(":")
    return rest.rpartition(":")[0] if kind == "reply" else outbox_key
