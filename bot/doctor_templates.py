"""WhatsApp's templates as they stand at Twilio: approved, in the right language, with the words of our content.

Twilio's Content API: https://www.twilio.com/docs/content/content-api-resources (`Content/{sid}` and its
`ApprovalRequests`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx

from bot import content as texts
from bot.content import Content
from bot.errors import ContentError
from bot.findings import Finding, bad, good, warn
from bot.locales import LANGUAGES
from bot.settings import TEMPLATES, Settings

SECONDS = 10.0
URL = "https://content.twilio.com"
KEYS = {"answer": "window.template", "survey": "survey.template"}
WITHOUT = {"answer": "nobody is told that an answer waits", "survey": "nobody is asked outside the window"}
_FIELD = re.compile(r"\{\w+\}")


def check_templates(settings: Settings) -> Iterator[Finding]:
    """Each template in each language. Nothing without WhatsApp."""
    if not settings.has_whatsapp:
        return
    try:
        content = texts.load(settings.content_dir)
    except ContentError:
        return  # told already
    for template, language in product(TEMPLATES, LANGUAGES):
        sid, area = settings.template_sid(template, language), f"template {template}, {language}"
        if not sid:
            name = f"WEGWIJS_TWILIO_TEMPLATE_{template}_{language}".upper()
            yield warn(area, f"there is none: {WITHOUT[template]}", f"submit it (docs/channels.md), then set {name}")
            continue
        try:
            yield from _at_twilio(settings, sid, area, language, words(content, template, language))
        except (httpx.HTTPError, ValueError, KeyError, AttributeError, TypeError) as error:
            yield bad(
                area, f"Twilio tells nothing of it ({type(error).__name__})", "is https to content.twilio.com open?"
            )
    if any(settings.template_sid("survey", language) for language in LANGUAGES):
        yield from _price(settings)


def _price(settings: Settings) -> Iterator[Finding]:
    """What an invitation by template costs is only as good as the day on which somebody looked it up."""
    if settings.price_survey_template_set_on is None:
        mend = "look it up, then set WEGWIJS_PRICE_SURVEY_TEMPLATE_EUR, _SET_ON and _SOURCE"
        euros = f"€ {settings.price_survey_template_eur}"
        yield warn("price of an invitation", f"nobody set it: {euros} is an assumption, and so is every budget", mend)


def words(content: Content, template: str, language: str) -> str:
    """The text of a template as it is submitted: {{1}} for what is filled in."""
    return _FIELD.sub("{{1}}", str(content.replies[language][KEYS[template]]).strip())


def _at_twilio(settings: Settings, sid: str, area: str, language: str, wanted: str) -> Iterator[Finding]:
    base = f"{settings.twilio_api_url or URL}/v1/Content/{sid}"
    user = settings.twilio_api_key or settings.twilio_account_sid
    key = (user, settings.twilio_api_secret or settings.twilio_auth_token)
    answer = httpx.get(base, auth=key, timeout=SECONDS)
    if answer.status_code == 404:
        yield bad(area, "Twilio has no template of this ContentSid", "copy it from Twilio's Content Template Builder")
        return
    there: dict[str, Any] = answer.raise_for_status().json()
    approval = httpx.get(f"{base}/ApprovalRequests", auth=key, timeout=SECONDS).raise_for_status().json()["whatsapp"]
    status = approval["status"]
    if status != "approved":
        why = f": {approval['rejection_reason']}" if approval.get("rejection_reason") else ""
        yield bad(area, f"it is {status}, not approved{why}", "wait, or submit it anew under another name")
    elif there["language"].split("_")[0] != language:
        yield bad(area, f"it is in {there['language']}", "the ContentSids of two languages may have changed places")
    elif wanted not in [" ".join(kind.get("body", "").split()) for kind in there["types"].values()]:
        yield warn(
            area, "its words differ from those of our content", "submit it anew, or undo the change of the words"
        )
    else:
        yield good(area, f"approved as {approval.get('category', '').lower() or 'unknown'}")
