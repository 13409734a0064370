"""Who asks what in the browser tests: 20 questions of 6 meanings for one klantregisseur, 6 more for the back-up desk.

All invented. `POPULATION` has the shape of bot/demo.yaml.
"""

from __future__ import annotations

from typing import Any

import yaml

from bot import demo

# What the understanding thinks of each meaning, and how newcomers ask it. The last two have a checked answer.
MEANINGS: dict[str, tuple[list[Any], list[tuple[str, str]]]] = {
    "move": (
        [["klantregisseur.contact", 0.32]],
        [
            ("nl", "Kan ik mijn afspraak van donderdag verzetten?"),
            ("en", "Can I move my appointment of Thursday?"),
            ("ar", "هل يمكن تغيير موعدي يوم الخميس؟"),
            ("nl", "Mag mijn afspraak van donderdag op een andere dag?"),
        ],
    ),
    "letter": (
        [["contact.municipality", 0.45]],
        [
            ("nl", "Ik ben de brief van de gemeente kwijt, kunt u hem nog een keer sturen?"),
            ("en", "I lost the letter from the municipality, can you send it again?"),
            ("ar", "ضاعت رسالة من البلدية، هل يمكن إرسالها مرة أخرى؟"),
            ("en", "The letter of the municipality is lost. Please send it again."),
        ],
    ),
    "child": (
        [["lessons.childcare", 0.4]],
        [
            ("nl", "Mag mijn kind mee naar de taalles?"),
            ("en", "May I bring my child to the language lesson?"),
            ("ar", "هل يمكنني إحضار طفلي إلى درس اللغة؟"),
        ],
    ),
    "travel": (
        [["practical.transport", 0.4]],
        [
            ("nl", "Wie betaalt de bus naar de taalles?"),
            ("en", "Who pays the bus to the language lesson?"),
            ("ar", "من يدفع ثمن الحافلة إلى درس اللغة؟"),
        ],
    ),
    "when": (
        [["wait.lessons", 0.6]],
        [
            ("nl", "Wanneer beginnen mijn taallessen?"),
            ("en", "When do my language lessons start?"),
            ("ar", "متى تبدأ دروس اللغة الخاصة بي؟"),
        ],
    ),
    "what": (
        [["pip.contents", 0.6]],
        [
            ("nl", "Wat staat er in mijn PIP?"),
            ("en", "What does my PIP say?"),
            ("ar", "ماذا يوجد في خطتي PIP؟"),
        ],
    ),
}
OTHERS = [
    ("ar", "أين أجد دورة سباحة لأطفالي؟"),
    ("nl", "Ik krijg geen antwoord op mijn mail. Wie kan mij helpen?"),
    ("en", "My neighbour says I must pay the exam twice. Is that true?"),
    ("ar", "هل يمكنني العمل ليلاً وحضور الدروس صباحاً؟"),
    ("en", "Where do I hand in my diploma?"),
    ("nl", "Mijn adres is veranderd. Waar geef ik dat door?"),
]
OWN = [ask for _, asks in MEANINGS.values() for ask in asks]


def _person(number: int, language: str, text: str, candidates: list[Any]) -> dict[str, Any]:
    hours = 4 + number % 20
    ticket = {"hours_ago": hours, "reason": "no_answer", "text": text, "candidates": candidates}
    said = [{"hours_ago": hours + 1, "asks": "Hallo"}, {"hours_ago": hours, "asks": text}]
    channel = "console" if number % 4 else "console-numbers"
    return {"phone": f"p{number}", "channel": channel, "language": language, "said": said, "tickets": [ticket]}


def population() -> dict[str, Any]:
    """Accounts and figures as in the demo; our own people."""
    made = yaml.safe_load(demo.DEMO.read_text(encoding="utf-8"))
    asked = [(*ask, candidates) for candidates, asks in MEANINGS.values() for ask in asks]
    asked += [(language, text, []) for language, text in OTHERS]
    made["people"] = [_person(number, *ask) for number, ask in enumerate(asked)]
    return dict(made)
