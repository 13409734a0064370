"""Everything people read in the chat: read, checked, and put together from `content/`.

Pure but for reading the files.
"""

from pathlib import Path

from bot.content.load import Content, read_content
from bot.content.rules import check
from bot.errors import ContentError

__all__ = ["Content", "load"]


def load(root: Path, *, thorough: bool = True) -> Content:
    """The content of a folder. Raises ContentError with every fault found, by the form and by the rules.

    Not `thorough`: without the example questions, 14,000 by now. Nobody is ever shown one, so a start need not wait
    for what `wegwijs content check` has looked at.
    """
    content, reader = read_content(root)
    faults = reader.faults or check(content, reader, thorough=thorough)
    if faults:
        raise ContentError(sorted(faults))
    return content
