"""The heatmap downloads of one property as a second source: all files, read anew each night."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa

from pipelines.config.second_sources import Heatmaps
from pipelines.config.settings import Settings
from pipelines.ingest.day_window import DayWindow
from pipelines.sources.contract import Fetched, SourceError, SourceTable, as_source_error
from pipelines.sources.files import files_of, short_name
from pipelines.sources.heatmaps.column_map import ColumnMaps, Kind
from pipelines.sources.heatmaps.reading import HeatmapFile, read_heatmap
from pipelines.sources.heatmaps.tables import DIGEST, HEATMAP_CLICK, HEATMAP_TABLES, MAP
from pipelines.wording import without_folder

logger = logging.getLogger("sluice")


class HeatmapSource:
    """Fits `pipelines.sources.contract.Source`. A file that is not usable stops itself alone."""

    name = "heatmaps"

    def __init__(self, entry: Heatmaps, settings: Settings) -> None:
        self.property_id, self.account = entry.property, short_name(entry.path)
        self.tables: Sequence[SourceTable] = HEATMAP_TABLES
        self._entry, self._settings = entry, settings

    def fetch(self, table: SourceTable, window: DayWindow) -> Fetched:
        """The rows of all files of one kind, whatever days they are of; raises SourceError where
        there is no file, or none is usable.
        """
        kind = Kind.CLICKS if table.name == HEATMAP_CLICK.name else Kind.SCROLL
        if table is self.tables[0]:
            for problem in self.problems:
                logger.warning("%s", problem)
        found = [one.rows for one in self.files if one.kind is kind]
        if not self.files and self.problems:
            raise SourceError(self.problems[0])
        frame = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
        schema = table.schema
        rows = (
            pa.Table.from_pandas(frame[schema.names], schema, preserve_index=False)
            if found
            else schema.empty_table()
        )
        return Fetched(
            table,
            rows,
            (
                rows.select(list(MAP)).group_by(list(MAP)).aggregate([]),
                # Also those that another column map made of the same file, of whichever kind.
                pa.table({DIGEST: [one.digest for one in self.files]}),
            ),
            notes=tuple(self.problems),
        )

    @cached_property
    def _read(self) -> tuple[list[HeatmapFile], list[str]]:
        """Files that are usable, and a sentence for each that is not."""
        maps = self._maps
        today = self._settings.clock.now().date()
        files: dict[str, HeatmapFile] = {}
        problems: list[str] = []
        for name, path in _named(self.paths):
            try:
                files[name] = read_heatmap(path, *maps.of(path), today)
            except Exception as error:
                # Also a fault of ours: the other files are read.
                problem = as_source_error(error, f"What {path.name} holds")
                problems.append(without_folder(str(problem), path))
        for name, other in _twice(files):
            problems.append(
                f"{name} and {other} are of the same page, device and days, so none of them is "
                "read: remove one."
            )
            files.pop(name, None)
            files.pop(other, None)
        return list(files.values()), problems

    @property
    def _maps(self) -> ColumnMaps:
        try:
            return ColumnMaps(self._entry.columns)
        except SourceError as error:
            words = without_folder(str(error), self._entry.columns)
            raise SourceError(words, is_general=True) from error

    @property
    def files(self) -> list[HeatmapFile]:
        """Those that are usable; raises SourceError where no map or no file is there."""
        return self._read[0]

    @property
    def problems(self) -> list[str]:
        """A sentence for each file that is not usable."""
        return self._read[1]

    @property
    def paths(self) -> list[Path]:
        """The files that the entry names, by name; raises SourceError where there is none."""
        found = files_of(self._entry.path, "path")
        if not found:
            raise SourceError(
                f"There is no file {self.account}: put a heatmap download there, or correct "
                "'path' under heatmaps.",
                is_general=True,
            )
        return found


def _named(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Each by its name, with its folder where another has the same."""
    names = [path.name for path in paths]
    return [
        (path.name if names.count(path.name) == 1 else short_name(path), path) for path in paths
    ]


def _twice(files: dict[str, HeatmapFile]) -> list[tuple[str, str]]:
    """Pairs of files of one kind that are of the same page, device and period."""
    seen: dict[tuple[object, ...], str] = {}
    pairs = []
    for name, one in files.items():
        for what in one.maps:
            other = seen.setdefault((one.kind, *what), name)
            if other != name:
                pairs.append((other, name))
    return sorted(set(pairs))
