"""A CSV file of outcomes, as tools export it: any of three separators, a BOM, quotes, any case.

What belongs here: from a file to `Outcomes`, and the sentence for everything that is wrong with it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.metrics import Outcomes
from pipelines.analysis.experiments.register import MOST_VARIANTS
from pipelines.config.csvfile import CsvFile
from pipelines.wording import nearest, shown

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


class _File(CsvFile):
    """What a file of outcomes may hold."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, MOST_BYTES, ExperimentError, headings=("variant",))
        self.is_users = "user" in self.names
        self._check_names()
        self.refuse_no_rows()

    def _check_names(self) -> None:
        wanted = USERS if self.is_users else TOTALS
        known = (*wanted, *(ALSO_IN_USERS if self.is_users else ALSO_IN_TOTALS))
        self.refuse_twice()
        missing = [name for name in wanted if name not in self.names]
        if missing:
            likes = [name for name in self.names if name and name not in known]
            meant = f" (is it {shown(nearest(missing[0], likes))}?)" if likes else ""
            raise self.wrong(
                self.heading_line,
                f"there is no column '{missing[0]}'{meant}; write {', '.join(wanted)}, separated "
                "by commas, semicolons or tabs",
            )
        for name in self.names:
            if name not in known:
                raise self.wrong(
                    self.heading_line,
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
                self.refuse(
                    frame[name] > frame["exposed"],
                    f"{name} is {{{name}}}, more than exposed ({{exposed}})",
                )
        if "revenue" in self.names:
            frame["revenue"] = self._numbers("revenue")
        if "date" in self.names:
            frame["date"] = self._dates(today)
            self._check_days(frame)
        else:
            self.refuse(
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
        self.refuse(
            frame.duplicated(["variant", "user"]),
            "the user {user} is there twice in {variant}: one row a user",
        )
        return frame

    def _filled(self, name: str) -> pd.Series:
        cells: pd.Series = self.cells[name]
        self.refuse(cells == "", f"{name} is empty")
        return cells

    def _numbers(self, name: str) -> pd.Series:
        numbers: pd.Series = pd.to_numeric(self.cells[name], errors="coerce").astype("float64")
        self.refuse(
            ~np.isfinite(numbers),
            f"{name} is {{{name}}}, which is no number: write digits, with a point before decimals "
            "and nothing between thousands",
        )
        self.refuse(numbers < 0, f"{name} is {{{name}}}: it is 0 or more")
        return numbers

    def _counts(self, name: str) -> pd.Series:
        numbers = self._numbers(name)
        self.refuse(numbers % 1 != 0, f"{name} is {{{name}}}: a count is a whole number")
        self.refuse(numbers > LARGEST_COUNT, f"{name} is {{{name}}}: too large")
        return numbers

    def _dates(self, today: date) -> pd.Series:
        texts = self.cells["date"]
        dates = pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce")
        self.refuse(
            dates.isna() | (texts.str.len() != len("2026-01-01")),
            "date is {date}: write it as YYYY-MM-DD",
        )
        self.refuse(
            dates > pd.Timestamp(today) + pd.Timedelta(days=1),
            f"date is {{date}}, which is after today ({today})",
        )
        days: pd.Series = dates.dt.date
        return days

    def _check_days(self, frame: pd.DataFrame) -> None:
        self.refuse(
            frame.duplicated(["variant", "date"]), "the variant {variant} is there twice on {date}"
        )
        variants = frame["variant"].nunique()
        self.refuse(
            frame.groupby("date")["variant"].transform("nunique") < variants,
            f"{{date}} has no row of every one of the {variants} variants: a day without units has "
            "a row of zeros",
        )
