"""One downloaded file as rows of a raw table, or the sentence for why it is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.config.csvfile import CsvFile
from pipelines.sources.contract import SourceError
from pipelines.sources.device_names import ALL, device_name
from pipelines.sources.heatmaps.column_map import ColumnMap, FileLine, Kind
from pipelines.sources.heatmaps.tables import DIGEST, MAP
from pipelines.sources.page_path import page_path
from pipelines.wording import nearest, shown

MOST_BYTES = 20_000_000
# Down to so many percent is "the top", where everybody has been.
TOP_PERCENT = 5
_WHOLE_PERCENT = 100
_LARGEST_COUNT = 2.0**53


@dataclass(frozen=True)
class HeatmapFile:
    """What a file holds: columns of the raw table without the stamps, and its kind."""

    kind: Kind
    rows: pd.DataFrame

    @property
    def digest(self) -> str:
        """Which file it is, by all that is in it."""
        return str(self.rows[DIGEST].iloc[0])

    @property
    def maps(self) -> set[tuple[object, ...]]:
        """Tool, page, device and period of what it has rows of."""
        return set(self.rows[list(MAP)].drop_duplicates().itertuples(index=False, name=None))


def read_heatmap(path: Path, column_map: ColumnMap, line: FileLine, today: date) -> HeatmapFile:
    """Raises SourceError, with the line where there is one."""
    return _Reader(path, column_map, line, today).read()


def headings_of(path: Path) -> list[str]:
    """The headings that a file seems to have, for who writes a map: its first line with most
    cells. Raises SourceError.
    """
    file = CsvFile(path, MOST_BYTES, SourceError, is_widest=True)
    return [name for name in file.headings if name]


class _Reader:
    """One file with its map."""

    def __init__(self, path: Path, column_map: ColumnMap, line: FileLine, today: date) -> None:
        self._map, self._line, self._today = column_map, line, today
        self._headings = {
            field: heading.strip().casefold() for field, heading in column_map.columns.items()
        }
        self._file = CsvFile(path, MOST_BYTES, SourceError, set(self._headings.values()))
        self._check_headings()
        self._file.leave_out_totals(self._headings[column_map.kind.needed[0]])
        self._file.refuse_no_rows()

    def read(self) -> HeatmapFile:
        """All rows."""
        rows = pd.DataFrame({"tool": self._map.tool.casefold()}, index=self._file.cells.index)
        rows["page_path"] = self._pages()
        rows["device"] = self._either("device", ALL).map(device_name)
        rows["period_start"], rows["period_end"] = self._period()
        rows["file"], rows[DIGEST] = self._file.path.name, self._file.digest
        add = self._clicks if self._map.kind is Kind.CLICKS else self._scroll
        add(rows)
        return HeatmapFile(self._map.kind, rows.reset_index(drop=True))

    def _check_headings(self) -> None:
        self._file.refuse_twice()
        for field, heading in self._headings.items():
            if heading not in self._file.names:
                found = [name for name in self._file.names if name]
                likes = f" (is it {shown(nearest(heading, found))}?)" if found else ""
                raise self._file.wrong(
                    self._file.heading_line,
                    f"there is no column {shown(self._map.columns[field])}, which its map has for "
                    f"'{field}'{likes}: is it another report, or in another language? Correct the "
                    "map ('sluice doctor' prints the headings)",
                )

    def _pages(self) -> pd.Series:
        if "page" not in self._headings and self._line.page is None:
            raise self._unsaid("of which page it is", "page: /products/a")
        pages = self._either("page", "").map(page_path)
        if "page" in self._headings:
            self._file.refuse(pages.isna(), f"{{{self._headings['page']}}} is no page")
        return pages

    def _period(self) -> tuple[pd.Series, pd.Series]:
        """Each of a column or of the file's line; where only one of them is said, it is both."""
        told = [days for name in ("start", "end") if (days := self._days(name)) is not None]
        if not told:
            raise self._unsaid("of which days it is", "start: 2026-06-01, end: 2026-06-30")
        starts, ends = told[0], told[-1]
        self._file.refuse(ends < starts, "the period ends before it begins")
        self._file.refuse(
            ends > self._today, f"the period ends after today ({self._today}): is it right?"
        )
        return starts, ends

    def _days(self, field: str) -> pd.Series | None:
        heading = self._headings.get(field)
        if heading is None:
            day = getattr(self._line, field)
            return day and pd.Series(date.fromisoformat(day), self._file.cells.index)
        texts = self._file.cells[heading].str[:10]
        days = pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce")
        self._file.refuse(days.isna(), f"{{{heading}}} is no date: it has to be as 2026-06-30")
        dates: pd.Series = days.dt.date
        return dates

    def _either(self, field: str, missing: str) -> pd.Series:
        """The cells of a column, or what the file's line says."""
        if field in self._headings:
            cells: pd.Series = self._file.cells[self._headings[field]]
            return cells
        return pd.Series(getattr(self._line, field) or missing, self._file.cells.index)

    def _clicks(self, rows: pd.DataFrame) -> None:
        element = self._headings["element"]
        self._file.refuse(self._file.cells[element] == "", "a row has no element")
        rows["element"] = self._file.cells[element]
        text = self._headings.get("text")
        rows["element_text"] = self._file.cells[text].str.slice(0, 80) if text else ""
        rows["clicks"] = self._counts("clicks")
        self._file.refuse(
            rows.duplicated([*MAP, "element", "element_text"]),
            f"the element {{{element}}} is there twice for the same page, device and period: is "
            "another column missing in the map?",
        )

    def _scroll(self, rows: pd.DataFrame) -> None:
        depth = self._headings["depth"]
        rows["depth_percent"] = self._percents("depth")
        self._file.refuse(
            rows["depth_percent"] > _WHOLE_PERCENT, f"{{{depth}}} is no depth from 0 to 100 %"
        )
        self._file.refuse(
            rows.duplicated([*MAP, "depth_percent"]),
            f"the depth {{{depth}}} is there twice for the same page, device and period",
        )
        rows["visitors"] = self._counts("visitors") if "visitors" in self._headings else None
        rows["all_visitors"] = self._all_visitors(rows)
        if "share" in self._headings:
            rows["share"] = self._percents("share") / _WHOLE_PERCENT
        else:
            rows["share"] = rows["visitors"] / rows["all_visitors"]
        self._file.refuse(
            (rows["share"] > 1) | rows["share"].isna(),
            "more than all visitors came so deep, or there were none: is it another column?",
        )
        ordered = rows.sort_values("depth_percent", kind="stable")
        grows = ordered.groupby(list(MAP))["share"].diff() > 0
        self._file.refuse(
            grows.reindex(rows.index),
            "more visitors came to a greater depth: is it another column?",
        )

    def _all_visitors(self, rows: pd.DataFrame) -> pd.Series:
        """Of a column, the file's line, or how many were at the top."""
        if "all_visitors" in self._headings:
            return self._counts("all_visitors")
        if self._line.all_visitors is not None:
            return pd.Series(int(self._line.all_visitors), rows.index)
        top = rows["visitors"].where(rows["depth_percent"] <= TOP_PERCENT)
        counted = top.astype("float64").groupby([rows[name] for name in MAP]).transform("max")
        if "visitors" not in self._headings or counted.isna().any():
            raise self._unsaid("how many visitors its shares are of", "all_visitors: 1200")
        return counted.astype("int64")

    def _percents(self, field: str) -> pd.Series:
        """Numbers of 0 to 100; the top and all visitors are far above 1."""
        numbers, heading = self._numbers(field), self._headings[field]
        is_marked = self._file.cells[heading].str.contains("%", regex=False).any()
        if not is_marked and numbers.nunique() > 1 and numbers.max() <= 1:
            raise self._file.wrong(
                self._file.heading_line,
                f"{shown(self._map.columns[field])} has no number above 1, so these seem to be "
                "fractions: write percent, from 0 to 100",
            )
        return numbers

    def _counts(self, field: str) -> pd.Series:
        numbers = self._numbers(field)
        heading = self._headings[field]
        self._file.refuse(
            self._file.cells[heading].str.contains(r"[.,]000$"),
            f"{{{heading}}} may be thousands or may have decimals: take the sign out of the file",
        )
        self._file.refuse(
            (numbers % 1 != 0) | (numbers > _LARGEST_COUNT), f"{{{heading}}} is no whole number"
        )
        return numbers.astype("int64")

    def _numbers(self, field: str) -> pd.Series:
        """Cells as numbers 0 or more; a percent sign and spaces between thousands are left out."""
        heading, decimal = self._headings[field], self._map.decimal
        other = "," if decimal == "." else "."
        texts = self._file.cells[heading].str.removesuffix("%").str.strip()
        texts = texts.str.replace(r"(?<=\d)[ \u00a0\u202f](?=\d{3}\b)", "", regex=True)
        self._file.refuse(
            texts.str.contains(",", regex=False) & texts.str.contains(".", regex=False),
            f"{{{heading}}} has a point and a comma: export it again without signs between "
            "thousands, or take them out",
        )
        self._file.refuse(
            texts.str.contains(other, regex=False),
            f"{{{heading}}} has '{other}', and the map says \"decimal: '{decimal}'\": change it "
            "there if it stands before decimals, or take it out of the file",
        )
        plain = texts.str.replace(decimal, ".", regex=False)
        is_number = plain.str.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?")
        self._file.refuse(~is_number, f"{{{heading}}} is no number")
        numbers: pd.Series = plain.astype(np.float64)
        return numbers

    def _unsaid(self, said: str, example: str) -> SourceError:
        return SourceError(
            f"{self._file.path.name} does not say {said}: add '{example}' to its line under "
            "'files' in the column map, or map a column that has it."
        )
