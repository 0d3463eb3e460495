"""Every file that a user writes is read here, up to its characters: text that DuckDB takes, too."""

from __future__ import annotations

import re
import stat
from pathlib import Path

# Five thousand keys, which YAML takes three seconds for; a hundred megabytes would stop the night.
MOST_BYTES = 1_000_000
# What is not written by hand, and what some reader of a file or a page breaks at: control
# characters but tab and the ends of lines, halves of a pair, and two that are no characters.
NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# What is more than one line.
LINE_BREAK = re.compile("[\t\n\r\x85\u2028\u2029]")


class UnreadableError(Exception):
    """Why a file is not read: half a sentence, with the line where there is one."""


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """The whole text, without a byte order mark; raises UnreadableError.

    A pipe or a device is not opened: it may have no end, or never begin.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableError("it is no file")
        with path.open("rb") as file:
            raw = file.read(most_bytes + 1)
    except OSError as error:
        raise UnreadableError(error.strerror or type(error).__name__) from error
    if len(raw) > most_bytes:
        raise UnreadableError(f"it is larger than {most_bytes:,} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"line {line} is not UTF-8: save it as UTF-8") from error
    if found := NO_TEXT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise UnreadableError(
            f"line {line} has a character that is no text, {code_point(found[0])}"
        )
    return text


def refuse_lines(text: str) -> str:
    """For a validator: the text, which has to stand in one line, and be text.

    Raises ValueError whose words do not repeat it.
    """
    if LINE_BREAK.search(text):
        raise ValueError("it has a tab or a line break: write it in one line")
    if found := NO_TEXT.search(text):
        raise ValueError(f"it has a character that is no text, {code_point(found[0])}")
    return text


def code_point(character: str) -> str:
    """`U+0000`."""
    return f"U+{ord(character):04X}"
