"""What our sentences share, and what of others' words does not get into them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

# A server's sentence is a line or two; what repeats a whole answer is not read by anybody.
MOST_CHARACTERS = 500
_SECRET = re.compile(
    r"""
    (?P<name>
        -----BEGIN\ [A-Z\ ]*-----                             # a key, to its end or the text's
        | \bbearer\s+(?=\S{8})                                # a header
        | [?&][\w.-]*(?:key|token|secret|password|sig\w*)=    # an address
        | \b(?:(?:access|refresh|id)_?token|api_?key|client_secret|password)
          ["'\\]*\s*[:=]\s*["'\\]*
    )
    (?P<value>(?<=-----).*?(?:-----END\ [A-Z\ ]*-----|\Z) | (?<!-----)[^\s"'&<>,;)}\\]+)
    | \b(?-i:eyJ[\w-]{5,}(?:\.[\w-]*)* | ya29\.[\w.-]+ | AIza[\w-]{20,} | shp[a-z]{2}_\w{16,})
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)

# A webhook's address, a key, a token: letters and digits in a long run, or letters and many digits.
_MAY_BE_SECRET = re.compile(
    r"://|PRIVATE KEY|(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{16}|(?=.*[a-z])(\D*\d){10}",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 100


def redacted(text: str) -> str:
    """`text` without what looks like a key, a token or a password: a server may repeat ours."""
    return _SECRET.sub(lambda found: f"{found['name'] or ''}[redacted]", text)


def shortened(text: str) -> str:
    """The first 500 characters, with dots where there were more."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is written most like `name`."""
    return difflib.get_close_matches(name[:_LONGEST], sorted(known), n=1, cutoff=0.0)[0]


def counted(number: int, noun: str) -> str:
    """`1 day`, `2 days`, `1,200 days`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def local(moment: datetime, zone: ZoneInfo) -> str:
    """`2026-06-30 05:30` by the clocks of `zone`, which the text around it names."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def words(name: str) -> str:
    """A key, a status or a column as words: `add_to_cart` as `add to cart`."""
    return name.replace("_", " ")


def shown(text: str) -> str:
    """What a user wrote, in quotes and in one line; not repeated where it may be a secret."""
    if len(text) > _LONGEST or _MAY_BE_SECRET.search(text):
        return f"({len(text):,} characters, not shown: they may be a secret)"
    return "'" + "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text) + "'"


def without_folder(text: str, path: Path | None) -> str:
    """The same, for readers of what is published, who need the file's name and not where it lies
    on this machine.
    """
    return text if path is None else text.replace(str(path), path.name)
