"""The building blocks of the pages, and what every page carries."""

from __future__ import annotations

import re

import pytest

from webhooks.pages import HEADERS, HERE, environment, nav_here, styles

FILES = {"content_export.html", "report.html", "letters.html"}  # opened from a disk, so they carry their style inside
IMPORT = '{% import "shell/components.html" as ui %}'


def draw(source, language="nl", **values):
    return environment(language).from_string(IMPORT + source).render(values)


def test_a_field_names_its_hint_and_its_error():
    html = draw('{{ ui.field("reason", "Reden", hint="Kort", error="Vul iets in", value=typed) }}', typed='"><b>')
    assert '<label class="utrecht-form-field__label" for="reason">Reden</label>' in html
    assert 'aria-describedby="reason-hint reason-error"' in html
    assert 'id="reason-hint"' in html
    assert 'id="reason-error"' in html
    assert 'aria-invalid="true"' in html
    assert 'value="&#34;&gt;&lt;b&gt;"' in html


def test_a_field_without_an_error_is_not_marked_as_wrong():
    html = draw('{{ ui.field("text", "Tekst", kind="textarea", attributes={"maxlength": 40}) }}')
    assert "aria-invalid" not in html
    assert "aria-describedby" not in html
    assert 'maxlength="40"' in html
    assert 'dir="auto"' in html, "people write Arabic too"


def test_a_password_never_comes_back():
    assert "geheim" not in draw('{{ ui.field("password", "Wachtwoord", kind="password", value="geheim") }}')


def test_a_choice_keeps_what_was_chosen():
    html = draw('{{ ui.choice("role", "Rol", [("a", "Een"), ("b", "Twee")], value="b", empty="Kies") }}')
    assert '<option value="b" selected>Twee</option>' in html
    assert '<option value="">Kies</option>' in html


def test_a_table_keeps_its_headings_as_cards():
    html = draw('{% call ui.table(["Naam"], "Lijst") %}<tr role="row">{{ ui.cell("Naam", "A & B") }}</tr>{% endcall %}')
    assert '<th role="columnheader" scope="col">Naam</th>' in html
    assert '<td role="cell" data-label="Naam">A &amp; B</td>' in html


def test_pages_of_a_list_have_words_in_both_languages():
    assert "Pagina 2 van 3" in draw('{{ ui.pagination(2, 3, "/x?page=") }}')
    html = draw('{{ ui.pagination(2, 3, "/x?page=") }}', "en")
    assert 'rel="prev" href="/x?page=1">Previous' in html
    assert 'rel="next" href="/x?page=3">Next' in html
    assert draw('{{ ui.pagination(1, 1, "/x?page=") }}').strip() == ""


def test_a_notice_is_said_aloud_only_when_it_is_news():
    assert "role=" not in draw('{% call ui.notice("warn") %}Let op{% endcall %}')
    assert 'role="alert"' in draw('{% call ui.notice("bad", live=true) %}Fout{% endcall %}')


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/desk", "/desk"),
        ("/desk/tickets/3", "/desk"),
        ("/desk/content", "/desk/content"),
        ("/desk/contents", "/desk"),
        ("/monitoring", "/monitoring"),
        ("/elsewhere", None),
    ],
)
def test_a_page_below_one_of_the_navigation_is_marked_there(path, place):
    assert getattr(nav_here(path), "place", None) == place


def test_no_page_may_run_a_script_of_its_own_or_fetch_from_elsewhere():
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", sorted((HERE / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_no_template_has_inline_script_or_style(path):
    if path.name in FILES:
        return
    html = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", html)


def test_style_sheets_fetch_nothing():
    for name in styles():
        css = (HERE / "static" / name).read_text(encoding="utf-8")
        assert "@import" not in css
        assert not re.search(r"url\((?!data:)", css)


def test_every_token_that_our_rules_use_has_a_value():
    theme, rules = ((HERE / "static" / name).read_text(encoding="utf-8") for name in ("theme.css", "desk.css"))
    given = set(re.findall(r"^\s*(--[a-z0-9-]+):", theme + rules, re.MULTILINE))
    asked = set(re.findall(r"var\((--[a-z0-9-]+)\)", theme + rules))
    assert asked - given == set()
