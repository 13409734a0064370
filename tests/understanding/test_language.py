"""Which language a text is in."""

import pytest

from bot.understanding.language import Languages


@pytest.fixture(scope="module")
def languages() -> Languages:
    """What the word lists alone know, without examples."""
    return Languages.learn([])


@pytest.mark.parametrize(
    ("text", "hint", "expected"),
    [
        ("Wanneer begint mijn taalcursus?", "en", "nl"),
        ("When does my language course start?", "nl", "en"),
        ("متى تبدأ دورة اللغة؟", "nl", "ar"),
        ("شلون اسجل بالكورس", "nl", "ar"),
        ("emta bibda el dars w shu lazem a3mel", "nl", "ar"),
        ("Kurs ne zaman başlıyor, kayıt olmak istiyorum", "nl", "tr"),
        ("کلاس زبان کی شروع می‌شود؟ من باید صبر کنم", "ar", "fa"),
        ("እቲ ኮርስ መዓስ ይጅምር ኣነ ክፈልጥ እደሊ", "nl", "ti"),
        ("ትምህርቱ መቼ ነው የሚጀምረው እኔ እፈልጋለሁ", "nl", "am"),
        ("Goorma ayuu bilaabmayaa koorsada luuqadda, waan rabaa", "nl", "so"),
        ("Коли почнеться курс? Що мені треба?", "en", "uk"),
        ("Когда начнётся курс? Что мне нужно?", "en", "ru"),
        ("Quand est-ce que mon cours commence ?", "nl", "fr"),
        ("¿Cuándo empieza mi curso de idioma?", "nl", "es"),
        ("Wann fängt mein Sprachkurs an?", "nl", "de"),
        ("Kiedy zaczyna się mój kurs językowy?", "nl", "pl"),
        ("Quando começa o meu curso de língua?", "nl", "pt"),
        ("Kursa zimanê min kengî dest pê dike?", "nl", "ku"),
        ("کۆرسی زمان کەی دەست پێ دەکات، من دەمەوێت", "nl", "ku"),
        ("کورس کب شروع ہوگا؟ مجھے کیا کرنا ہے", "ar", "ur"),
        ("👍", "nl", "und"),
        ("12345", "nl", "und"),
        ("语言课程什么时候开始", "nl", "und"),
    ],
)
def test_the_language_is_seen(languages: Languages, text: str, hint: str, expected: str) -> None:
    assert languages.guess(text, hint).language == expected


@pytest.mark.parametrize("hint", ["nl", "en"])
def test_the_chosen_language_decides_where_words_say_little(languages: Languages, hint: str) -> None:
    assert languages.guess("PIP?", hint).language == hint
