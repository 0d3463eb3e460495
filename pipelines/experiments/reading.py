"""A CSV file of outcomes, as tools export it: any of three separators, a BOM, quotes, any case.

What belongs here: from a file to `Outcomes`, and the sentence for everything that is wrong with it.
"""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.metrics import Outcomes
from pipelines.analysis.experiments.register import MOST_VARIANTS
from pipelines.config.textfile import UnreadableError, read_text
from pipelines.wording import nearest, shown

SEPARATORS = ",;\t"
TOTALS = ("variant", "exposed", "converted")
ALSO_IN_TOTALS = ("date", "macro_converted", "revenue")
USERS = ("variant", "user", "numerator")
ALSO_IN_USERS = ("denominator",)
COUNTS = ("exposed", "converted", "macro_converted")
LARGEST_COUNT = 2.0**53
MOST_BYTES = 100_000_000
"""Some four million users, for which reading takes 2 GB of memory."""


def read_outcomes(path: Path, today: date) -> Outcomes:
    """The outcomes in a file; ExperimentError names the line of what cannot be right.

    Columns `variant,exposed,converted[,macro_converted][,revenue][,date]`, or
    `variant,user,numerator[,denominator]`. No date may be after `today`, but that of the
    day after it, which has begun in the east.
    """
    file = _File(path)
    made = (
        Outcomes.from_users(file.users())
        if file.is_users
        else Outcomes.from_totals(file.totals(today))
    )
    if len(made.variants) > MOST_VARIANTS:
        raise ExperimentError(
            f"{path} has {len(made.variants)} variants, and {MOST_VARIANTS} are the most: is "
            "'variant' the column of the variants?"
        )
    return made


