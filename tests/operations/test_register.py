"""The text for the Dutch algorithm register fits the fields of its publication standard (version 1.0)."""

from __future__ import annotations

import re

from bot.settings import ROOT

# From the schema of the register: frontend/standard-config/v1_0.json of MinBZK/Algoritmeregister.
REQUIRED = {"name", "description_short", "organization", "status", "contact_email", "publication_category", "lang"}
CHOICES = {
    "category": {"Migratie en integratie"},
    "status": {"In ontwikkeling", "In gebruik", "Buiten gebruik"},
    "publication_category": {"Hoog-risico AI-systeem", "Impactvolle algoritmes", "Overige algoritmes"},
    "lang": {"nld"},
    "standard_version": {"1.0"},
}


def fields():
    """Name in the schema, rule, words."""
    text = (ROOT / "docs" / "algoritmeregister.md").read_text(encoding="utf-8")
    return re.findall(r"^\| [^|*]+ \| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)


def test_every_field_is_there_within_its_bounds():
    found = {name: (rule, words) for name, rule, words in fields()}
    assert len(found) == len(fields()) == 29
    assert {name for name, (rule, _) in found.items() if "verplicht" in rule} == REQUIRED
    for name, (rule, words) in found.items():
        bound = re.fullmatch(r"(?:verplicht, )?(\d+)", rule)
        assert not bound or len(words) < int(bound[1]) or words.startswith(("nog te bepalen", "leeg")), name
    for name, choices in CHOICES.items():
        assert found[name][1] in choices, name
