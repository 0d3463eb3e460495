"""A short form of `make chaos`: a kill and two signals at drawn moments, and a night that heals."""

from contextlib import nullcontext
from pathlib import Path

from pipelines.config.settings import Settings
from tests.chaos.kills import PHASES, attack
from tests.e2e.shop import ga4_marts

# Draws a SIGTERM and, of a backfill, a Ctrl-C while dbt builds the first layers, and a kill while
# a night publishes: what they end early costs least.
SEED = 14560


def test_after_kills_a_night_makes_all_good(
    earlier_home: Settings, published_home: Settings, tmp_path: Path
) -> None:
    """Both homes hold the same days: one by a night after the attacks, one by a quiet one."""
    attacks = attack(
        earlier_home,
        ga4_marts(published_home),
        dict.fromkeys(PHASES, 0.5),
        tmp_path,
        kills=3,
        seed=SEED,
        server=lambda: nullcontext(str(earlier_home.ga4.endpoint)),
    )
    assert attacks.wrong == []
    assert sum(attacks.done.values()) == 3
