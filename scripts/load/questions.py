"""What people write in the load: questions of the content's examples, none of them as it stands there.

Each gets a greeting, a slip of the finger, or another example behind it, by a fixed seed: so they are as hard for the
understanding as messages of people are, and every run is the same. Nothing is asked twice.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from bot.settings import ROOT
from bot.understanding.examples import OTHER_LABELS, Example, read_pack

GREETINGS = {
    "nl": ("Goedemorgen, ", "Hallo, ik heb een vraag. ", "Beste mevrouw, "),
    "en": ("Hello, ", "Good morning. ", "Dear sir, "),
    "ar": ("السلام عليكم، ", "مرحبا، ", "صباح الخير، "),
}


def questions(seed: int) -> Iterator[str]:
    """Endless; Dutch, English and Arabic as often as the content has them."""
    return _questions(random.Random(seed), _examples())


@cache
def _examples() -> list[Example]:
    """Read before anything is measured: it takes half a second."""
    examples = [e for e in read_pack(ROOT / "content").examples if e.language in GREETINGS]
    return [e for e in examples if e.label not in OTHER_LABELS and len(e.text) < 150]


def _questions(rng: random.Random, examples: list[Example]) -> Iterator[str]:
    while True:
        example = rng.choice(examples)
        text = slip(example.text, rng)
        if rng.random() < 0.5:
            text = rng.choice(GREETINGS[example.language]) + text
        yield text


def slip(text: str, rng: random.Random) -> str:
    """One letter left out, doubled, or two turned round."""
    at = rng.randrange(1, max(2, len(text) - 1))
    kind = rng.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at - 1] + text[at:]
    return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
