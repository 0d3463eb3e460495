"""What sends a key's event, as a shop writes it: `trigger: {kind: click, selector: '.zoom'}`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from pipelines.config.field_types import Line
from pipelines.config.tracking_plan.plan_model import Trigger, TriggerKind
from pipelines.config.validation import first_problem, refuse_if, refuse_unknown
from pipelines.errors import SeedError
from pipelines.wording import shown

_WATCHING = ", ".join(kind for kind in TriggerKind if kind.has_selector)
_QUOTED = re.compile(r"""\\.|"[^"]*"|'[^']*'""")
_NO_CSS = frozenset("/%!@;<?`")
_PAIRS = {")": "(", "]": "["}


class _TriggerRow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Line
    # Braces are Tag Manager's own: {{x}} is a variable there.
    selector: Line = Field(
        "",
        pattern=r"^([^{}\s,>+~]([^{}]*[^{}\s,>+~])?)?$",
        max_length=500,
        validate_default=True,
        description="a CSS selector such as '.zoom', 500 characters at most, without braces",
    )

    @field_validator("kind")
    @classmethod
    def _is_kind(cls, text: str) -> str:
        refuse_unknown(text, set(TriggerKind))
        return text

    @field_validator("selector")
    @classmethod
    def _fits(cls, text: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        if kind is not None:
            refuse_if(not text and TriggerKind(kind).has_selector, "is missing: add it")
            refuse_if(
                text != "" and not TriggerKind(kind).has_selector,
                f"is of no use to the kind '{kind}': leave it out, or write one of {_WATCHING}",
            )
        found = sorted(_NO_CSS.intersection(_QUOTED.sub("", text)))
        refuse_if(
            bool(found),
            f"has {' '.join(found)} outside of quotes, as no CSS selector has: write \\ before it, "
            "or copy the selector and not the XPath",
        )
        refuse_if(not _is_closed(text), "has a bracket or a quote without the other: correct it")
        return text


def read_trigger(written: Any, key: str, path: Path) -> Trigger:
    """`written`: what stands under `trigger` of the key. Raises SeedError."""
    where = f"the trigger of the key {shown(key)} in {path}"
    if not isinstance(written, dict) or not all(
        one is None or isinstance(one, str) for one in written.values()
    ):
        raise SeedError(
            f"T{where[1:]} cannot be read: write it as {{kind: click, selector: '.zoom'}}, the "
            "selector in quotes."
        )
    row = {name: (value or "").strip() for name, value in written.items()}
    try:
        found = _TriggerRow.model_validate(row)
    except ValidationError as error:
        raise SeedError(first_problem(error, _TriggerRow, f"of {where}")) from error
    return Trigger(TriggerKind(found.kind), found.selector)


def _is_closed(selector: str) -> bool:
    """Whether brackets and quotes come in pairs: the browser takes no other one, and says so only
    in its console.
    """
    bare = _QUOTED.sub("", selector)
    open_ones: list[str] = []
    for one in bare:
        if one in "([":
            open_ones.append(one)
        elif one in _PAIRS and (not open_ones or open_ones.pop() != _PAIRS[one]):
            return False
    return not open_ones and not set(bare) & {"'", '"'}
