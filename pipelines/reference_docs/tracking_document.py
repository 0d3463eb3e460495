"""Writes what docs/tracking.md says of each key: `make docs`.

It comes from the tracking plan and from docs/tracking.yml; the rest of the page is written by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from pipelines.config.folders import PROJECT_DIR
from pipelines.config.tracking_plan import SEEDS_DIR, MicroConversion, load_plan
from pipelines.config.tracking_plan.seed_files import read_seed

SOURCE = PROJECT_DIR / "docs" / "tracking.yml"
TARGET = PROJECT_DIR / "docs" / "tracking.md"
_NOTHING = "–"


@dataclass(frozen=True)
class Ways:
    """Shopify's standard event → the key it is of; key → what Tag Manager can watch of it."""

    shopify: dict[str, str]
    triggers: dict[str, dict[str, str]]


def read_ways() -> Ways:
    """What docs/tracking.yml says."""
    return Ways(**yaml.safe_load(SOURCE.read_text(encoding="utf-8")))


def render(document: str) -> str:
    """The whole file; `document` is what it was, of which what was written by hand stays."""
    plan = {micro.key: micro for micro in load_plan().micro_conversions}
    words = {row["key"]: row["description"] for row in read_seed(SEEDS_DIR, "micro_conversions")}
    ways = read_ways()
    rows = "\n".join(_row(micro, words[micro.key], ways) for micro in plan.values())
    lines = "\n".join(f"  {key}: {{trigger: {_flow(one)}}}" for key, one in ways.triggers.items())
    sent = "".join(
        f"  {standard}: '{plan[key].event_names[0]}',\n" for standard, key in ways.shopify.items()
    )
    document = _replaced(document, r"<!-- keys: .*? -->\n", f"{_HEAD}{rows}\n", "<!-- end -->")
    document = _replaced(
        document, r"<!-- triggers: .*? -->\n",
        f"```yaml\nmicro_conversions:\n{lines}\n```\n", "<!-- end -->",
    )  # fmt: skip
    return _replaced(document, r"const EVENTS = \{\n", sent, "};")


_HEAD = """\
| key | counted when | event | with | Shopify | Tag Manager watches |
|---|---|---|---|---|---|
"""


def _row(micro: MicroConversion, words: str, ways: Ways) -> str:
    name = f"**{micro.key}**" if micro.is_expected else micro.key
    standard = [f"`{event}`" for event, key in ways.shopify.items() if key == micro.key]
    watched = ways.triggers.get(micro.key)
    cells = (
        name,
        words[0].lower() + words[1:],
        " or ".join(f"`{one}`" for one in micro.event_names),
        ", ".join(f"`{one}`" for one in _parameters(micro)) or _NOTHING,
        ", ".join(standard) or _NOTHING,
        f"`{watched['kind']}`" if watched else _NOTHING,
    )
    return f"| {' | '.join(cells)} |"


def _parameters(micro: MicroConversion) -> Iterator[str]:
    yield from (f"{one.name}{one.operator}{one.value}" for one in micro.conditions)
    yield from micro.parameters


def _flow(trigger: dict[str, Any]) -> str:
    """As YAML in one line."""
    return f"{{{', '.join(f'{name}: {_scalar(one)}' for name, one in trigger.items())}}}"


def _scalar(text: str) -> str:
    return text if re.fullmatch(r"[a-z_]+", text) else json.dumps(text)


def _replaced(document: str, begin: str, content: str, end: str) -> str:
    """What stands between a line and the next `end`; raises ValueError where there is no such."""
    pattern = re.compile(rf"({begin}).*?(?={re.escape(end)})", re.DOTALL)
    found, count = pattern.subn(lambda match: match[1] + content, document)
    if count != 1:
        raise ValueError(f"{TARGET} has {count} places that begin with {begin}: there must be one.")
    return found
