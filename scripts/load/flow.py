"""80 messages a second for a minute: webhook, understanding, reply handed to the made-up Twilio."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.load.harness import (
    Phones,
    Twilio,
    cpu_of_postgres,
    database,
    environment,
    people,
    percentile,
    person_of,
    process,
    table,
    until_it_listens,
)
from scripts.load.questions import questions

PEOPLE = 2000
WARM_SECONDS = 5.0
MENU = ("menu", "1", "menu", "2", "menu", "3")
WAIT_SECONDS = 20.0  # for the replies that are under way at the end


@dataclass
class Clocked:
    """When each person wrote, and how long the first reply took."""

    waiting: dict[int, deque[float]] = field(default_factory=dict)
    took: list[tuple[float, float]] = field(default_factory=list)  # written at, seconds to the reply
    more: int = 0  # messages beyond the first of an answer, and what nobody waits for

    def wrote(self, person: int) -> None:
        self.waiting.setdefault(person, deque()).append(time.perf_counter())

    def heard(self, to: str, words: str) -> None:  # noqa: ARG002  # the interface
        queue = self.waiting.get(person_of(to))
        if not queue:
            self.more += 1
            return
        at = queue.popleft()
        self.took.append((at, time.perf_counter() - at))

    @property
    def unanswered(self) -> int:
        return sum(len(queue) for queue in self.waiting.values())


async def write_steadily(  # noqa: PLR0917  # the load is one thing with six sides
    phones: Phones, clocked: Clocked, talk: Talk, per_second: float, seconds: float, who: Iterator[int]
) -> None:
    """Messages at an even pace, whatever becomes of them: a slow service does not slow the people."""
    began, tasks = time.perf_counter(), set()
    for number in range(int(per_second * seconds)):
        wait = began + number / per_second - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        person = next(who)
        clocked.wrote(person)
        task = asyncio.create_task(phones.write(person, talk.next_of(person)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)


@dataclass
class Talk:
    """What people write next: `free` is the share of free text, the rest opens the menu and chooses from it.

    A digit is a choice only for who has the menu before them, so each person's turns are kept apart.
    """

    free: float
    seed: int = 9
    turns: dict[int, int] = field(default_factory=dict)  # each person's place in MENU

    def __post_init__(self) -> None:
        self._rng, self._asked = random.Random(self.seed), questions(self.seed)

    def next_of(self, person: int) -> str:
        turn = self.turns.get(person, 0)
        share = 2 * self.free / (1 + self.free)  # opening the menu takes two messages, a question one
        if turn % 2 == 0 and self._rng.random() < share:
            return next(self._asked)
        self.turns[person] = turn + 1
        return MENU[turn % len(MENU)]


async def measure(name: str, options: argparse.Namespace) -> tuple[str, ...]:
    with database(name) as (url, folder):
        people(url, PEOPLE)
        clocked = Clocked()
        async with Twilio(latency=options.latency, heard=clocked.heard).listening() as twilio:
            settings = environment(url, folder, twilio.port)
            with process(settings) as served:
                await until_it_listens(served)
                phones = await Phones(served.port).open()
                who, talk = itertools.cycle(range(1, PEOPLE + 1)), Talk(options.free)
                await write_steadily(phones, clocked, talk, options.rate / 4, WARM_SECONDS, who)
                began, cpu, postgres = time.perf_counter(), served.cpu(), cpu_of_postgres()
                await write_steadily(phones, clocked, talk, options.rate, options.seconds, who)
                written = time.perf_counter()
                while clocked.unanswered and time.perf_counter() < written + WAIT_SECONDS:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                spent, spent_there = served.cpu() - cpu, cpu_of_postgres() - postgres
                took = [seconds for at, seconds in clocked.took if at >= began]
                asked = int(options.rate * options.seconds)
                cost = f"{1000 * spent / asked:.1f} ms"
                if name == "postgresql":
                    cost += f" + {1000 * spent_there / asked:.1f} ms"
                figures = [percentile(took, share) for share in (0.5, 0.95, 0.99)]
                return (
                    name,
                    f"{options.rate:.0f}/s for {options.seconds:.0f} s, {options.free:.0%} free text",
                    f"{len(took)} of {asked}",
                    *(f"{1000 * figure:.0f} ms" for figure in figures),
                    cost,
                    f"{served.resident()} MB",
                    str(phones.refused),
                )


def run(options: argparse.Namespace) -> None:
    rows = [asyncio.run(measure(name, options)) for name in options.databases]
    head = ("database", "load", "answered", "p50", "p95", "p99", "CPU a message", "resident", "refused")
    table(f"Sustained flow, Twilio answers after {1000 * options.latency:.0f} ms", head, *rows)
