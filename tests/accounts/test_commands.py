"""`wegwijs accounts …` and the accounts of a demonstration."""

from __future__ import annotations

import re

import pytest

from bot import cli, demo
from bot.accounts import accounts
from bot.keys import rotate
from bot.roles import Role
from bot.settings import load_settings
from bot.storage.store import Store
from tests.conftest import KEYS
from tests.talk import Talk, keys
from tests.webhooks.browser import SECRET, give_password, make_account, make_browser


@pytest.fixture
def run(monkeypatch, tmp_path, upgraded_file, capsys):
    monkeypatch.setenv("WEGWIJS_DATA_DIR", str(tmp_path))
    (tmp_path / "wegwijs.sqlite3").write_bytes(upgraded_file.read_bytes())

    def command(*arguments):
        status = cli.main(["accounts", *arguments])
        return status, capsys.readouterr()

    return command


def test_the_first_admin_of_a_fresh_installation(run, tmp_path):
    status, said = run("add", "Bram@x.example", "--name", "Bram", "--role", "admin", "--role", "coordinator")
    assert status == 0
    assert re.search(r"Password: [a-z0-9]{4}(-[a-z0-9]{4}){3}\n", said.out)
    store = Store(load_settings(data_dir=tmp_path).store_url)
    (made,) = store.read(accounts.everybody)
    store.close()
    assert (made.login, made.roles) == ("bram@x.example", {Role.ADMIN, Role.COORDINATOR})
    assert made.must_change_password
    assert "bram@x.example" in run("list")[1].out


def test_a_running_service_is_no_hindrance(run, tmp_path):
    store = Store(load_settings(data_dir=tmp_path).store_url)
    store.lock()
    assert run("add", "bram", "--name", "Bram", "--role", "admin")[0] == 0
    store.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "bram", "--name", "Bram", "--role", "desk"), "has this login already"),
        (("add", "a b", "--name", "Bram", "--role", "desk"), "no spaces"),
        (("add", "piet", "--name", "", "--role", "desk"), "the name needs"),
        (("add", "piet", "--name", "Piet", "--role", "klantregisseur", "--actor", "KR9"), "has this code"),
        (("disable", "bram"), "last admin"),
        (("roles", "bram", "--role", "desk"), "last admin"),
        (("disable", "nobody"), "no such account"),
        (("reset-password", "nobody"), "no such account"),
    ],
)
def test_each_fault_is_one_clear_line(run, arguments, says):
    run("add", "bram", "--name", "Bram", "--role", "admin")
    status, said = run(*arguments)
    assert status == 1
    assert says in said.err
    assert said.err.count("\n") == 1


def test_all_that_happens_to_an_account(run):
    run("add", "bram", "--name", "Bram", "--role", "admin")
    run("add", "piet", "--name", "Piet", "--role", "desk")
    for arguments in (
        ("reset-password", "piet"),
        ("reset-totp", "piet"),
        ("roles", "piet", "--role", "editor"),
        ("disable", "piet"),
    ):
        assert run(*arguments)[0] == 0
    assert re.search(r"piet +Piet +editor +no second step yet \(switched off\)", run("list")[1].out)
    run("enable", "piet")
    assert "switched off" not in run("list")[1].out


def test_a_demonstration_has_somebody_for_each_role(service):
    assert demo.load_accounts(service) >= len(Role)
    assert demo.load_accounts(service) == 0  # once
    people = service.store.read(accounts.everybody)
    assert {role for person in people for role in person.roles} == set(Role)
    browser = make_browser(service)
    for person in people:
        assert f'value="{person.login}"' in browser.get("/desk/login").text
        assert f"<code>{person.login}</code>" in browser.get("/desk/login").text  # for who types it
        assert give_password(browser, person.login, demo.PASSWORD).status_code == 303
        assert browser.get(browser.get("/desk/login").headers["location"]).status_code == 200
        browser.cookies.clear()


def test_a_klantregisseur_of_the_demonstration_has_a_question_of_the_own_caseload(service):
    assert demo.load_demo(service)
    demo.load_accounts(service)
    for login in ("sanne", "mehmet"):
        browser = make_browser(service)
        give_password(browser, login, demo.PASSWORD)
        assert browser.get("/desk").text.count('href="/desk/tickets/') >= 1, login


def test_somebody_of_the_demonstration_can_be_linked_with_a_code(service):
    demo.load_demo(service)
    talk = Talk(service, "console", who="new").agrees("nl")
    code = demo.link_code(service)
    assert keys(talk.says(f"mijn code is {code}"))[0].startswith("link.")
    assert "Mehmet" in talk.last.text
    assert demo.link_code(service) == "", "nobody is left to link"


def test_production_makes_no_accounts_of_a_demonstration(service, tmp_path):
    service.settings = load_settings(data_dir=tmp_path, simulator=False, **KEYS)
    assert demo.load_accounts(service) == 0


def test_new_keys_keep_the_second_step(service, vault):
    sanne = make_account(service, Role.DESK)
    before = service.store.read(lambda c: accounts.secrets_of(c, sanne)).totp_sealed
    service.store.write(lambda c: rotate(c, vault, None))
    after = service.store.read(lambda c: accounts.secrets_of(c, sanne)).totp_sealed
    assert after != before
    assert vault.open_text(after) == SECRET
