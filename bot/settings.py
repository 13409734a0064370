"""One typed settings object, read once from the environment (and `.env`), checked, passed on. Never read on import.

Every setting stands in `.env.example` with what it does; a test holds the two together.
"""

from __future__ import annotations

import re
from datetime import date, time
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

from cryptography.fernet import Fernet
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.alarm import Duty
from bot.channels.smtp import SmtpServer
from bot.development_keys import development_keys, kept_keys, new_keys
from bot.errors import SettingsError
from bot.folders import ROOT as _ROOT
from bot.folders import Folders
from bot.locales import LANGUAGES
from bot.pushes import PushRules
from bot.retention import read_days
from bot.roles import Role
from bot.working_days import RELIGIOUS, DeskHours

_SAFE = ("https://", "http://127.0.0.1:", "http://localhost:")  # nobody in between reads or changes it
_ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,63}|[^@\s,;<>\"]{1,64}@localhost")
_Days = Annotated[dict[str, int], NoDecode, BeforeValidator(lambda value: read_days(value) if value else {})]
ROOT = _ROOT
TEMPLATES = ("answer", "survey")  # approved by Meta, for what goes outside WhatsApp's window


class Settings(Folders):
    """What can be set. Names in the environment are the same in capitals, with WEGWIJS_ before them."""

    environment: Literal["development", "production"] = "development"
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    public_base_url: str = ""

    secret_keys: str = ""
    hash_key: str = ""

    telegram_token: str = ""
    telegram_webhook_secret: str = ""
    telegram_api_url: str = "https://api.telegram.org"

    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    twilio_shared_key: str = ""
    twilio_api_key: str = ""
    twilio_api_secret: str = ""
    twilio_sender: str = ""
    twilio_api_url: str = ""

    twilio_template_answer_nl: str = ""
    twilio_template_answer_en: str = ""
    twilio_template_answer_ar: str = ""
    price_template_eur: float = Field(0.05, ge=0, le=10)
    price_message_eur: float = Field(0.05, ge=0, le=10)
    twilio_template_survey_nl: str = ""
    twilio_template_survey_en: str = ""
    twilio_template_survey_ar: str = ""
    price_survey_template_eur: float = Field(0.13, ge=0, le=10)
    price_survey_template_set_on: date | None = None  # none: nobody set it, and the price is an assumption
    price_survey_template_source: str = Field("", max_length=120)

    smtp_host: str = ""
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = ""
    mail_language: Literal["nl", "en"] = "nl"
    urgent_email: str = ""
    urgent_email_second: str = ""
    urgent_webhook: str = ""
    urgent_second_after: int = Field(3, ge=1, le=100)
    desk_email: str = ""

    telegram_bot: str = Field("", pattern=r"^(?:[A-Za-z0-9_]{5,32})?$")
    link_code_days: int = Field(30, ge=1, le=365)
    max_upload_bytes: int = Field(2_000_000, ge=1024, le=20_000_000)

    telegram: bool = True
    whatsapp: bool = True
    desk: bool = True
    surveys: bool = True
    simulator: bool = True
    desk_opens: time = time(9)
    session_idle_minutes: int = Field(60, ge=5, le=720)
    session_hours: int = Field(10, ge=1, le=24)
    second_factor: Literal["required", "optional"] = "required"
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_roles_claim: str = "roles"
    oidc_roles: str = ""
    oidc_actor_claim: str = ""
    desk_closes: time = time(17)
    desk_answers_within_days: int = Field(1, ge=0, le=30)
    translator_url: str = ""
    translator_key: str = ""
    max_body_bytes: int = Field(131072, ge=1024)
    metrics_token: str = ""
    monitoring_answers: str = ""
    monitoring_api_key: str = ""
    monitoring_min_people: int = Field(10, ge=5, le=100)
    message_price_telegram: float = Field(0, ge=0, le=10)
    message_price_whatsapp: float | None = Field(None, ge=0, le=10)

    research_key: str = ""
    retention_days: _Days = Field(default_factory=dict)

    push_quiet_from: time = time(20)
    push_quiet_until: time = time(9)
    push_holidays: str = "eid_al_fitr,eid_al_adha,orthodox_christmas,orthodox_easter"
    push_days_off: str = ""
    push_per_week: int = Field(3, ge=0, le=50)
    push_calm_days: int = Field(14, ge=0, le=28)

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def has_own_keys(self) -> bool:
        """Whether the keys were given, and are not those that this machine made for development."""
        return kept_keys(self.data_dir).get("secret_keys") != self.secret_keys

    @property
    def has_demo_accounts(self) -> bool:
        """Whether the invented accounts with a known password may log in: only beside the chat page, which has none."""
        return self.simulator and not self.is_production

    @property
    def oidc_role_map(self) -> dict[str, Role]:
        """What a role at the municipality's login is here. Raises ValueError for a role that there isn't."""
        pairs = [pair.rpartition("=") for pair in self.oidc_roles.split(",") if pair.strip()]
        return {there.strip(): Role(here.strip()) for there, _, here in pairs}

    @property
    def store_url(self) -> str:
        url = self.database_url or f"sqlite:///{self.data_dir / 'wegwijs.sqlite3'}"
        return re.sub(r"\Apostgres:", "postgresql:", url)  # the short name that some hosts hand out

    @property
    def hours(self) -> DeskHours:
        return DeskHours(self.desk_closes, self.desk_answers_within_days)

    @property
    def push_rules(self) -> PushRules:
        """When the service may speak first."""
        return PushRules(
            self.push_quiet_from,
            self.push_quiet_until,
            frozenset(map(date.fromisoformat, _listed(self.push_days_off))),
            self.push_per_week,
            self.push_calm_days,
            frozenset(_listed(self.push_holidays)),
        )

    @property
    def here(self) -> str:
        """Where people find this service, without a slash at the end."""
        return self.public_base_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def smtp_server(self) -> SmtpServer:
        return SmtpServer(
            self.smtp_host, self.smtp_port, self.smtp_security, self.smtp_user, self.smtp_password, self.mail_from
        )

    @property
    def duty(self) -> Duty:
        """Who hears of urgent questions. Without a mail server it is the log, whatever the address."""
        first = self.urgent_email or ("" if self.smtp_host else "duty@localhost")
        second, after = self.urgent_email_second, self.urgent_second_after
        return Duty(first, second, after, self.here, self.mail_language, bool(self.urgent_webhook))

    @property
    def has_telegram(self) -> bool:
        return bool(self.telegram_token) and self.telegram

    def template_sid(self, template: str, language: str) -> str:
        """The ContentSid of a template (one of TEMPLATES) in a language; empty when there is none."""
        return str(getattr(self, f"twilio_template_{template}_{language}", ""))

    @property
    def has_whatsapp(self) -> bool:
        return bool(self.twilio_account_sid) and self.whatsapp

    @property
    def fernet_keys(self) -> list[str]:
        return _listed(self.secret_keys)


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def load_settings(**overrides: object) -> Settings:
    """The settings of the environment, with keys made for development where there are none.

    Raises SettingsError with one line for each thing that is missing, wrong or contradicts another.
    """
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]  # the values come from the command line or a test
    except ValidationError as error:
        faults = [f"WEGWIJS_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise SettingsError(faults) from None
    except UnicodeDecodeError:
        raise SettingsError([".env: not UTF-8; save the file as UTF-8"]) from None
    faults = list(_faults(settings))
    if faults:
        raise SettingsError(faults)
    missing = {name for name in new_keys() if not getattr(settings, name)}
    if not missing:
        return settings
    made = development_keys(settings.data_dir)
    return settings.model_copy(update={name: made[name] for name in missing})


def _faults(settings: Settings) -> list[str]:
    faults = [
        *_telegram_faults(settings),
        *_whatsapp_faults(settings),
        *_push_faults(settings),
        *_mail_faults(settings),
        *_monitoring_faults(settings),
        *_oidc_faults(settings),
        *_database_faults(settings.store_url),
    ]
    if not settings.content_dir.is_dir():
        faults.append(f"WEGWIJS_CONTENT_DIR: {settings.content_dir} is no folder")
    if settings.translator_url and not settings.translator_url.startswith(("http://", "https://")):
        faults.append("WEGWIJS_TRANSLATOR_URL: must start with http:// or https://")
    for key in settings.fernet_keys:
        try:
            Fernet(key)
        except ValueError:
            faults.append("WEGWIJS_SECRET_KEYS: not a key; make one with `wegwijs keys new`")
    if bool(settings.secret_keys) != bool(settings.hash_key):
        faults.append("WEGWIJS_SECRET_KEYS and WEGWIJS_HASH_KEY belong together: set both or none")
    return faults + (_production_faults(settings) if settings.is_production else [])


def _database_faults(url: str) -> list[str]:
    """The address itself is never told: it may hold a password."""
    if not url.startswith(("sqlite:", "postgresql:", "postgresql+psycopg:")):
        return ["WEGWIJS_DATABASE_URL: only sqlite:///file and postgresql://… are supported"]
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        form = "sqlite:///file or postgresql://user:password@host:5432/name, with @ : / in a password as %40 %3A %2F"
        return [f"WEGWIJS_DATABASE_URL: can't be read; write it as {form}"]
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        return ["WEGWIJS_DATABASE_URL: names no file, so everything would be gone at the end; write sqlite:///file"]
    return []


def _monitoring_faults(settings: Settings) -> list[str]:
    faults = []
    if settings.monitoring_answers and not Path(settings.monitoring_answers).is_file():
        faults.append(f"WEGWIJS_MONITORING_ANSWERS: {settings.monitoring_answers} is no file")
    if settings.monitoring_api_key and len(settings.monitoring_api_key) < 24:
        faults.append("WEGWIJS_MONITORING_API_KEY: 24 characters at least, or somebody guesses it")
    return faults


def _telegram_faults(settings: Settings) -> list[str]:
    if not settings.telegram_token:
        return ["WEGWIJS_TELEGRAM_WEBHOOK_SECRET is set without WEGWIJS_TELEGRAM_TOKEN"] * bool(
            settings.telegram_webhook_secret
        )
    faults = []
    if not settings.telegram_webhook_secret:
        faults.append("WEGWIJS_TELEGRAM_WEBHOOK_SECRET is missing: without it anybody could write as Telegram")
    elif not settings.telegram_webhook_secret.replace("-", "").replace("_", "").isalnum():
        faults.append("WEGWIJS_TELEGRAM_WEBHOOK_SECRET: only letters, digits, - and _")
    return faults


def _whatsapp_faults(settings: Settings) -> list[str]:
    if not settings.has_whatsapp:
        return []
    faults = []
    if not (settings.twilio_auth_token or settings.twilio_shared_key):
        faults.append("WEGWIJS_TWILIO_AUTH_TOKEN or WEGWIJS_TWILIO_SHARED_KEY is missing: signatures can't be checked")
    if bool(settings.twilio_api_key) != bool(settings.twilio_api_secret):
        faults.append("WEGWIJS_TWILIO_API_KEY and WEGWIJS_TWILIO_API_SECRET belong together: set both or none")
    if not settings.twilio_api_key and not settings.twilio_auth_token:
        faults.append("WEGWIJS_TWILIO_API_KEY with its secret, or WEGWIJS_TWILIO_AUTH_TOKEN, is needed to send")
    if not settings.twilio_sender.startswith("whatsapp:"):
        faults.append("WEGWIJS_TWILIO_SENDER: must look like whatsapp:+31…")
    for template, language in product(TEMPLATES, LANGUAGES):
        sid = settings.template_sid(template, language)
        if sid and not re.fullmatch(r"HX[0-9a-fA-F]{32}", sid):
            name = f"WEGWIJS_TWILIO_TEMPLATE_{template}_{language}".upper()
            faults.append(f"{name}: must be the ContentSid of the template, HX and 32 digits")
    if not settings.public_base_url:
        faults.append("WEGWIJS_PUBLIC_BASE_URL is missing: Twilio's signature covers the public address")
    return faults


def _push_faults(settings: Settings) -> list[str]:
    faults = []
    if settings.research_key and settings.research_key == settings.hash_key:
        faults.append("WEGWIJS_RESEARCH_KEY must differ from WEGWIJS_HASH_KEY, or answers could be tied to addresses")
    if settings.push_quiet_until >= settings.push_quiet_from:
        faults.append("WEGWIJS_PUSH_QUIET_UNTIL must be earlier in the day than WEGWIJS_PUSH_QUIET_FROM")
    if unknown := [name for name in _listed(settings.push_holidays) if name not in RELIGIOUS]:
        faults.append(f"WEGWIJS_PUSH_HOLIDAYS: '{unknown[0]}' is not known; known are {', '.join(RELIGIOUS)}")
    for day in _listed(settings.push_days_off):
        try:
            date.fromisoformat(day)
        except ValueError:
            faults.append(f"WEGWIJS_PUSH_DAYS_OFF: '{day}' is no day; write days as 2027-03-09, with commas between")
    return faults


def _mail_faults(settings: Settings) -> list[str]:
    faults = []
    for name in ("mail_from", "urgent_email", "urgent_email_second", "desk_email"):
        address = getattr(settings, name)
        if address and not _ADDRESS.fullmatch(address):
            faults.append(f"WEGWIJS_{name.upper()}: not an e-mail address; write one, such as desk@example.org")
    if settings.smtp_host and not settings.mail_from:
        faults.append("WEGWIJS_MAIL_FROM is missing: the mail server wants to know who writes")
    if bool(settings.smtp_user) != bool(settings.smtp_password):
        faults.append("WEGWIJS_SMTP_USER and WEGWIJS_SMTP_PASSWORD belong together: set both or none")
    if settings.urgent_webhook and not settings.urgent_webhook.startswith(_SAFE):
        faults.append("WEGWIJS_URGENT_WEBHOOK must start with https://, or http://127.0.0.1: on this machine")
    if settings.urgent_email_second and not settings.urgent_email:
        faults.append("WEGWIJS_URGENT_EMAIL_SECOND is set without WEGWIJS_URGENT_EMAIL")
    return faults


def _oidc_faults(settings: Settings) -> list[str]:
    if not settings.oidc_issuer:
        return []
    faults = []
    if not settings.oidc_client_id or not settings.oidc_client_secret:
        faults.append("WEGWIJS_OIDC_CLIENT_ID and WEGWIJS_OIDC_CLIENT_SECRET are needed with WEGWIJS_OIDC_ISSUER")
    if not settings.oidc_issuer.startswith(_SAFE):
        faults.append("WEGWIJS_OIDC_ISSUER must start with https://")
    elif settings.is_production and not settings.oidc_issuer.startswith("https://"):
        faults.append("WEGWIJS_OIDC_ISSUER must start with https:// in production")
    try:
        mapped = settings.oidc_role_map
    except ValueError:
        mapped = {}
    if not mapped or "" in mapped:
        names = ", ".join(Role)
        faults.append(f"WEGWIJS_OIDC_ROLES: write theirs=ours with commas, such as WW-DESK=desk; ours are {names}")
    return faults


def _production_faults(settings: Settings) -> list[str]:
    faults = []
    if not settings.secret_keys:
        faults.append("WEGWIJS_SECRET_KEYS and WEGWIJS_HASH_KEY: needed in production; `wegwijs keys new` makes both")
    if not settings.research_key:
        faults.append("WEGWIJS_RESEARCH_KEY is missing: `wegwijs keys new` makes it; answers to surveys hang on it")
    if settings.simulator:
        faults.append("WEGWIJS_SIMULATOR must be false in production: the chat page has no login")
    if not settings.public_base_url.startswith("https://"):
        faults.append("WEGWIJS_PUBLIC_BASE_URL must start with https:// in production")
    if settings.twilio_api_url:
        faults.append("WEGWIJS_TWILIO_API_URL is for tests only; leave it empty in production")
    if settings.telegram_api_url != "https://api.telegram.org":
        faults.append("WEGWIJS_TELEGRAM_API_URL is for tests only; leave it out in production")
    return faults + _production_mail_faults(settings)


def _production_mail_faults(settings: Settings) -> list[str]:
    faults = []
    if not settings.smtp_host or not settings.urgent_email:
        faults.append("WEGWIJS_SMTP_HOST and WEGWIJS_URGENT_EMAIL are needed: nobody would hear of a cry for help")
    if settings.smtp_security == "none" and settings.smtp_host not in ("localhost", "127.0.0.1"):
        faults.append("WEGWIJS_SMTP_SECURITY must be starttls or tls in production, but for a server on this machine")
    return faults
