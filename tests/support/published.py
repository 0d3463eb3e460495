"""A published version without a night: the manifest of what lies in its folder."""

import json
from pathlib import Path

from pipelines.publishing.versions import MANIFEST, file_facts


def write_manifest(folder: Path) -> dict[str, object]:
    """What publishing writes about the database in `folder`; returns it."""
    manifest: dict[str, object] = {
        "version": folder.name,
        "run_id": "r1",
        "code_version": "0.1.0",
        "published_at": "2026-03-02T04:30:00+00:00",
        "window": {"start": "", "end": ""},
        "gates": [],
        "rows": {},
        "files": {"sluice.duckdb": file_facts(folder / "sluice.duckdb")},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return manifest