class _File:
    """The cells of a file as text; a row's label is its line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = read_text(path, MOST_BYTES)
        except UnreadableError as error:
            raise ExperimentError(
                f"{path} cannot be read ({error}): correct its name, or save it as CSV in UTF-8."
            ) from error
        lines = re.split(r"\r\n|\r|\n", text)
        first = next((number for number, line in enumerate(lines) if line.strip()), None)
        if first is None:
            raise ExperimentError(f"{path} is empty: its first line has to name the columns.")
        self.separator = max(SEPARATORS, key=lines[first].count)
        self._heading_line = first + 1
        try:
            cells = pd.read_csv(
                io.StringIO(text),
                sep=self.separator,
                header=None,
                skiprows=first,
                dtype=str,
                keep_default_na=False,
                na_filter=False,
                skip_blank_lines=False,
            )
        except pd.errors.ParserError as error:
            raise _no_table(path, str(error)) from error
        cells = cells.fillna("").apply(lambda column: column.str.strip())
        # What a spreadsheet leaves behind the last column.
        cells = cells.loc[:, (cells != "").any()]
        cells.index = cells.index + first + 1
        self.names = [name.casefold() for name in cells.iloc[0]]
        self.cells = cells.iloc[1:].set_axis(self.names, axis=1)
        self.cells = self.cells[(self.cells != "").any(axis=1)]
        self.is_users = "user" in self.names
        self._check_names()
        if self.cells.empty:
            raise ExperimentError(f"{path} has no row below its heading.")

    def _check_names(self) -> None:
        wanted = USERS if self.is_users else TOTALS
        known = (*wanted, *(ALSO_IN_USERS if self.is_users else ALSO_IN_TOTALS))
        for name in self.names:
            if self.names.count(name) > 1:
                raise self._wrong(self._heading_line, f"the column {shown(name)} is there twice")
        missing = [name for name in wanted if name not in self.names]
        if missing:
            likes = [name for name in self.names if name and name not in known]
            meant = f" (is it {shown(nearest(missing[0], likes))}?)" if likes else ""
            raise self._wrong(
                self._heading_line,
                f"there is no column '{missing[0]}'{meant}; write {', '.join(wanted)}, separated "
                "by commas, semicolons or tabs",
            )
        for name in self.names:
            if name not in known:
                raise self._wrong(
                    self._heading_line,
                    f"the column {shown(name)} is not known; did you mean "
                    f"'{nearest(name, [one for one in known if one not in self.names] or known)}'?",
                )

    def totals(self, today: date) -> pd.DataFrame:
        """variant, exposed, converted, and what else is there."""
        frame = pd.DataFrame({"variant": self._filled("variant")})
        for name in COUNTS:
            if name in self.names:
                frame[name] = self._counts(name)
        for name in COUNTS[1:]:
            if name in frame:
                self._refuse(
                    frame[name] > frame["exposed"],
                    f"{name} is {{{name}}}, more than exposed ({{exposed}})",
                )
        if "revenue" in self.names:
            frame["revenue"] = self._numbers("revenue")
        if "date" in self.names:
            frame["date"] = self._dates(today)
            self._check_days(frame)
        else:
            self._refuse(
                frame.duplicated("variant"),
                "the variant {variant} is there twice: one row a variant, or a column 'date' with "
                "one row a day",
            )
        return frame

    def users(self) -> pd.DataFrame:
        """variant, user, numerator, denominator."""
        frame = pd.DataFrame({"variant": self._filled("variant"), "user": self._filled("user")})
        frame["numerator"] = self._numbers("numerator")
        frame["denominator"] = self._numbers("denominator") if "denominator" in self.names else 1.0
        self._refuse(
            frame.duplicated(["variant", "user"]),
            "the user {user} is there twice in {variant}: one row a user",
        )
        return frame

    def _filled(self, name: str) -> pd.Series:
        cells: pd.Series = self.cells[name]
        self._refuse(cells == "", f"{name} is empty")
        return cells

    def _numbers(self, name: str) -> pd.Series:
        numbers: pd.Series = pd.to_numeric(self.cells[name], errors="coerce").astype("float64")
        self._refuse(
            ~np.isfinite(numbers),
            f"{name} is {{{name}}}, which is no number: write digits, with a point before decimals "
            "and nothing between thousands",
        )
        self._refuse(numbers < 0, f"{name} is {{{name}}}: it is 0 or more")
        return numbers

    def _counts(self, name: str) -> pd.Series:
        numbers = self._numbers(name)
        self._refuse(numbers % 1 != 0, f"{name} is {{{name}}}: a count is a whole number")
        self._refuse(numbers > LARGEST_COUNT, f"{name} is {{{name}}}: too large")
        return numbers

    def _dates(self, today: date) -> pd.Series:
        texts = self.cells["date"]
        dates = pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce")
        self._refuse(
            dates.isna() | (texts.str.len() != len("2026-01-01")),
            "date is {date}: write it as YYYY-MM-DD",
        )
        self._refuse(
            dates > pd.Timestamp(today) + pd.Timedelta(days=1),
            f"date is {{date}}, which is after today ({today})",
        )
        days: pd.Series = dates.dt.date
        return days

    def _check_days(self, frame: pd.DataFrame) -> None:
        self._refuse(
            frame.duplicated(["variant", "date"]), "the variant {variant} is there twice on {date}"
        )
        variants = frame["variant"].nunique()
        self._refuse(
            frame.groupby("date")["variant"].transform("nunique") < variants,
            f"{{date}} has no row of every one of the {variants} variants: a day without units has "
            "a row of zeros",
        )

    def _refuse(self, is_wrong: pd.Series, sentence: str) -> None:
        """Raise for the first row that is wrong; the sentence's braces are that row's cells."""
        places = np.flatnonzero(is_wrong.to_numpy(dtype=bool))
        if places.size:
            row = self.cells.iloc[places[0]]
            cells = {str(name): shown(str(cell)) for name, cell in row.items()}
            raise self._wrong(row.name, sentence.format_map(cells))

    def _wrong(self, line: object, sentence: str) -> ExperimentError:
        end = "" if sentence.endswith("?") else "."
        return ExperimentError(f"{self.path}, line {line}: {sentence}{end}")


def _no_table(path: Path, words: str) -> ExperimentError:
    """What pandas says of a line that has too many cells, or of a quote that does not end."""
    if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", words):
        cells, line, seen = found.groups()
        return ExperimentError(f"{path}, line {line}: {seen} cells, and the heading has {cells}.")
    if found := re.search(r"EOF inside string starting at row (\d+)", words):
        return ExperimentError(f"{path}, line {int(found[1]) + 1}: a quote opens and never closes.")
    return ExperimentError(f"{path} is no table of cells: save it as CSV in UTF-8.")
