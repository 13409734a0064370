"""Fetch the style sheets and the script that the pages use, and put what is used of them into the repository.

    python scripts/vendor_assets.py           writes webhooks/static/vendor/, which is committed
    python scripts/vendor_assets.py --theme   writes nijmegen.css there, which is not: the municipality keeps its rights

Needs the npm client. Versions and contents are fixed here: a package that is not the same any more stops the script.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

VENDOR = Path(__file__).resolve().parent.parent / "webhooks" / "static" / "vendor"
LIST = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Package:
    """One package: its version, the file that is taken, and what its archive must be."""

    name: str
    version: str
    file: str
    integrity: str


def packages(kind: str) -> list[Package]:
    listed = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return [Package(**row) for row in listed[kind]]


def fetch(package: Package) -> tuple[str, str]:
    """The text of the file of a package, and of its licence."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"{package.name}@{package.version}", "--json", "--pack-destination", folder]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        packed = answer[0] if isinstance(answer, list) else next(iter(answer.values()))
        if packed["integrity"] != package.integrity:
            sys.exit(f"{package.name} {package.version} is not what it was: {packed['integrity']}")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            members = {member.name.partition("/")[2]: member for member in archive.getmembers()}
            licence = next(name for name in members if name.upper().startswith("LICENSE"))
            text, terms = (archive.extractfile(members[name]).read().decode() for name in (package.file, licence))
            return text, terms


def plain(css: str) -> str:
    """A style sheet without what only belongs at the top or the end of a file of its own."""
    css = re.sub(r'@charset "[^"]+";|/\*# sourceMappingURL=[^*]*\*/', "", css)
    return re.sub(r"\n{2,}", "\n", css).strip()


def components() -> None:
    """All components in one file, in a layer of their own, so that our own rules win whatever their specificity."""
    parts = []
    for package in packages("components"):
        text, _ = fetch(package)
        parts.append(f"/* {package.name} {package.version} */\n{plain(text)}")
    head = "/* NL Design System components, EUPL-1.2. Made by scripts/vendor_assets.py; do not edit. */\n"
    body = "\n".join(parts)
    (VENDOR / "components.css").write_text(f"{head}@layer components {{\n{body}\n}}\n", encoding="utf-8")


def htmx() -> None:
    (package,) = packages("script")
    text, terms = fetch(package)
    (VENDOR / "htmx.min.js").write_text(text, encoding="utf-8")
    (VENDOR / "htmx.LICENSE").write_text(terms, encoding="utf-8")


def theme() -> None:
    """The municipality's values for the tokens of theme.css that have a name of theirs."""
    (package,) = packages("theme")
    text, terms = fetch(package)
    theirs = dict(re.findall(r"^\s*--([a-z0-9-]+): ([^;]+);", text, re.MULTILINE))
    names: dict[str, str] = yaml.safe_load(LIST.read_text(encoding="utf-8"))["tokens"]
    if missing := sorted(set(names.values()) - set(theirs)):
        sys.exit(f"not in the package any more: {', '.join(missing)}")
    rows = "\n".join(f"  --{ours}: {theirs[name]};" for ours, name in names.items())
    head = f"/* {package.name} {package.version}. {' '.join(terms.split())} */\n"
    (VENDOR / "nijmegen.css").write_text(f"{head}:root {{\n{rows}\n}}\n", encoding="utf-8")
    print(f"{len(names)} tokens in {VENDOR / 'nijmegen.css'}; start the service again to see them")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fetch what the pages use of other people's work.")
    parser.add_argument("--theme", action="store_true", help="only the design tokens of the municipality of Nijmegen")
    VENDOR.mkdir(exist_ok=True)
    if parser.parse_args().theme:
        theme()
    else:
        components()
        htmx()
