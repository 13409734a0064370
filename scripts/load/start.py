"""From the command to the first answer, and the memory at rest: `wegwijs serve` with everything set up, warm cache."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time

from scripts.load.flow import Clocked
from scripts.load.harness import Phones, Twilio, database, environment, people, process, table, until_it_listens

TIMES = 3
AT_REST = 3.0  # seconds after the first answer


async def once() -> tuple[float, float, float, int]:
    """Seconds until it listens, until the first answer, CPU seconds until then, MB at rest."""
    with database("sqlite") as (url, folder):
        people(url, 10)
        clocked = Clocked()
        async with Twilio(latency=0.0, heard=clocked.heard).listening() as twilio:
            began = time.perf_counter()
            with process(environment(url, folder, twilio.port)) as served:
                await until_it_listens(served)
                listens = time.perf_counter() - began
                phones = await Phones(served.port, connections=1).open()
                clocked.wrote(1)
                await phones.write(1, "Wanneer moet ik mijn inburgering klaar hebben?")
                while clocked.unanswered:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                answered, cpu = time.perf_counter() - began, served.cpu()
                await asyncio.sleep(AT_REST)
                return listens, answered, cpu, served.resident()


def run(options: argparse.Namespace) -> None:  # noqa: ARG001  # every part is called alike
    found = [asyncio.run(once()) for _ in range(TIMES)]

    def three(place: int, unit: str, digits: int) -> str:
        values = sorted(row[place] for row in found)
        return " – ".join(f"{value:.{digits}f}" for value in (values[0], statistics.median(values), values[-1])) + unit

    head = ("", "min – median – max")
    rows = (
        ("listens after", three(0, " s", 1)),
        ("first answer after", three(1, " s", 1)),
        ("CPU until then", three(2, " s", 1)),
        ("resident at rest", three(3, " MB", 0)),
    )
    table("Start and memory", head, *rows)
