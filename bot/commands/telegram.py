"""`wegwijs telegram`: set the webhook and the bot's names and commands. A deploy step, never done at start.

Telegram allows one setWebhook a second; several workers that set it at start get 429 or lose the setting.
"""

from __future__ import annotations

import importlib

from telegram import Bot, BotCommand
from telegram.error import TelegramError

from bot import content
from bot.channels.telegram import make_bot
from bot.errors import SettingsError
from bot.locales import LANGUAGES
from bot.settings import Settings

CONNECTIONS = 40


async def run(what: str, settings: Settings) -> int:
    """Carry out `set-webhook` or `set-commands`. Raises SettingsError when Telegram is not set up."""
    if not settings.has_telegram:
        raise SettingsError(["WEGWIJS_TELEGRAM_TOKEN is missing: make a bot with @BotFather and put its token here"])
    bot = make_bot(settings.telegram_token, settings.telegram_api_url)
    async with bot:
        try:
            if what == "set-webhook":
                return await _set_webhook(bot, settings)
            return await _set_commands(bot, settings)
        except TelegramError as error:
            raise SettingsError([f"Telegram refused: {error}"]) from None


async def _set_webhook(bot: Bot, settings: Settings) -> int:
    web = importlib.import_module("webhooks.telegram")  # by name: this module stands below the web in the import rules
    if not settings.public_base_url:
        raise SettingsError(["WEGWIJS_PUBLIC_BASE_URL is missing: Telegram must know where to send messages"])
    url = f"{settings.public_base_url.rstrip('/')}/telegram"
    await bot.set_webhook(
        url,
        secret_token=settings.telegram_webhook_secret,
        allowed_updates=web.ALLOWED_UPDATES,
        max_connections=CONNECTIONS,
    )
    print(f"Telegram sends messages to {url}")
    return 0


async def _set_commands(bot: Bot, settings: Settings) -> int:
    texts = content.load(settings.content_dir).replies
    for language in LANGUAGES:
        say = texts[language]
        codes = [language, ""] if language == "en" else [language]  # English for everybody without a text of their own
        commands = [
            BotCommand(key.removeprefix("telegram.command."), str(text))
            for key, text in say.items()
            if key.startswith("telegram.command.")
        ]
        for code in codes:
            await bot.set_my_commands(commands, language_code=code or None)
            await bot.set_my_name(str(say["telegram.name"]), language_code=code or None)
            await bot.set_my_description(str(say["telegram.description"]), language_code=code or None)
            await bot.set_my_short_description(str(say["telegram.short"]), language_code=code or None)
    print(f"names, descriptions and commands are set in {', '.join(LANGUAGES)}")
    return 0
