"""Who asks what in the browser tests: 20 questions of 6 meanings for one klantregisseur, 6 more for the back-up desk.

All invented. `POPULATION` has the shape of bot/demo.yaml.
"""

from __future__ import annotations

from typing import Any

import yaml

from bot import demo

# Each meaning as newcomers ask it, with what the fitted understanding made of it (measured in November 2026). A meaning
# that is named after a topic has a checked answer, which did not help; the others have none.
MEANINGS: dict[str, list[tuple[str, str, list[Any]]]] = {
    "move": [
        ("nl", "Kan ik mijn afspraak van donderdag verzetten?", []),
        ("en", "Can I move my appointment of Thursday?", []),
        ("ar", "هل يمكن تغيير موعدي يوم الخميس؟", []),
        ("nl", "Mag mijn afspraak van donderdag op een andere dag?", []),
    ],
    "letter": [
        (
            "nl",
            "Ik ben de brief van de gemeente kwijt, kunt u hem nog een keer sturen?",
            [["pip.view", 0.11]],
        ),
        ("en", "I lost the letter from the municipality, can you send it again?", [["bot.what", 0.01]]),
        (
            "ar",
            "ضاعت رسالة من البلدية، هل يمكن إرسالها مرة أخرى؟",
            [["contact.municipality", 0.42]],
        ),
        ("en", "The letter of the municipality is lost. Please send it again.", [["contact.municipality", 0.01]]),
    ],
    "lessons.childcare": [
        ("nl", "Mag mijn kind mee naar de taalles?", [["lessons.childcare", 0.93]]),
        ("en", "May I bring my child to the language lesson?", [["lessons.childcare", 0.8], ["bot.language", 0.14]]),
        ("ar", "هل يمكنني إحضار طفلي إلى درس اللغة؟", [["lessons.childcare", 0.98]]),
    ],
    "practical.transport": [
        ("nl", "Wie betaalt de bus naar de taalles?", [["practical.transport", 1.0]]),
        ("en", "Who pays the bus to the language lesson?", [["practical.transport", 0.99]]),
        ("ar", "من يدفع ثمن الحافلة إلى درس اللغة؟", [["practical.transport", 0.99]]),
    ],
    "wait.lessons": [
        ("nl", "Wanneer beginnen mijn taallessen?", [["wait.lessons", 1.0]]),
        ("en", "When do my language lessons start?", [["wait.lessons", 1.0]]),
        ("ar", "متى تبدأ دروس اللغة الخاصة بي؟", [["wait.lessons", 1.0]]),
    ],
    "pip.contents": [
        ("nl", "Wat staat er in mijn PIP?", [["pip.contents", 1.0]]),
        ("en", "What does my PIP say?", [["pip.what", 0.93], ["pip.contents", 0.15]]),
        ("ar", "ماذا يوجد في خطتي PIP؟", [["pip.contents", 1.0]]),
    ],
}
OTHERS = [
    ("ar", "أين أجد دورة سباحة لأطفالي؟"),
    ("nl", "Ik krijg geen antwoord op mijn mail. Wie kan mij helpen?"),
    ("en", "My neighbour says I must pay the exam twice. Is that true?"),
    ("ar", "هل يمكنني العمل ليلاً وحضور الدروس صباحاً؟"),
    ("en", "Where do I hand in my diploma?"),
    ("nl", "Mijn adres is veranderd. Waar geef ik dat door?"),
]
OWN = [text for asks in MEANINGS.values() for _, text, _ in asks]


def _person(number: int, language: str, text: str, candidates: list[Any]) -> dict[str, Any]:
    hours = 1 + number % 20
    sure = max((chance for _, chance in candidates), default=0)
    ticket = {
        "hours_ago": hours,
        "reason": "not_helped" if sure > 0.5 else "no_answer",
        "text": text,
        "candidates": candidates,
    }
    said = [{"hours_ago": hours + 1, "asks": "Hallo"}, {"hours_ago": hours, "asks": text}]
    channel = "console" if number % 4 else "console-numbers"
    return {"phone": f"p{number}", "channel": channel, "language": language, "said": said, "tickets": [ticket]}


def population() -> dict[str, Any]:
    """Accounts and figures as in the demo; our own people."""
    made = yaml.safe_load(demo.DEMO.read_text(encoding="utf-8"))
    asked = [ask for asks in MEANINGS.values() for ask in asks]
    asked += [(language, text, []) for language, text in OTHERS]
    made["people"] = [_person(number, *ask) for number, ask in enumerate(asked)]
    return dict(made)
