"""Junk at every door: no error of ours, no hang, no memory without end. A few examples here; `make fuzz` for many.

The parsers of the webhooks and of the caseload have their own: tests/webhooks/test_telegram_webhook.py,
tests/webhooks/test_whatsapp_webhook.py, tests/caseload/test_files.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
import tracemalloc
from pathlib import Path

import pytest
import yaml
from httpx2 import InvalidURL
from hypothesis import HealthCheck, example, given, reject
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot import content as texts
from bot.accounts import sessions
from bot.accounts.sessions import Step
from bot.desk.actors_file import read_actors
from bot.desk.caseload_file import COLUMNS, MAX_LINES, read_people
from bot.errors import AnswersError, ContentError, SettingsError
from bot.monitoring.answers_file import read_table
from bot.settings import Settings, load_settings
from bot.storage.store import make_engine
from bot.survey_reports import SurveyFigures
from bot.yaml_files import read_yaml
from tests.content.pack import write_pack
from tests.test_guards import routes
from tests.webhooks.browser import log_in, make_browser
from webhooks.app import create_app
from webhooks.auth import Guard
from webhooks.pages import HERE

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))  # of each property, for a long run
SECONDS = 20.0  # that an answer may take here, on a machine that does other things too
FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
LEFT_OUT = {"/desk/logout", "/simulator/clock"}  # what the walk itself needs to go on
SECONDS_OF_FIGURES = 130.0  # the service ends such a process of its own after 120
COMPUTES = ("/monitoring/", "/api/monitoring/")  # for seconds at first: in the long run, after a first look
FIELDS = sorted(
    {name for path in HERE.rglob("*.html") for name in re.findall(r'name="([a-z_.]+)"', path.read_text())}
    | {"lang", "next", "done", "conversation", "file", "as", "wave", "survey", "background", "t", "before"}
)


def some(few: int) -> hypothesis_settings:
    """How many examples: few in the suite."""
    return hypothesis_settings(max_examples=EXAMPLES or few, deadline=None, suppress_health_check=FIXTURES)


JUNK = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.sampled_from(
        [
            "",
            "0",
            "-1",
            "1",
            "9" * 30,
            "1e309",
            "NaN",
            "null",
            "true",
            "\x00",
            "'; DROP TABLE contact; --",
            "<script>alert(1)</script>",
            "../../etc/passwd",
            "%s%s%n",
            "{{7*7}}",
            "2026-02-31",
            "0000-00-00",
            "+31612345678",
            "\u202egnp.exe",
            "٣",
            "²",
            "topic",
            "text",
            "asylum",
            "nl",
            "x" * 20_000,
        ]
    ),
)
PIECES = st.lists(st.tuples(st.sampled_from(FIELDS), JUNK), max_size=6)


@pytest.fixture
def browser(service):
    with make_browser(service) as made:  # one event loop for all requests
        made.app.state.is_stopping = lambda: True  # a stream of news ends at its first look
        log_in(made)
        yield made


def token_of(browser):
    """What the forms of this session carry; logs in again where the last form ended it."""
    guard = Guard(browser.app.state.service)
    cookies = [cookie.value for cookie in browser.cookies.jar if cookie.name == guard.cookie]
    if len(cookies) != 1 or not is_inside(guard, cookies[0]):
        browser.cookies.clear()
        log_in(browser)
        return token_of(browser)
    return guard.token(cookies[0])


def is_inside(guard, value):
    now = guard.service.clock.machine_now()
    found = guard.service.store.read(lambda connection: sessions.find(connection, value, now, guard.rules))
    return found is not None and found.step is Step.INSIDE


def places(service):
    there = sorted((method, path) for method, path in routes(create_app(service)) if path not in LEFT_OUT)
    return there if EXAMPLES else [(method, path) for method, path in there if not path.startswith(COMPUTES)]


def computed_once(monkeypatch):
    """The same figures, export and page of the invented answers are made once: each takes a process of its own."""
    compute, kept = SurveyFigures._run, {}

    async def remember(self, answers, what, ending, *options, **more):
        if (what, options) not in kept:
            kept[what, options] = await compute(self, answers, what, ending, *options, **more)
        return kept[what, options]

    monkeypatch.setattr(SurveyFigures, "_run", remember)


def test_no_request_breaks_a_page(service, browser, monkeypatch):
    """Every route gets junk in its path, its query, its form and its headers; an exception fails the test itself."""
    known = places(service)
    computed_once(monkeypatch)
    if EXAMPLES:
        asyncio.run(SurveyFigures(service).report())

    @some(60)
    @given(
        place=st.sampled_from(known),
        path=st.lists(JUNK, min_size=3, max_size=3),
        query=PIECES,
        form=PIECES,
        header=JUNK.filter(lambda text: text.isascii() and text.isprintable()),
    )
    def knock(place, path, query, form, header):
        method, template = place
        parts = iter(path)
        address = re.sub(
            r"\{(\w+)(?::\w+)?\}", lambda _: next(parts).replace("/", "").replace("?", "") or "1", template
        )
        token = token_of(browser)
        fields = {"data": dict(form) | {"token": token}} if method == "POST" else {}
        began = time.monotonic()
        try:
            answer = browser.request(method, address, params=query, headers={"accept-language": header}, **fields)
        except InvalidURL:  # the client of the test refuses to send it
            reject()
        assert answer.status_code < 500, (method, address, query, form)
        assert time.monotonic() - began < (SECONDS_OF_FIGURES if address.startswith(COMPUTES) else SECONDS)

    knock()


@given(data=st.binary(max_size=400))
@some(40)
@pytest.mark.parametrize("place", ["/telegram", "/whatsapp", "/whatsapp/status", "/simulator/clock", "/desk/login"])
def test_no_body_breaks_a_door(place, data):
    """Any bytes as a body, under any name for what they are."""
    answer = _SHARED[0].post(place, content=data, headers=_SHARED[1])
    assert answer.status_code < 500


_SHARED: list = []


@pytest.fixture(autouse=True)
def shared(request):
    if "place" not in request.fixturenames:
        yield
        return
    service = request.getfixturevalue("service")
    secret = {"x-telegram-bot-api-secret-token": service.settings.telegram_webhook_secret}
    with make_browser(service) as made:
        _SHARED[:] = [made, secret]
        yield


ATOMS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.dates())
TREES = st.recursive(ATOMS, lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text(max_size=8), t, max_size=3))


@pytest.fixture
def pack(tmp_path):
    return write_pack(tmp_path / "pack")


def test_no_content_file_breaks_the_loader(pack):
    """A value anywhere in a sound pack becomes something else, or the file other bytes: sound, or told what to mend."""
    files = sorted(pack.rglob("*.yaml"))

    @given(path=st.sampled_from(files), where=st.lists(st.integers(0, 30), max_size=4), tree=TREES, raw=st.binary())
    @some(12)
    def spoil(path, where, tree, raw):
        before = path.read_bytes()
        path.write_bytes(_spoilt(before, where, tree) if where else raw)
        try:
            with contextlib.suppress(ContentError):
                texts.load(pack)
        finally:
            path.write_bytes(before)

    spoil()


def _spoilt(before: bytes, where: list[int], tree: object) -> bytes:
    """The file with one value replaced: each step of `where` chooses a child."""
    data = yaml.safe_load(before)
    node, above, key = data, None, None
    for step in where:
        if not isinstance(node, dict | list) or not node:
            break
        above, key = node, sorted(node, key=str)[step % len(node)] if isinstance(node, dict) else step % len(node)
        node = above[key]
    if above is None:
        data = tree
    else:
        above[key] = tree
    return yaml.safe_dump(data, allow_unicode=True).encode()


@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\t"))
    | st.sampled_from(
        ["? [a]\n: b", "? {a: b}\n: c", "a: !!bool perhaps", "!!int '': a", "- !!timestamp now", "a: 2026-02-31"]
    )
)
@some(100)
def test_any_text_is_yaml_or_a_fault(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    document = read_yaml(path, path.parent)
    assert document.faults or document.data is not None or text.strip()
    read_actors(path)


@pytest.mark.parametrize("levels", [9, 12])
def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, levels):
    """Aliases of aliases: a kilobyte that would be billions of values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines))
    tracemalloc.start()
    try:
        entries, faults = read_actors(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert (entries, bool(faults)) == ([], True)


# Below the largest file that may be sent: each once took seconds, up to minutes, or (the deep ones) the whole process.
WORST = {
    "deep": "[" * 100_000,
    "deep in blocks": "- " * 100_000,
    "long": "k:\n  name: A\n  languages: [" + "9," * 900_000,
    "bad at its end": "- 2026-01-02\n" * 140_000 + "- 2026-02-31",
    "twice": "a: 1\n" * 390_000,
    "tabs": "\t\n" * 990_000,
    "columns": "person;" * 280_000,
    "unknown columns": "x;" * 990_000,
    "lines": ";".join(COLUMNS) + "\nx" * 990_000,
    "no lines": "\n" * 1_990_000,
}


@pytest.mark.parametrize("name", WORST)
def test_the_worst_file_is_refused_within_a_second(tmp_path, name):
    path = tmp_path / "worst"
    path.write_text(WORST[name])
    began = time.process_time()
    read_actors(path)
    faults = read_people(path.read_bytes(), "people.csv", 2026).faults
    assert 0 < len(faults) <= MAX_LINES * len(COLUMNS)
    assert time.process_time() - began < 1


SETTINGS = sorted(
    f"WEGWIJS_{name}".upper() for name in Settings.model_fields if name not in ("data_dir", "content_dir")
)
WRITTEN = st.one_of(
    JUNK.map(lambda text: text.replace("\0", "")),
    st.text("0123456789:,=-.@/ abcHXwhatsp+", max_size=40),
    st.sampled_from(
        [
            "production",
            "postgresql://",
            "postgres://h:port/d",
            "sqlite:///",
            "https://x",
            "24:00",
            "25:00",
            "2026-02-31",
            "a=b,=c",
            ",",
        ]
    ),
)


def test_any_settings_are_taken_or_named(monkeypatch, tmp_path):
    """What the environment says is used, or refused with the name of the setting. Never anything else."""
    monkeypatch.setenv("WEGWIJS_DATA_DIR", str(tmp_path))

    @some(60)
    @given(values=st.dictionaries(st.sampled_from(SETTINGS), WRITTEN.filter(_fits_an_environment), max_size=5))
    def start(values):
        with monkeypatch.context() as patch:
            for name, value in values.items():
                patch.setenv(name, value)
            try:
                settings = load_settings()
            except SettingsError as error:
                unnamed = [fault for fault in error.faults if "WEGWIJS_" not in fault]
            else:
                unnamed = []
                _look_at_all(settings)
            assert unnamed == []

    start()


def _look_at_all(settings):
    for name, what in vars(Settings).items():
        if isinstance(what, property) and (name != "oidc_role_map" or settings.oidc_issuer):
            getattr(settings, name)
    make_engine(settings.store_url).dispose()


def _fits_an_environment(text):
    return text.encode("utf-8", "ignore").decode() == text


@given(data=st.binary(max_size=300) | st.text("abc;,\t|\"'\n\r0123456789=-", max_size=300).map(str.encode))
@example(data=b"\t;\n;")
@some(60)
def test_any_answers_file_is_read_or_refused(tmp_path_factory, data):
    path: Path = tmp_path_factory.getbasetemp() / "answers.csv"
    path.write_bytes(data)
    with contextlib.suppress(AnswersError):
        read_table(path)
