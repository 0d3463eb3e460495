"""From what pydantic finds in a user's file to our one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from pipelines.wording import nearest, shown


def refuse_unknown(name: str, known: Iterable[str]) -> None:
    """For a validator: raises the error that becomes "… is not known: did you mean …?"."""
    if name not in known:
        proposal = nearest(name, {one for one in known if one})
        raise _said(f"is not known: did you mean '{proposal}'?")


def refuse_if(is_wrong: bool, words: str) -> None:
    """For a validator: raises the error that ends a sentence with `words`."""
    if is_wrong:
        raise _said(f"{words}.")


def _said(words: str) -> PydanticCustomError:
    # pydantic would fill in braces.
    return PydanticCustomError("said", "{words}", {"words": words})


def first_problem(error: ValidationError, model: type[BaseModel], where: str) -> str:
    """A sentence on the first finding in a row: "The stage 'produkt' <where> is not known: …".

    A name that is not known comes first, as it may be what is missing. A field's description is
    what it should hold; `where` begins with "of".
    """
    found: list[Any] = error.errors()
    problem = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    column = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        known = nearest(column, model.model_fields)
        return f"The column {shown(column)} {where} is not known: did you mean '{known}'?"
    if problem["type"] == "missing" or not str(problem["input"]).strip():
        return f"The {column} {where} is missing: add it."
    said = f"The {column} {shown(problem['input'])} {where}"
    if problem["type"] == "said":
        return f"{said} {problem['msg']}"
    if problem["type"] == "value_error":
        return f"{said} cannot be read: {problem['ctx']['error']}."
    if problem["type"] == "literal_error":
        return f"{said} is not known: write {problem['ctx']['expected']}."
    return f"{said} cannot be read: write {model.model_fields[column].description}."
