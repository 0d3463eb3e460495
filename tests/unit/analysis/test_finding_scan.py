"""Which part of the shop stands out, against likelihood ratios worked out by hand."""

import numpy as np
import pytest

from pipelines.analysis.findings.cubes import WHOLE, Cube, as_json, from_json, label
from pipelines.analysis.findings.scan import dispersion, scan
from pipelines.analysis.findings.scopes import Step, explained_share, scopes_of
from pipelines.analysis.stats.arrays import Floats

VALUES = np.array(
    [(device, channel) for device in ("desktop", "mobile") for channel in ("Email", "Paid")],
    dtype=object,
)
MOBILE = (("device", "mobile"),)
PAID_ON_MOBILE = (("device", "mobile"), ("channel", "Paid"))
WINDOW = slice(0, 28)


def cube(successes: list[float], trials: list[float], values: np.ndarray = VALUES) -> Cube:
    """Two steps; every count on the first of 28 days."""
    counts = np.zeros((2, len(values), 28))
    counts[0, :, 0], counts[1, :, 0] = trials, successes
    return Cube(("device", "channel"), values, counts)


def window(one: Cube) -> tuple[Floats, Floats]:
    return one.counts[1].sum(axis=1), one.counts[0].sum(axis=1)


def step(*, floor: float = 0.5, is_leak: bool = True, phi: float = 1.0) -> Step:
    return Step(1, 0, floor, is_leak, phi)


def test_a_part_that_stands_out_and_by_how_much() -> None:
    one = cube([120, 120, 50, 50], [200, 200, 200, 200])
    (part,) = scan([one], [window(one)], 1.0)
    assert part.scope == MOBILE
    # 2 [l(100, 400) + l(240, 400) - l(340, 800)] = 2 (-224.934 - 269.205 + 545.483).
    assert part.score == pytest.approx(102.69, abs=0.01)
    assert scan([one], [window(one)], 2.0)[0].score == pytest.approx(51.34, abs=0.01)


def test_a_pair_has_to_be_worth_its_second_condition() -> None:
    one = cube([120, 120, 120, 20], [200, 200, 200, 200])
    (part,) = scan([one], [window(one)], 1.0)
    assert part.scope == PAID_ON_MOBILE
    # 2 [l(20, 200) + l(360, 600) - l(380, 800)] - 3 = 2 (-65.017 - 403.807 + 553.517) - 3.
    assert part.score == pytest.approx(166.39, abs=0.01)


def test_two_parts_one_after_the_other() -> None:
    values = np.array([(d, c) for d in "abc" for c in ("x", "y")], dtype=object)
    one = cube([60, 60, 10, 10, 30, 30], [100] * 6, values)
    assert [part.scope for part in scan([one], [window(one)], 1.0)] == [
        (("device", "b"),),
        (("device", "c"),),
    ]


def test_nothing_stands_out() -> None:
    # 104 of 200 against 316 of 600 is chance; 20 sessions are too few whatever they do.
    even = cube([104, 106, 105, 105], [200] * 4)
    assert scan([even], [window(even)], 1.0) == []
    few = cube([1200, 1200, 0, 0], [2000, 2000, 10, 10])
    assert scan([few], [window(few)], 1.0) == []


def test_what_is_folded_away_is_no_part() -> None:
    values = VALUES.copy()
    values[2:, 0] = "(other)"
    one = cube([120, 120, 50, 50], [200] * 4, values)
    assert all("(other)" not in dict(scope).values() for scope in one.scopes)
    assert scan([one], [window(one)], 1.0) == []


def test_the_whole_shop_where_the_rest_leaks_as_well() -> None:
    # 10 and 30 % of a floor of 50 %: phones alone explain two thirds of what is missing.
    both = cube([60, 60, 20, 20], [200] * 4)
    assert scopes_of(step(), [both], WINDOW, 0.8) == [WHOLE]
    # 45 % elsewhere: phones explain 160 of 180.
    assert scopes_of(step(), [cube([90, 90, 20, 20], [200] * 4)], WINDOW, 0.8) == [WHOLE]
    # 49 % elsewhere: 160 of 164.
    assert scopes_of(step(), [cube([98, 98, 20, 20], [200] * 4)], WINDOW, 0.8) == [MOBILE]


def test_a_part_that_leaks_in_a_shop_that_does_not() -> None:
    one = cube([180, 180, 20, 20], [200, 200, 60, 60])
    assert scopes_of(step(is_leak=False), [one], WINDOW, 0.8) == [MOBILE]
    # Worse than elsewhere, but above the floor.
    fine = cube([180, 180, 120, 120], [200] * 4)
    assert scopes_of(step(is_leak=False), [fine], WINDOW, 0.8) == []
    assert scopes_of(step(), [fine], WINDOW, 0.8) == [WHOLE]


def test_what_a_scope_explains() -> None:
    # Missing to 50 %: 0 and 10 on desktop, 80 and 10 on phones.
    one = cube([120, 90, 20, 90], [200] * 4)
    assert explained_share(step(), one, WINDOW, MOBILE) == pytest.approx(0.9)
    assert explained_share(step(), one, WINDOW, PAID_ON_MOBILE) == pytest.approx(0.1)
    assert np.isnan(explained_share(step(floor=0.01), one, WINDOW, MOBILE))


def test_dispersion_from_neighbouring_days() -> None:
    # 40 and 60 of 100 in turn: (0.2)^2 / (0.25 * 2 / 100) = 8.
    swinging = np.tile([40.0, 60.0], 7)
    assert dispersion(swinging, np.full(14, 100.0)) == pytest.approx(8.0)
    # One step in 28 days moves it little: of 27 pairs one has (0.4)^2 / (0.3 * 0.7 * 2 / 100).
    fallen = np.repeat([50.0, 10.0], 14)
    assert dispersion(fallen, np.full(28, 100.0)) == pytest.approx(0.16 / 0.0042 / 27)
    assert dispersion(swinging[:6], np.full(6, 100.0)) == 1.0


def test_unknown_days_are_no_zeros() -> None:
    one = cube([120, 120, 50, 50], [200] * 4)
    one.counts[1, :, 1:] = np.nan
    successes, trials = one.step(1, 0)
    assert np.isnan(trials[:, 1:]).all()
    assert np.nansum(successes) == 340


@pytest.mark.parametrize(
    "scope", [WHOLE, MOBILE, PAID_ON_MOBILE, (("country", 'Côte "d’Ivoire"'),)]
)
def test_scopes_survive_their_text(scope: tuple[tuple[str, str], ...]) -> None:
    assert from_json(as_json(scope)) == scope


def test_scopes_in_words() -> None:
    assert label(WHOLE) == "the whole shop"
    assert label(PAID_ON_MOBILE) == "mobile and Paid"
