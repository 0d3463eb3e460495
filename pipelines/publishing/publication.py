"""What a publication consists of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pipelines.warehouse.statuses import RunStatus


@dataclass(frozen=True)
class Publication:
    """What to publish, and what the manifest says about it."""

    build_db: Path
    published_dir: Path
    run_id: str
    code_version: str
    window_start: str
    window_end: str
    keep_versions: int
    with_parquet: bool
    # Properties that this run holds back: readers keep their rows of the version before.
    kept_back: tuple[str, ...] = ()
    # Who may read it beside the owner.
    group: str | None = None
    # The page that goes with it.
    page: Path | None = None
    # The stamp of the publication. The folder's name is the machine's time, whatever the home's:
    # names are in the order of publication.
    now: datetime = field(kw_only=True)

    @property
    def status(self) -> RunStatus:
        """How the run ends."""
        return RunStatus.PARTLY_PUBLISHED if self.kept_back else RunStatus.PUBLISHED
