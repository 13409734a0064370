"""The parts of the running service, made from the settings.

The web application, the worker alone and the terminal share it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot import busy, logs, survey_events, survey_waves, survey_window
from bot import content as texts
from bot.channels.base import Channel
from bot.channels.console import ConsoleChannel
from bot.channels.duty_webhook import DutyPostman
from bot.channels.smtp import LogPostman, SmtpPostman
from bot.chores import Chore, MailRound, Sweep
from bot.clock import Clock
from bot.content import Content
from bot.conversation import Conversation
from bot.desk import digest, proposals, window
from bot.desk.digest import DigestRules
from bot.desk.telling import Teller
from bot.desk.window import TEMPLATE, WindowRules
from bot.identifiers import Vault
from bot.inbox import Inbox
from bot.locales import LANGUAGES
from bot.monitoring import facts
from bot.settings import TEMPLATES, Settings
from bot.storage.migrate import upgrade
from bot.storage.models import MarkerRow
from bot.storage.store import Store
from bot.survey_answers import Surveyor
from bot.survey_reports import KeepReports, SurveyFigures
from bot.understanding import Understander
from bot.webhook_watch import TelegramWatch
from bot.worker import Worker

if TYPE_CHECKING:
    from bot.translation import Translator

CONSOLES = ("console", "console-numbers")
MICRO = 1_000_000  # prices are kept in millionths of a euro
CLOCK_MARKER = "clock_offset_seconds"


@dataclass
class Service:
    """Everything that runs, wired. `close` when done."""

    settings: Settings
    store: Store
    vault: Vault
    clock: Clock
    content: Content
    conversation: Conversation
    channels: Mapping[str, Channel]
    inbox: Inbox
    worker: Worker
    translator: Translator | None = None

    async def close(self) -> None:
        if self.translator is not None:
            await self.translator.close()
        for channel in self.channels.values():
            await channel.close()
        self.store.close()


def build(
    settings: Settings,
    *,
    understander: Understander | None = None,
    channels: Mapping[str, Channel] | None = None,
) -> Service:
    """Load the content, open and upgrade the database, wire the rest.

    `understander`: one that is there or being loaded; otherwise it is loaded here, into this process.

    Raises ContentError, SettingsError, SecondProcessError or StoreUnavailableError: the start stops with one clear
    message.
    """
    logs.quiet()
    loaded = texts.load(settings.content_dir, thorough=False)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url)
    store.lock()
    upgrade(store.engine)
    store.start()
    clock = Clock(_offset(store) if settings.simulator else timedelta())
    vault = Vault(settings.fernet_keys, settings.hash_key)
    surveyor = make_surveyor(settings, loaded)
    understander = understander or _load_understander(settings)
    conversation = Conversation(
        content=loaded,
        understander=understander,
        vault=vault,
        clock=clock,
        hours=settings.hours,
        duty=settings.duty,
        here=settings.here,
        rules=settings.push_rules,
        surveyor=surveyor,
    )
    channels = channels if channels is not None else make_channels(settings, store, clock)
    worker = Worker(
        store=store,
        vault=vault,
        clock=clock,
        conversation=conversation,
        channels=channels,
        chores=[*make_chores(settings, store, clock, loaded), *_watches(settings, store, clock, surveyor)],
        retention_days=settings.retention_days,
    )
    inbox = Inbox(store, vault, clock, worker.wake)
    translator = _translator(settings)
    service = Service(settings, store, vault, clock, loaded, conversation, channels, inbox, worker, translator)
    worker.chores = [*worker.chores, KeepReports(SurveyFigures(service))]
    return service


def _watches(settings: Settings, store: Store, clock: Clock, surveyor: Surveyor) -> list[Chore]:
    """Invitations where surveys are on; the webhook where there is one."""
    chores = [survey_round(store, clock, surveyor)] if settings.surveys else []
    content = surveyor.content
    chores.append(Sweep("who waits in a rush", 10, store, clock, lambda c, now: busy.tell(c, content, now)))
    if settings.has_telegram and settings.public_base_url:
        api = f"{settings.telegram_api_url}/bot{settings.telegram_token}"
        chores.append(TelegramWatch(store, clock, api, f"{settings.here}/telegram"))
    return chores


def survey_round(store: Store, clock: Clock, surveyor: Surveyor) -> Chore:
    """Looks what happened to people, and lets invitations go, a few at a time."""

    def work(connection: sa.Connection, now: datetime) -> int:
        return survey_events.watch(connection, surveyor, now) + survey_waves.release(connection, surveyor, now)

    return Sweep("the round of invitations", 5, store, clock, work)


def window_rules(settings: Settings) -> WindowRules:
    """What nudges and templates need of the settings."""
    return WindowRules(
        settings.push_rules,
        _templates(settings, TEMPLATE),
        round(settings.price_template_eur * MICRO),
        round(settings.price_message_eur * MICRO),
    )


def make_surveyor(settings: Settings, content: Content) -> Surveyor:
    """What surveys need of the settings."""
    price = round(settings.price_survey_template_eur * MICRO)
    templates = _templates(settings, survey_window.TEMPLATE)
    return Surveyor(content, settings.research_key, settings.push_rules, templates, price)


def _templates(settings: Settings, name: str) -> dict[str, frozenset[str]]:
    """The languages of a template by channel; an invented phone has all."""
    set_up = frozenset(code for code in LANGUAGES if settings.template_sid(name, code))
    return {"whatsapp": set_up, "console-numbers": frozenset(LANGUAGES)}


def make_chores(settings: Settings, store: Store, clock: Clock, content: Content) -> list[Chore]:
    """What the worker does beside messages."""
    server = settings.smtp_server
    post = SmtpPostman(server) if server.host else LogPostman()
    postman = DutyPostman(post, settings.urgent_webhook)
    rules = DigestRules(
        settings.desk_email, settings.desk_opens, settings.desk_closes, settings.mail_language, settings.here
    )
    windows = window_rules(settings)
    return [
        MailRound(store, clock, postman, alone=store.is_sqlite),
        Sweep("the window", 5, store, clock, lambda connection, now: window.put_due(connection, now, content, windows)),
        Sweep(
            "the answers that went live",
            30,
            store,
            clock,
            lambda c, now: proposals.deliver(c, Teller(content, settings.hours, now), settings.push_rules),
        ),
        Sweep("the facts", 3600, store, clock, lambda connection, now: facts.write(connection, now, content)),
        Sweep("the digest", 20, store, clock, lambda connection, now: digest.put_due(connection, now, rules)),
    ]


def _load_understander(settings: Settings) -> Understander:
    from bot.understanding.engine import load_understander  # noqa: PLC0415  # the encoders load only where messages are understood

    return load_understander(settings.content_dir, settings.data_dir / "models")


def _translator(settings: Settings) -> Translator | None:
    if not settings.translator_url:
        return None
    from bot.translation import LibreTranslator  # noqa: PLC0415  # httpx takes 0.1 s and 6 MB, and most have no translator

    return LibreTranslator(settings.translator_url, settings.translator_key)


def _offset(store: Store) -> timedelta:
    query = sa.select(MarkerRow.value).where(MarkerRow.name == CLOCK_MARKER)
    value = store.read(lambda connection: connection.execute(query).scalar_one_or_none())
    return timedelta(seconds=float(value or 0))


def make_channels(settings: Settings, store: Store, clock: Clock) -> dict[str, Channel]:
    """The channels that are set up; the invented phones only where the chat page may run."""
    channels: dict[str, Channel] = {}
    if settings.has_telegram:
        channels["telegram"] = _telegram(settings)
    if settings.has_whatsapp:
        channels["whatsapp"] = _whatsapp(settings)
    if settings.simulator:
        channels |= {name: ConsoleChannel(store, clock, name) for name in CONSOLES}
    return channels


# The libraries of a channel load only where it is set up: 0.1 s and 7 MB each.


def _telegram(settings: Settings) -> Channel:
    from bot.channels.telegram import TelegramChannel, make_bot  # noqa: PLC0415  # as above

    return TelegramChannel(make_bot(settings.telegram_token, settings.telegram_api_url))


def _whatsapp(settings: Settings) -> Channel:
    from twilio.rest import Client  # noqa: PLC0415  # as above

    from bot.channels.whatsapp import HttpClient, WhatsAppChannel  # noqa: PLC0415  # as above

    http = HttpClient(settings.twilio_api_url)
    user = settings.twilio_api_key or settings.twilio_account_sid
    password = settings.twilio_api_secret or settings.twilio_auth_token
    client = Client(user, password, settings.twilio_account_sid, http_client=http)
    callback = f"{settings.public_base_url.rstrip('/')}/whatsapp/status" if settings.public_base_url else None
    templates = {
        (name, code): sid for name in TEMPLATES for code in LANGUAGES if (sid := settings.template_sid(name, code))
    }
    return WhatsAppChannel(client, http, sender=settings.twilio_sender, status_callback=callback, templates=templates)
