"""`heatmap_columns.yml`: which column of a tool's file is what, and what a file does not say.

maps:
  clicks: {kind: clicks, tool: hotjar, columns: {element: Selector, clicks: Clicks}}
files:
  "product_*.csv": {map: clicks, page: /products/a, start: 2026-06-01, end: 2026-06-30}
"""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipelines.config.tracking_plan.cell_types import Day, Filled
from pipelines.config.validation import first_problem, refuse_if
from pipelines.config.yamlfile import read_yaml
from pipelines.sources.contract import SourceError
from pipelines.sources.page_path import page_path
from pipelines.wording import nearest, shown


class Kind(StrEnum):
    """What a file counts. `needed`: columns without which nothing can be told."""

    CLICKS = "clicks"
    SCROLL = "scroll"

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns that only the file can have."""
        return ("element", "clicks") if self is Kind.CLICKS else ("depth",)

    @property
    def fields(self) -> tuple[str, ...]:
        """Columns that a map may name."""
        own = (
            ("element", "text", "clicks")
            if self is Kind.CLICKS
            else ("depth", "visitors", "share", "all_visitors")
        )
        return (*own, *FROM_EITHER)


# What a file says in a column, or the line of it in `files`.
FROM_EITHER = ("page", "device", "start", "end")


class ColumnMap(BaseModel):
    """How files of one report of one tool are read. `columns`: field → heading of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind = Field(description="clicks or scroll")
    tool: Filled
    columns: dict[str, Filled] = Field(description="{element: Selector, clicks: Clicks}")
    decimal: Literal[".", ","] = "."


class FileLine(BaseModel):
    """What the files of one name pattern are, and what they do not say themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    map: Filled
    page: Filled | None = None
    device: Filled | None = None
    start: Day | None = None
    end: Day | None = None
    all_visitors: Annotated[str, Field(pattern=r"^[0-9]{1,9}$")] | None = Field(
        None, description="a whole number such as 1200"
    )

    @field_validator("page")
    @classmethod
    def _is_page(cls, text: str | None) -> str | None:
        path = None if text is None else page_path(text)
        refuse_if(text is not None and path is None, "is no page: write such as /products/a")
        return path


class ColumnMaps:
    """The whole file."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError: a file that is not there, is no YAML, or names what is not known."""
        self.path = path
        if not path.is_file():
            raise SourceError(
                f"{path} is missing, which says what the columns of heatmap files mean: 'sluice "
                "doctor' prints one to begin with.",
                is_general=True,
            )
        content = read_yaml(path, "The column map", "correct it (docs/heatmaps.md)", _MapError)
        sections = content if isinstance(content, dict) else {}
        for name in sections:
            if name not in ("maps", "files"):
                raise self._wrong(
                    f"has the key {shown(name)}: did you mean '{nearest(name, ('maps', 'files'))}'?"
                )
        self.maps = {
            name: self._read(ColumnMap, values, f"of the map {shown(name)}")
            for name, values in self._lines(sections, "maps").items()
        }
        self.files = {
            pattern: self._read(FileLine, values, f"of the files {shown(pattern)}")
            for pattern, values in self._lines(sections, "files").items()
        }
        for name, one in self.maps.items():
            self._check(name, one)
        for pattern, line in self.files.items():
            if line.map not in self.maps:
                raise self._wrong(
                    f"names the map {shown(line.map)} for the files {shown(pattern)}, which is not "
                    f"there; did you mean {shown(nearest(line.map, self.maps))}?"
                )

    def of(self, file: Path) -> tuple[ColumnMap, FileLine]:
        """The map of a file and what is said of it: the first pattern that fits; SourceError."""
        line = self._line(file)
        if line is not None:
            return self.maps[line.map], line
        raise SourceError(
            f"{file.name} fits no pattern under 'files' in {self.path.name}: add a line such as "
            f'\'"{file.name}": {{map: {next(iter(self.maps))}, page: /, start: 2026-06-01, '
            "end: 2026-06-30}'."
        )

    def has(self, file: Path) -> bool:
        """Whether a pattern fits the file."""
        return self._line(file) is not None

    def _line(self, file: Path) -> FileLine | None:
        name = file.name.casefold()
        return next(
            (line for one, line in self.files.items() if fnmatch(name, one.casefold())), None
        )

    def _check(self, name: str, one: ColumnMap) -> None:
        fields = one.kind.fields
        for field in one.columns:
            if field not in fields:
                raise self._wrong(
                    f"has the column {shown(field)} in the map {shown(name)}; did you mean "
                    f"'{nearest(field, fields)}'?"
                )
        missing = [field for field in one.kind.needed if field not in one.columns]
        if one.kind is Kind.SCROLL and not missing and not {"visitors", "share"} & {*one.columns}:
            missing = ["visitors"]
        if missing:
            raise self._wrong(
                f"has no column '{missing[0]}' in the map {shown(name)}: add it under columns"
            )

    def _lines(self, sections: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
        lines = sections.get(name)
        if (
            not isinstance(lines, dict)
            or not lines
            or not all(isinstance(one, dict) for one in lines.values())
        ):
            raise self._wrong(f"has no lines 'name: {{…}}' under '{name}': add one")
        return lines

    def _read(self, model: type[Any], values: dict[str, Any], where: str) -> Any:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise _MapError(first_problem(error, model, f"{where} in {self.path}")) from error

    def _wrong(self, words: str) -> SourceError:
        end = "" if words.endswith("?") else " (docs/heatmaps.md)."
        return _MapError(f"{self.path} {words}{end}")


class _MapError(SourceError):
    """About the whole map, and so about every file."""

    def __init__(self, message: str) -> None:
        super().__init__(message, is_general=True)
