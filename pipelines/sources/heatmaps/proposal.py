"""A column map to begin with, from the headings that a file has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.sources.heatmaps.column_map import Kind

# Field → pieces of words that headings of it often have, in some languages; the first that fits.
_WORDS = {
    "element": ("selector", "element", "selektor"),
    "text": ("text", "label", "content"),
    "clicks": ("clicks", "taps", "klick", "clic"),
    "page": ("url", "page", "seite"),
    "device": ("device", "gerät"),
    "depth": ("depth", "scroll", "tiefe", "fold"),
    "visitors": ("visitors", "users", "sessions", "views", "besucher"),
    "share": ("%", "share", "percent"),
    "start": ("start", "from"),
    "end": ("end", "until"),
}


def propose(headings: Mapping[Path, Sequence[str]]) -> tuple[str, ...]:
    """Lines of a `heatmap_columns.yml` for these files; what cannot be guessed is `…`."""
    maps, files = [], []
    for number, (path, names) in enumerate(headings.items(), 1):
        kind, columns = _guess(names)
        listed = ", ".join(f"{field}: {_quoted(name)}" for field, name in columns.items())
        maps.append(f"  map{number}: {{kind: {kind}, tool: …, columns: {{{listed}}}}}")
        said = {"page": "page: /…", "start": "start: 2026-…, end: 2026-…"}
        missing = [text for field, text in said.items() if field not in columns]
        if "share" in columns:
            missing.append("all_visitors: …")
        files.append(f"  {_quoted(path.name)}: {{{', '.join([f'map: map{number}', *missing])}}}")
    return ("maps:", *maps, "files:", *files)


def _guess(names: Sequence[str]) -> tuple[Kind, dict[str, str]]:
    found = {
        field: name
        for field, words in _WORDS.items()
        if (name := next((n for w in words for n in names if w in n.casefold()), None))
    }
    kind = Kind.SCROLL if "depth" in found and "element" not in found else Kind.CLICKS
    columns = {field: name for field, name in found.items() if field in kind.fields}
    if "visitors" in columns:
        columns.pop("share", None)
    for field in kind.needed:
        columns.setdefault(field, "…")
    return kind, {field: columns[field] for field in kind.fields if field in columns}


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
