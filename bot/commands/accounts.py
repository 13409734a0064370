"""`wegwijs accounts …`: the first admin, and whoever has locked themselves out, without a browser."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.engine import Connection

from bot.accounts import accounts, passwords, tries
from bot.accounts.accounts import Account, Wanted
from bot.clock import Clock
from bot.errors import AccountError
from bot.identifiers import Vault
from bot.roles import Principal, Role
from bot.settings import Settings
from bot.storage.migrate import upgrade
from bot.storage.store import Store

COMMAND_LINE = Principal("command line", frozenset())
_FAULTS = {
    "bad_login": "the login needs at least two characters and no spaces; an e-mail address is fine",
    "login_taken": "somebody has this login already; see `wegwijs accounts list`",
    "bad_name": "the name needs between 1 and 64 characters",
    "no_role": f"--role is missing: {', '.join(Role)}",
    "unknown_actor": "--actor: no klantregisseur of the caseload has this code",
    "actor_without_role": "--actor is only for the role klantregisseur",
    "last_admin": "this is the last admin; make another account admin first",
    "roles_from_elsewhere": "the roles of this account come from the municipality's login (WEGWIJS_OIDC_ROLES)",
    "login_from_elsewhere": "this account logs in at the municipality and has no password here",
    "gone": "there is no such account; see `wegwijs accounts list`",
}


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Carry one of the commands out; raises AccountError with a sentence. Works beside a running service."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url)
    try:
        upgrade(store.engine)
        store.start()
        try:
            if options.what in ("add", "reset-password"):
                _with_password(store, options, Vault(settings.fernet_keys, settings.hash_key))
            else:
                _COMMANDS[options.what](store, options)
        except AccountError as error:
            raise AccountError(_FAULTS[error.fault]) from None
    finally:
        store.close()
    return 0


def _with_password(store: Store, options: argparse.Namespace, vault: Vault) -> None:
    """A password for one login, printed once: only its hash is kept."""
    password, now = passwords.one_time(), Clock().machine_now()
    hashed = passwords.hash_of(password)

    def add(connection: Connection) -> None:
        wanted = Wanted(options.name, frozenset(options.role), accounts.actor_by_code(connection, options.actor))
        accounts.add(connection, COMMAND_LINE, options.login, wanted, now, password_hash=hashed)

    def reset(connection: Connection) -> None:
        account = _account(connection, options.login)
        accounts.set_password(connection, COMMAND_LINE, account.id, hashed, now, must_change=True)
        tries.forget(connection, vault.lookup("login-account", account.login))

    store.write(add if options.what == "add" else reset)
    print(f"Login:    {accounts.normal_login(options.login)}\nPassword: {password}")
    print("For one login; it then asks for an own password. It is not shown again.")


def _list(store: Store, _: argparse.Namespace) -> None:
    for account in store.read(accounts.everybody):
        state = "" if account.active else " (switched off)"
        second = "second step" if account.has_totp else "elsewhere" if account.is_external else "no second step yet"
        print(f"{account.login or '-':30} {account.name:24} {','.join(sorted(account.roles)):40} {second}{state}")


def _reset_totp(store: Store, options: argparse.Namespace) -> None:
    store.write(_on(options, lambda c, account: accounts.reset_totp(c, COMMAND_LINE, account.id, _now())))
    print("The next login asks to set the second step up.")


def _disable(store: Store, options: argparse.Namespace) -> None:
    store.write(_on(options, lambda c, account: accounts.switch(c, COMMAND_LINE, account.id, _now(), on=False)))
    print("Switched off, and logged out everywhere.")


def _enable(store: Store, options: argparse.Namespace) -> None:
    store.write(_on(options, lambda c, account: accounts.switch(c, COMMAND_LINE, account.id, _now(), on=True)))
    print("Switched on.")


def _roles(store: Store, options: argparse.Namespace) -> None:
    def change(connection: Connection, account: Account) -> None:
        roles = frozenset(options.role)
        actor_id = account.actor_id if Role.KLANTREGISSEUR in roles else None
        if options.actor:
            actor_id = accounts.actor_by_code(connection, options.actor)
        accounts.change(connection, COMMAND_LINE, account.id, Wanted(account.name, roles, actor_id), _now())

    store.write(_on(options, change))
    print("Changed, and logged out everywhere.")


_COMMANDS: dict[str, Callable[[Store, argparse.Namespace], None]] = {
    "list": _list,
    "reset-totp": _reset_totp,
    "disable": _disable,
    "enable": _enable,
    "roles": _roles,
}


def _on(options: argparse.Namespace, work: Callable[[Connection, Account], None]) -> Callable[[Connection], None]:
    return lambda connection: work(connection, _account(connection, options.login))


def _account(connection: Connection, login: str) -> Account:
    account = accounts.by_login(connection, login)
    if account is None:
        raise AccountError("gone")
    return account


def _now() -> datetime:
    return Clock().machine_now()
