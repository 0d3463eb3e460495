"""What a setting may be, beyond pydantic's own types. No error repeats a value."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from pipelines.config.textfile import refuse_lines

_LAST_PORT = 65_535
# The longest name that the usual file systems take, in bytes.
_LONGEST_NAME = 255
# Of an export's path; any other scheme is none that it can be read by.
OBJECT_STORES = ("s3://", "gs://", "gcs://")


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty: write a value, or take the line out")
    return text


def _plain_path(value: Any) -> Any:
    """A path that can be one, or ValueError without its words: keys were pasted in its place."""
    if isinstance(value, str | Path):
        text = refuse_lines(_filled(str(value)))
        names = text.split("/")
        if max(len(os.fsencode(name)) for name in names) > _LONGEST_NAME or "{" in names[-1]:
            raise ValueError("write the path of a file or folder, and nothing of its content")
    return value


def _readable_place(path: str) -> str:
    """A path, or an object's address without a query, which could hold keys."""
    if "://" in path and not re.fullmatch(rf"({'|'.join(OBJECT_STORES)})[^/?]+(/[^?]*)?", path):
        raise ValueError(
            "write a path, or an address such as s3://bucket/folder/events_*.parquet without ?; "
            "keys of a store are read from the environment only"
        )
    return path


def _whole_number(value: Any) -> Any:
    # pydantic takes 1_0 and 3.0 as well.
    if isinstance(value, str) and not re.fullmatch("-?[0-9]{1,20}", value):
        raise ValueError("write a whole number such as 7")
    return value


def _number(value: Any) -> Any:
    # Nor nan, inf, 1e3, or digits of other scripts.
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", value):
        raise ValueError("write a number such as 1.5")
    return value


def _real_port(endpoint: str) -> str:
    if not 0 < int(endpoint.rpartition(":")[2]) <= _LAST_PORT:
        raise ValueError(f"a port is a number from 1 to {_LAST_PORT}")
    return endpoint


Line = Annotated[str, AfterValidator(refuse_lines)]
Text = Annotated[Line, AfterValidator(_filled)]
# A file, a folder or a glob, on this machine or in an object store.
ExportPath = Annotated[Text, AfterValidator(_readable_place)]
PlainPath = Annotated[Path, BeforeValidator(_plain_path)]
Count = Annotated[int, BeforeValidator(_whole_number)]
Number = Annotated[float, BeforeValidator(_number)]
PropertyId = Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
# A host that is no name could be anything, also `user:password@host`.
Endpoint = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._-]+:[0-9]{1,5}$"), AfterValidator(_real_port)
]


class Section(BaseModel):
    """A part of the settings: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)
