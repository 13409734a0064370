"""Everything people read in the chat: read, checked, and put together from `content/`.

Pure but for reading the files.
"""

from pathlib import Path

from bot.content.load import Content, read_content
from bot.content.rules import check
from bot.errors import ContentError

__all__ = ["Content", "load"]


def load(root: Path) -> Content:
    """The content of a folder. Raises ContentError with every fault found, by the form and by the rules."""
    content, reader = read_content(root)
    faults = reader.faults or check(content, reader)
    if faults:
        raise ContentError(sorted(faults))
    return content
