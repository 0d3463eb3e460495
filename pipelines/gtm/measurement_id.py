"""The measurement id of a shop's web stream, told apart from what is pasted in its place."""

from __future__ import annotations

import re

from pipelines.errors import ConfigError
from pipelines.wording import shown

# Every one that Google has given out so far has ten characters.
_PATTERN = re.compile(r"G-[A-Z0-9]{10}")
_OTHERS = {
    "GTM-": "the id of a Tag Manager container",
    "UA-": "the id of a Universal Analytics property, which counts no more",
    "AW-": "the id of a Google Ads account",
    "DC-": "the id of a Floodlight account",
    "GT-": "the id of a Google tag",
}
_RUNS = ("01234567890123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WORDS = ("XXX", "YOUR", "EXAMPLE", "SAMPLE", "TEST", "MEASUREMENT", "PLACEHOLD")
# In a drawn one, fewer different characters come once in ten million, and so long a run of them
# once in fifty.
_FEWEST, _RUN = 4, 6


def read_measurement_id(text: str) -> str:
    """The id as it is given. Raises ConfigError: another id, a placeholder, or none at all."""
    if why := _refusal(text):
        raise ConfigError(
            f"--measurement-id {shown(text)} is {why}: give that of the shop's web stream, G- and "
            "ten capital letters or digits, from GA4's Admin > Data streams."
        )
    return text


def _refusal(text: str) -> str | None:
    for prefix, what in _OTHERS.items():
        if text.upper().startswith(prefix):
            return what
    if text.isdecimal():
        return "the id of a property or a stream"
    # A placeholder may have any length.
    if text.upper().startswith("G-") and _is_placeholder(text[2:].upper()):
        return "a placeholder"
    return None if _PATTERN.fullmatch(text) else "no measurement id"


def _is_placeholder(characters: str) -> bool:
    """Whether nobody has drawn it: a word, one character again and again, or 123456."""
    runs = (run[start : start + _RUN] for run in _RUNS for start in range(len(run) - _RUN + 1))
    return (
        len(set(characters)) < _FEWEST
        or any(word in characters for word in _WORDS)
        or any(run in characters for run in runs)
    )
