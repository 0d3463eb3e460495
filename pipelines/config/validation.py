"""From what pydantic finds in a user's file to our one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from pipelines.wording import nearest


def refuse_unknown(name: str, known: Iterable[str]) -> None:
    """For a validator: raises the error that becomes "… is not known: did you mean …?"."""
    if name not in known:
        proposal = nearest(name, {one for one in known if one})
        message = "is not known: did you mean '{proposal}'?"
        raise PydanticCustomError("unknown", message, {"proposal": proposal})


def first_problem(error: ValidationError, model: type[BaseModel], where: str) -> str:
    """A sentence on the first finding in a row: "The stage 'produkt' <where> is not known: …".

    A field's description is what it should hold; `where` begins with "of".
    """
    problem: Any = error.errors()[0]
    column = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        known = nearest(column, model.model_fields)
        return f"The column '{column}' {where} is not known: did you mean '{known}'?"
    if problem["type"] == "missing" or not str(problem["input"]).strip():
        return f"The {column} {where} is missing: add it."
    said = f"The {column} '{problem['input']}' {where}"
    if problem["type"] == "unknown":
        return f"{said} {problem['msg']}"
    if problem["type"] == "literal_error":
        return f"{said} is not known: write {problem['ctx']['expected']}."
    return f"{said} cannot be read: write {model.model_fields[column].description}."
