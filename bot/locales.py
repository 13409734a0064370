"""Languages: their order, direction and the way they write numbers, dates, amounts and Latin words. Pure.

Right-to-left text turns numbers and Latin words around unless they are isolated. `isolate_latin` does that for a
whole text, so that editors never type invisible characters (W3C, "Inline bidi markup"; docs/adr/0005-bidi.md).
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

LANGUAGES = ("nl", "en", "ar")
NAMES = {"nl": "Nederlands", "en": "English", "ar": "العربية"}
AMSTERDAM = ZoneInfo("Europe/Amsterdam")

FSI, LRI, PDI, RLM = "\u2068", "\u2066", "\u2069", "\u200f"
_AS_IT_IS = (LRI, "https://", "http://")
_BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LATIN = "A-Za-zÀ-ɏ0-9"
_LATIN_RUN = re.compile(rf"[@€+]?[{_LATIN}](?:[{_LATIN}]|(?:[,:;.-]? | [-–&/+] |[-–'’.,:/&+€@_])(?=[{_LATIN}€+])|%)*")
_FIGURES = {"ar": "nl"}  # people compare an amount with the letter in their hand
_CONTROL = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ud800-\udfff\ufeff]")
_DIGITS = {ord(c): str(unicodedata.digit(c)) for c in "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९"}


def direction(language: str) -> str:
    """`rtl` or `ltr`."""
    return "rtl" if language == "ar" else "ltr"


def clean(text: str) -> str:
    """What a person typed, without control characters, halves of characters, and characters that turn the direction."""
    return _BIDI_CONTROLS.sub("", _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


_ARABIC_FOLD = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ـ": None})


def fold(text: str) -> str:
    """A text for comparing: lower case, western digits, no diacritics, no punctuation, Arabic letters in one form."""
    for _ in range(2):  # folding case may bring letters that decompose again
        text = unicodedata.normalize("NFKD", western_digits(clean(text))).casefold().translate(_ARABIC_FOLD)
    return " ".join(unicodedata.normalize("NFC", text.translate(_KEPT)).split())


class _Kept(dict[int, str | int | None]):
    """What stays of a character: itself, nothing of a mark, a space of a sign. Asked of every letter of every text."""

    def __missing__(self, code: int) -> str | int | None:
        character = chr(code)
        kept = None if unicodedata.combining(character) else code if character.isalnum() else " "
        if code < _COMMON:  # so that nobody can make this grow
            self[code] = kept
        return kept


_COMMON = 0x3000  # Latin, Greek, Cyrillic, Arabic, signs; everything else is asked each time
_KEPT = _Kept()


def western_digits(text: str) -> str:
    """Digits of any script as 0-9: "٣" becomes "3"."""
    return text.translate(_DIGITS)


def isolate(text: str) -> str:
    """A left-to-right run that must not turn around inside Arabic: a telephone number, a name, a code."""
    return f"{LRI}{text}{PDI}"


def isolate_latin(text: str) -> str:
    """Every run of Latin letters and digits in an Arabic text, isolated. Links stay as they are, or they would break.

    A line that starts with a Latin run gets a right-to-left mark, or phones would turn the whole line.
    """
    return "\n".join(_isolate_line(line) for line in text.split("\n"))


def _isolate_line(line: str) -> str:
    if line.startswith(("https://", "http://")) or not line.strip():
        return line
    parts = re.split(f"({LRI}[^{PDI}]*{PDI}|https?://[^\\s{PDI}]+)", line)
    done = "".join(
        part if part.startswith(_AS_IT_IS) else _LATIN_RUN.sub(lambda m: isolate(m[0]), part) for part in parts
    )
    return done if done[0] not in LRI + "-" and not done[0].isdigit() else RLM + done


def _isolated(match: re.Match[str]) -> str:
    return isolate(match[0])


def plural(language: str, number: float) -> str:
    """CLDR plural category: zero, one, two, few, many or other."""
    return str(Locale.parse(language).plural_form(number))


def join(items: Sequence[str], language: str) -> str:
    """Joined in the language's own way: "a, b en c"."""
    return format_list(list(items), locale=language)


def either(items: Sequence[str], language: str) -> str:
    """Joined as a choice: "a, b of c"."""
    return format_list(list(items), style="or", locale=language)


def day(value: date, language: str) -> str:
    """A day: "26 november 2026". In Arabic in figures, as on Dutch letters.

    Month names differ from country to country.
    """
    return format_date(value, "d-M-y" if language == "ar" else "d MMMM y", locale=language)


def moment(value: datetime, language: str) -> str:
    """A moment as people say it: "donderdag 26 november, 15:00", in Dutch time.

    Raises ValueError for a time without a zone.
    """
    if value.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    local = value.astimezone(AMSTERDAM)
    weekday = "EEEE d-M-y" if language == "ar" else "EEEE d MMMM"
    separator = "، " if language == "ar" else ", "
    return format_date(local, weekday, locale=language) + separator + format_time(local, "HH:mm", locale="nl")


def week(slots: Sequence[tuple[int, time, time]], language: str) -> str:
    """Times in the week, as weekday (Monday is 0), start and end: "dinsdag 09:00–11:00 en donderdag 13:00–15:00"."""
    names = Locale.parse(language).days["format"]["wide"]
    return join([f"{names[day]} {starts:%H:%M}–{ends:%H:%M}" for day, starts, ends in slots], language)


def number(value: float, language: str) -> str:
    """A number as a language writes it: "1.500", "1,500". In Arabic as on Dutch letters."""
    return format_decimal(value, locale=_FIGURES.get(language, language))


def amount(value: float, language: str) -> str:
    """An amount of euros: "€ 250", "€ 57,40"."""
    pattern = "¤ #,##0" if float(value).is_integer() else "¤ #,##0.00"
    locale = _FIGURES.get(language, language)
    text = format_currency(value, "EUR", pattern, locale=locale, currency_digits=False)
    return text.replace("\u00a0", " ").replace(RLM, "")
