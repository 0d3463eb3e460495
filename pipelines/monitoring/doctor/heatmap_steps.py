"""The heatmap downloads of a property: is there a column map, and can every file be read by it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pipelines.config.second_sources import Heatmaps
from pipelines.config.settings import Settings
from pipelines.monitoring.doctor.step_model import Step, right, wrong
from pipelines.sources.contract import SourceError, as_source_error
from pipelines.wording import counted

HEATMAPS = "heatmaps"


def heatmap_steps(settings: Settings, property_id: str) -> tuple[Step, ...]:
    """None where the property has no downloads."""
    entry = next((one for one in settings.heatmaps if one.property == property_id), None)
    if entry is None:
        return ()
    try:
        return (_step(settings, entry),)
    except Exception as error:
        return (wrong(HEATMAPS, str(as_source_error(error, f"What {entry.path.name} holds"))),)


def _step(settings: Settings, entry: Heatmaps) -> Step:
    # Only a shop with downloads imports what reading one takes.
    from pipelines.sources.heatmaps.column_map import ColumnMaps  # noqa: PLC0415
    from pipelines.sources.heatmaps.source import HeatmapSource  # noqa: PLC0415

    source = HeatmapSource(entry, settings)
    try:
        paths = source.paths
    except SourceError as error:
        return wrong(HEATMAPS, str(error))
    try:
        maps = ColumnMaps(entry.columns)
    except SourceError as error:
        return wrong(HEATMAPS, str(error), _proposed(paths))
    if source.problems:
        unmapped = [path for path in paths if not maps.has(path)]
        mapped = [path for path in paths if maps.has(path)]
        return wrong(
            HEATMAPS,
            source.problems[0],
            (*source.problems[1:], *_headings(mapped), *_proposed(unmapped)),
        )
    pages = {row for one in source.files for row in one.rows["page_path"].unique()}
    return right(HEATMAPS, f"{counted(len(paths), 'file')} of {counted(len(pages), 'page')}")


def _headings(paths: list[Path]) -> tuple[str, ...]:
    return tuple(
        f"headings of {path.name}: {', '.join(names)}" for path, names in _read(paths).items()
    )


def _proposed(paths: list[Path]) -> tuple[str, ...]:
    """The headings that were found, and a map to edit."""
    from pipelines.sources.heatmaps.proposal import propose  # noqa: PLC0415

    found = _read(paths)
    if not found:
        return ()
    return (*_headings(paths), "a column map to begin with:", *propose(found))


def _read(paths: list[Path]) -> dict[Path, list[str]]:
    """Headings of the files that have any."""
    from pipelines.sources.heatmaps.reading import headings_of  # noqa: PLC0415

    found = {}
    for path in paths:
        with suppress(SourceError):
            found[path] = headings_of(path)
    return found
