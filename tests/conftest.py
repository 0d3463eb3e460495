"""Fixtures that every kind of test may want; small on purpose."""

import os

import hypothesis
import pytest
import tenacity

# No wall-clock limits on a loaded machine, and no folder of examples in the repository.
hypothesis.settings.register_profile("sluice", deadline=None, database=None)
hypothesis.settings.load_profile("sluice")


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own SLUICE_* variables must not reach a test."""
    for name in [name for name in os.environ if name.startswith("SLUICE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Retries wait for nothing; the seconds they would have waited are noted here."""
    noted: list[float] = []
    monkeypatch.setattr(tenacity.nap.time, "sleep", noted.append)
    return noted


pytest_plugins = ["tests.e2e.fixtures"]
