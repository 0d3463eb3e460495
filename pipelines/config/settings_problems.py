"""From what pydantic finds in the settings to our one sentence.

It names the key, and the file or the variable that it stands in. The value is never repeated: it
may be a secret that was written in the wrong place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings

from pipelines.config.environment import variable_of
from pipelines.wording import nearest, shown

# pydantic's kind of a problem → what to write.
_WORDS = {
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "float_type": "write a number such as 1.5",
    "int_type": "write a whole number such as 7",
    "missing": "it is missing: add it",
    "path_type": "write a path",
    "string_type": "write a text",
    "tuple_type": "write a list of '- {key: value}' lines",
}
_EXAMPLES = {
    "at": "05:30", "endpoint": "127.0.0.1:8080", "id": "123456789", "same_shop_as": "123456789",
    "currency": "EUR", "property": "123456789", "shop": "my-shop.myshopify.com",
    "api_version": "2026-07",
}  # fmt: skip
_EMPTY = (
    "it is empty, as ~ and null are: write a value, in quotes where the word is meant, or take the "
    "line out"
)


def first_problem(error: ValidationError, model: type[BaseSettings], source: Path) -> str:
    """One sentence for the first finding; `source` is the file."""
    problem = error.errors()[0]
    location = problem["loc"] or ("properties",)
    place = variable_of(model, location) or str(source)
    if problem["type"] == "extra_forbidden":
        return unknown_key(location, model, place)
    words = _words(problem, location, model)
    return f"The setting '{'.'.join(map(str, location))}' in {place} is not usable: {words}."


def unknown_key(location: tuple[int | str, ...], model: type[BaseModel], place: str) -> str:
    """A sentence with the known key that is written most like the last part of `location`."""
    *sections, name = map(str, location)
    known = nearest(name, _keys(model, location[:-1]))
    section = f" of '{'.'.join(sections)}'" if sections else ""
    return f"The key {shown(name)}{section} in {place} is not known: did you mean '{known}'?"


def _words(problem: Any, location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    kind, limits = problem["type"], problem.get("ctx", {})
    if kind == "model_type":
        return f"write it as {{key: value}} with the keys {', '.join(_keys(model, location))}"
    if kind == "string_pattern_mismatch":
        return f"it does not look like {_EXAMPLES[str(location[-1])]}"
    if problem["input"] is None and kind != "missing":
        return _EMPTY
    if kind == "literal_error":
        return f"write {limits['expected']}"
    if kind == "less_than_equal":
        return f"write a number that is at most {limits['le']:g}"
    if kind == "greater_than":
        return f"write a number that is more than {limits['gt']:g}"
    if kind == "greater_than_equal":
        return f"write a number that is at least {limits['ge']:g}"
    return _WORDS.get(kind) or str(problem["msg"]).removeprefix("Value error, ")


def _keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Keys that are known in the section, or the item of a list, that stands there."""
    for part in location:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            kinds = (annotation, *get_args(annotation))
            model = next(
                one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)
            )
    return list(model.model_fields)
