"""The measurements by name; `all` runs those of `make bench` one after the other."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys

PARTS = ("start", "flow", "wave", "growth", "pages", "workers")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(prog="python -m scripts.load", description=__doc__)
    parser.add_argument("part", choices=(*PARTS, "all"))
    parser.add_argument("--databases", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--rate", type=float, default=80.0, help="flow: messages a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="flow: how long")
    parser.add_argument("--free", type=float, default=0.5, help="flow: share of free text, the rest are taps")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds that the made-up Twilio takes")
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the rows: only to see that it works")
    options = parser.parse_args()
    options.share = 50 if options.quick else 1
    for part in PARTS if options.part == "all" else (options.part,):
        importlib.import_module(f"scripts.load.{part}").run(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
