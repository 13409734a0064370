"""A year of surveys with an invented population: `make simulate`. Ends with 1 when one rule was broken."""

from __future__ import annotations

import argparse
import gc
import logging
import random
import sys
import tempfile
import time
from pathlib import Path

from bot import content as texts
from bot.settings import ROOT
from tests.surveys import town_checks, town_life
from tests.surveys.town import Town


def main() -> int:
    parser = argparse.ArgumentParser(description="A year of surveys with an invented population.")
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dies", type=float, default=0.002, help="how likely a batch of turns or sends is the last")
    options = parser.parse_args()
    logging.disable(logging.ERROR)

    def tell(day: int) -> None:
        sys.stderr.write(f"day {day} after {time.monotonic() - began:.0f} s\n")

    began, busy = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        chance = random.Random(options.seed)  # invented people
        content = texts.load(ROOT / "content")
        town = Town(Path(folder), content, options.people, chance, town_life.reacts, dies=options.dies)
        town.settle()
        gc.freeze()  # the content is large and stays: no looking through it for garbage
        gc.set_threshold(50_000, 20, 20)
        town_life.year(town, options.days, tell)
        total, faults = town_checks.funnels(town)
        faults += town_checks.mistakes(town)
        town.store.close()
    took = f"{time.monotonic() - began:.0f} s ({time.process_time() - busy:.0f} s of one processor)"
    lines = [f"{options.people} people, {options.days} days, seed {options.seed}: {took}"]
    lines += [f"  {name}: {number}" for name, number in (*sorted(town.figures.items()), *total.items())]
    sys.stdout.write("\n".join([*lines, f"rules broken: {len(faults)}", *faults[:20], ""]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
