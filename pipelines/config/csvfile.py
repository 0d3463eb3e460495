"""A CSV file that somebody exported or wrote: its cells as text, and what is wrong with one.

Any of three separators, a BOM, quotes, lines before the heading, headings in any case. What the
columns mean is the reader's.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.config.textfile import UnreadableError, read_text
from pipelines.errors import SluiceError
from pipelines.wording import counted, shown

if TYPE_CHECKING:
    import _csv

SEPARATORS = ",;\t"
# What stands in the first column of a row that sums up the others.
TOTALS = ("total", "totals", "grand total", "summary")
# Tools write a title, a period and filters above the heading.
MOST_LINES_BEFORE = 50


class CsvFile:
    """The cells of a file as text, stripped; `names` are its headings in small letters, and a
    row's label is its line. `digest`: SHA-256 of the text.
    """

    def __init__(
        self,
        path: Path,
        most_bytes: int,
        error: type[SluiceError],
        headings: Collection[str] = (),
        *,
        is_widest: bool = False,
    ) -> None:
        """The heading is the first line that has all `headings` (in small letters), else the first
        that has anything, or (`is_widest`) that has most cells. Raises `error`.
        """
        self.path, self._error = path, error
        try:
            text = read_text(path, most_bytes)
        except UnreadableError as cause:
            raise error(
                f"{path} cannot be read ({cause}): correct its name, or save it as CSV in UTF-8."
            ) from cause
        self.digest = hashlib.sha256(text.encode()).hexdigest()
        lines = re.split(r"\r\n|\r|\n", text)
        first = next((number for number, line in enumerate(lines) if line.strip()), None)
        if first is None:
            raise error(f"{path} is empty: its first line has to name the columns.")
        self._lines = lines
        near = lines[: first + MOST_LINES_BEFORE]
        if is_widest:
            first = max(
                range(len(near)), key=lambda number: max(map(near[number].count, SEPARATORS))
            )
        first, self.separator = next(
            _headed(near, headings), (first, max(SEPARATORS, key=lines[first].count))
        )
        self.heading_line = first + 1
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
        except pd.errors.ParserError as cause:
            raise self._no_table(str(cause)) from cause
        cells = cells.fillna("").apply(lambda column: column.str.strip())
        # What a spreadsheet leaves behind the last column.
        cells = cells.loc[:, (cells != "").any()]
        cells.index = pd.Index(self._first_lines(len(cells)))
        self.headings: Sequence[str] = list(cells.iloc[0])
        self.names = [name.casefold() for name in self.headings]
        self.cells = cells.iloc[1:].set_axis(self.names, axis=1)
        self.cells = self.cells[(self.cells != "").any(axis=1)]

    def leave_out_totals(self, name: str) -> None:
        """Without the rows of which the column says that they sum up the others."""
        self.cells = self.cells[~self.cells[name].str.casefold().isin(TOTALS)]

    def refuse_no_rows(self) -> None:
        """Raise where there is no row below the heading."""
        if self.cells.empty:
            raise self._error(f"{self.path} has no row below its heading.")

    def refuse_short(self) -> None:
        """Raise for the first line with fewer cells than the heading, as of a file that ends amid
        a line; a missing cell is an empty one otherwise.
        """
        rows = self._rows()
        try:
            whole = len(next(rows))
            short = next((row for row in rows if any(map(str.strip, row)) and len(row) < whole), ())
        except csv.Error as cause:
            line = self.heading_line - 1 + rows.line_num
            raise self.wrong(line, f"it cannot be read ({cause})") from cause
        if short:
            line = self.heading_line - 1 + rows.line_num
            raise self.wrong(
                line,
                f"{counted(len(short), 'cell')}, and the heading has {whole}: copy the file whole, "
                "or export it again",
            )

    def refuse_twice(self) -> None:
        """Raise where two columns have one heading."""
        for name in self.names:
            if self.names.count(name) > 1:
                raise self.wrong(self.heading_line, f"the column {shown(name)} is there twice")

    def refuse(self, is_wrong: pd.Series, sentence: str) -> None:
        """Raise for the first row that is wrong; of headings in braces the sentence has that row's
        cells, whatever signs a heading has.
        """
        places = np.flatnonzero(is_wrong.to_numpy(dtype=bool))
        if places.size:
            row = self.cells.iloc[places[0]]
            cells = {f"{{{name}}}": shown(str(cell)) for name, cell in row.items()}
            named = "|".join(map(re.escape, sorted(cells, key=len, reverse=True)))
            raise self.wrong(row.name, re.sub(named, lambda found: cells[found[0]], sentence))

    def wrong(self, line: object, sentence: str) -> SluiceError:
        """The error that begins with the place."""
        end = "" if sentence.endswith("?") else "."
        return self._error(f"{self.path}, line {line}: {sentence}{end}")

    def _rows(self) -> _csv.Reader:
        """The heading's row and those below it; its `line_num` is 1 after the heading."""
        return csv.reader(self._lines[self.heading_line - 1 :], delimiter=self.separator)

    def _first_lines(self, count: int) -> Sequence[int]:
        """The line in which each of so many rows begins."""
        is_ended = self._lines[-1] == ""
        if count < len(self._lines[self.heading_line - 1 :]) - is_ended:
            # Some cell has several lines.
            rows, places = self._rows(), [self.heading_line]
            with suppress(csv.Error):  # a cell longer than 131,072 signs
                places += [self.heading_line + rows.line_num for _ in rows]
            if len(places) > count:
                return places[:count]
        return range(self.heading_line, self.heading_line + count)

    def _no_table(self, words: str) -> SluiceError:
        """What pandas says of a line that has too many cells, or of a quote that does not end."""
        if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", words):
            cells, line, seen = found.groups()
            return self._error(
                f"{self.path}, line {line}: {seen} cells, and the heading has {cells}."
            )
        if found := re.search(r"EOF inside string starting at row (\d+)", words):
            return self._error(
                f"{self.path}, line {int(found[1]) + 1}: a quote opens and never closes."
            )
        return self._error(f"{self.path} is no table of cells: save it as CSV in UTF-8.")


def _headed(lines: Sequence[str], headings: Collection[str]) -> Iterator[tuple[int, str]]:
    """Lines that have all of these headings, each with the separator by which it has them."""
    if not headings:
        return
    for number, line in enumerate(lines):
        for separator in SEPARATORS:
            with suppress(csv.Error):  # a cell longer than any heading
                row = next(csv.reader([line], delimiter=separator), [])
                if {cell.strip().casefold() for cell in row}.issuperset(headings):
                    yield number, separator
