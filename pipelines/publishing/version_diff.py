"""What is different between two published versions, from their manifests, in words."""

from __future__ import annotations

from pipelines.publishing.versions import Manifest

TABLES_NAMED = 3


def what_changed(before: Manifest, after: Manifest) -> list[str]:
    """Differences from `before` to `after`, one short phrase each; empty when there are none.

    Rows are those of the marts; tables that only changed their content count as changed when
    their number of rows did.
    """
    found = []
    if (old := before["window"]["end"]) != (new := after["window"]["end"]):
        found.append(f"newest day {old} → {new}")
    old_rows, new_rows = _marts(before), _marts(after)
    if difference := sum(new_rows.values()) - sum(old_rows.values()):
        found.append(f"{difference:+,} rows")
    for word, names in (("with", new_rows.keys() - old_rows.keys()),
                        ("without", old_rows.keys() - new_rows.keys())):  # fmt: skip
        if names:
            found.append(f"{word} {_named(sorted(names))}")
    if (old := before["code_version"]) != (new := after["code_version"]):
        found.append(f"code {old} → {new}")
    if before.get("held_back", []) != (kept := after.get("held_back", [])):
        found.append(f"held back: {', '.join(kept) or 'nothing'}")
    return found


def mart_rows(manifest: Manifest) -> int:
    """Rows in all marts of a version."""
    return sum(_marts(manifest).values())


def _marts(manifest: Manifest) -> dict[str, int]:
    return {
        name.removeprefix("marts."): rows
        for name, rows in manifest["rows"].items()
        if name.startswith("marts.")
    }


def _named(names: list[str]) -> str:
    more = len(names) - TABLES_NAMED
    return ", ".join(names[:TABLES_NAMED]) + (f" and {more} more tables" if more > 0 else "")
