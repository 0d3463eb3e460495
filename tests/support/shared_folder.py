"""Where what is dear to make is made once for all workers of a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.monitoring.home_lock import exclusive


@contextmanager
def made_once(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder of the session, and whether to make now what is in it; other workers wait.

    With several workers it lies above the folder of each. What failed is tried by the next.
    """
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    is_made = folder / "made"
    with exclusive(folder / "made.lock"):
        yield folder, not is_made.exists()
        is_made.touch()
