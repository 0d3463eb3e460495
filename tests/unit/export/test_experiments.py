"""Experiments counted from events, against plain Python and against the simulator's own truth."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.metrics import Outcomes, delta_variance
from pipelines.analysis.experiments.register import Change, Exposure, Per, Register, Trial
from pipelines.config.tracking_plan import load_plan
from pipelines.emulator.simulator import Arm, Experiment, simulate
from pipelines.experiments.exposed import Exposed, exposed_experiments
from pipelines.export.engine import DuckDb
from pipelines.export.errors import ExportError
from pipelines.export.experiments import experiment_outcomes, outcomes_sql
from pipelines.export.flat import FlatColumns
from pipelines.export.reports import Counter
from tests.support.routes import landed
from tests.unit.export.test_dialects import ThroughBigQuery

FIRST = date(2026, 6, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(4)]
PLAN = load_plan()
TABLE = pa.schema(
    [
        ("date", pa.date32()), ("user_key", pa.uint64()), ("session_key", pa.uint64()),
        ("moment", pa.int64()), ("event_name", pa.string()), ("revenue_micros", pa.int64()),
        ("param_exp_variant_string", pa.string()),
    ]
)  # fmt: skip


def exposed(**changes: object) -> Exposed:
    """`cta` on the days but the first and the last: a test of adding to the cart."""
    trial = Trial(
        {"control": 0.5, "new": 0.5}, "add_to_cart", "purchase", exposure=Exposure(),
        per=changes.pop("per", Per.USER),  # type: ignore[arg-type]
    )  # fmt: skip
    entry = Change("cta", "1", "x", "product", DAYS[1], DAYS[2], trial=trial)
    (one,) = exposed_experiments(Register.of([replace(entry, **changes)]), PLAN)  # type: ignore[arg-type]
    return one


VALUES = ("A-cta-control", "A-cta-new", "cta-new", "A-other-new", None)
NAMES = ("experience_impression", "experience_impression", "add_to_cart", "purchase", "scroll")
EVENT = st.builds(
    lambda user, session, at, name, value, cents: {
        "date": DAYS[at // 5],
        "user_key": user,
        "session_key": None if session is None else user * 10 + session,
        "moment": at,
        "event_name": name,
        "revenue_micros": cents * 10_000 if name == "purchase" else None,
        "param_exp_variant_string": value,
    },
    user=st.integers(1, 6),
    session=st.sampled_from([None, 1, 2, 3]),
    # Few moments: many events of a user are at the same one.
    at=st.integers(0, 19),
    name=st.sampled_from(NAMES),
    value=st.sampled_from(VALUES),
    cents=st.integers(0, 500),
)
DATABASE = duckdb.connect()
VARIANTS = {"A-cta-control": "control", "A-cta-new": "new", "cta-new": "new"}


def by_hand(events: Iterable[dict], per: Per) -> tuple[dict, int]:
    """(variant, day) → users' (x, n, macro, cents), user by user; and users of several variants."""
    users = defaultdict(list)
    for one in events:
        if DAYS[1] <= one["date"] <= DAYS[2]:
            users[one["user_key"]].append(one)
    found, several = defaultdict(list), 0
    for own in users.values():
        shown = [
            one
            for one in own
            if one["event_name"] == "experience_impression"
            and one["param_exp_variant_string"] in VARIANTS
        ]
        variants = {VARIANTS[one["param_exp_variant_string"]] for one in shown}
        several += len(variants) > 1
        if len(variants) != 1:
            continue
        at = min(one["moment"] for one in shown)
        later = [one for one in own if one["moment"] > at]
        adds = [one for one in later if one["event_name"] == "add_to_cart"]
        orders = [one for one in later if one["event_name"] == "purchase"]
        if per is Per.USER:
            x, n = int(bool(adds)), 1
        else:
            x = len({one["session_key"] for one in adds} - {None})
            n = len({one["session_key"] for one in own if one["moment"] >= at} - {None})
        money = sum(one["revenue_micros"] for one in orders) / 1e6
        found[variants.pop(), min(one["date"] for one in shown)].append(
            (x, n, int(bool(orders)), money)
        )
    return found, several


@pytest.mark.parametrize("per", list(Per))
@settings(max_examples=40)
@given(events=st.lists(EVENT, max_size=40))
def test_sums_are_those_of_every_user_by_hand(events: list[dict], per: Per) -> None:
    rows = pa.Table.from_pylist(events, TABLE)
    inside = f"(SELECT * FROM rows WHERE date BETWEEN '{DAYS[1]}' AND '{DAYS[2]}')"
    sql = outcomes_sql(exposed(per=per), VARIANTS, inside)
    cells, several = by_hand(events, per)
    DATABASE.register("rows", rows)
    found = DATABASE.execute(sql).to_arrow_table().to_pylist()
    assert sum(row["users"] for row in found if row["variant"] is None) == several
    assert {
        (("control", "new")[row["variant"]], row["shown_on"]): tuple(
            row[name]
            for name in ("users", "numerator", "denominator", "xx", "nn", "xn", "macro_converted")
        )
        for row in found
        if row["variant"] is not None
    } == {
        cell: (
            len(users), *(sum(user[place] for user in users) for place in (0, 1)),
            *(sum(user[a] * user[b] for user in users) for a, b in ((0, 0), (1, 1), (0, 1))),
            sum(user[2] for user in users),
        )
        for cell, users in cells.items()
    }  # fmt: skip
    money = sum(row["revenue"] for row in found if row["variant"] is not None)
    assert money == pytest.approx(sum(user[3] for users in cells.values() for user in users))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 1)), max_size=30),
)
def test_variances_of_sums_are_those_of_users(drawn: list[tuple[int, int, int]]) -> None:
    """Look after look, of users of two variants and two days."""
    users = [(min(x, n), n, arm, number % 2) for number, (x, n, arm) in enumerate(drawn)]
    frame = pd.DataFrame(
        [
            {
                "date": DAYS[day], "variant": f"v{arm}", "users": len(own),
                "numerator": sum(x for x, _ in own), "denominator": sum(n for _, n in own),
                "xx": sum(x * x for x, _ in own), "nn": sum(n * n for _, n in own),
                "xn": sum(x * n for x, n in own), "macro_converted": 0, "revenue": 0.0,
            }
            for day in (0, 1)
            for arm in (0, 1)
            for own in [[(x, n) for x, n, a, d in users if (a, d) == (arm, day)]]
        ]
    )  # fmt: skip
    made = Outcomes.from_sums(frame, left_out=0, notes=(), is_share=False)
    for look in (0, 1):
        own = [user for user in users if user[3] <= look]
        x, n, arm = (np.array([user[place] for user in own], dtype=float) for place in range(3))
        expected = delta_variance(x, n, arm.astype(np.int64), 2)
        assert made.primary.rate_variance is not None
        np.testing.assert_allclose(
            made.primary.rate_variance[look], expected[0], rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize(
    ("name", "value", "variant"),
    [
        ("cta", "VWO-cta-new", "new"),
        ("cta", "cta-new", "new"),
        ("cta", "cta-cta-new", "new"),
        ("cta", "VWO-cta-dark-green", "dark-green"),
        # Of other experiments, however alike.
        ("cta", "VWO-big-cta-new", None),
        ("cta", "VWO-cta.new", None),
        ("cta", "VWO-CTA-new", None),
        ("c.a", "VWO-cta-new", None),
        ("big-cta", "VWO-big-cta-new", "new"),
    ],
)
def test_whose_variant_a_value_is(name: str, value: str, variant: str | None) -> None:
    found = re.fullmatch(exposed(id=name).pattern, value)
    assert (found[2] if found else None) == variant
    assert DATABASE.execute(
        "select regexp_full_match(?, ?)", [value, exposed(id=name).pattern]
    ).fetchall() == [(variant is not None,)]


def test_parameters_that_differ_in_capitals_only_are_refused() -> None:
    assert FlatColumns.of((), ["arm", "page"]).parameters == ("arm", "page")
    with pytest.raises(ExportError) as caught:
        FlatColumns.of((), ["arm", "Arm"])
    assert str(caught.value) == (
        "The event parameters Arm and arm differ in capitals only, which columns cannot: write "
        "both alike in tracking plan and register."
    )


SHOP = Experiment(
    "button",
    "add_to_cart",
    (Arm("control", 0.5), Arm("green", 0.5, 1.5)),
    first=date(2026, 3, 4),
    last=date(2026, 3, 8),
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Counter, list[date], dict]:
    """A simulated shop with an experiment, landed; its days, and the simulator's truth."""
    from tests.e2e.shop import LAST_DAY

    first = LAST_DAY - timedelta(days=8)
    folder = tmp_path_factory.mktemp("shop")
    test = replace(SHOP, first=first + timedelta(days=2), last=first + timedelta(days=6))
    events = simulate(
        folder / "events", start=first, days=9, sessions_per_day=300, experiments=(test,)
    ).path
    source = landed(events, folder / "landed", first)
    truth = json.loads((events / "truth.json").read_text())
    return Counter(source.landing, DuckDb()), sorted(source.landed), truth


def of_shop(truth: dict, per: Per = Per.USER, **changes: object) -> Exposed:
    planned = truth["experiments"][0]
    start, end = (date.fromisoformat(planned[name]) for name in ("start_date", "end_date"))
    shares = {"control": 0.5, "green": 0.5}
    trial = Trial(shares, "add_to_cart", "purchase", exposure=Exposure(), per=per)
    trial = replace(trial, **changes)  # type: ignore[arg-type]
    entry = Change("button", "1", "x", "product", start, end, trial=trial)
    (one,) = exposed_experiments(Register.of([entry]), PLAN)
    return one


@pytest.mark.slow
@pytest.mark.parametrize("engine", [DuckDb(), ThroughBigQuery()])
@pytest.mark.parametrize("per", list(Per))
def test_a_landed_shop_has_the_simulators_truth(
    shop: tuple[Counter, list[date], dict], per: Per, engine: DuckDb
) -> None:
    counter, days, truth = shop
    counter = replace(counter, engine=engine)
    found = experiment_outcomes(counter, of_shop(truth, per), days)
    rows = [
        dict(zip(truth["experiment_outcomes"]["columns"], row, strict=True))
        for row in truth["experiment_outcomes"]["rows"]
    ]
    assert [day.isoformat() for day in found.days] == sorted({row["date"] for row in rows})
    assert found.left_out == truth["experiments"][0]["users_in_several"]
    x, n = ("converted", "exposed") if per is Per.USER else ("converted_sessions", "sessions")
    assert found.macro is not None
    assert found.revenue is not None
    for place, variant in enumerate(("control", "green")):
        own = [row for row in rows if row["variant"] == variant]
        for column, counts in (
            ("exposed", found.exposed), (x, found.primary.successes), (n, found.primary.trials),
            ("macro_converted", found.macro.successes),
        ):  # fmt: skip
            assert counts[:, place].tolist() == np.cumsum([row[column] for row in own]).tolist()
        assert found.revenue[place] == pytest.approx(sum(row["revenue"] for row in own))
    assert found.primary.is_share is (per is Per.USER)
    said = "Rates are of the users' sessions from the exposure on; the unit is the user."
    assert found.notes == (() if per is Per.USER else (said,))


@pytest.mark.slow
def test_what_cannot_be_counted_is_one_sentence(shop: tuple[Counter, list[date], dict]) -> None:
    counter, days, truth = shop
    good = of_shop(truth)
    start, end = good.entry.start, good.entry.end or days[-1]
    where = f"the export of property 1 from {start} to {end}"

    def refused(one: Exposed, known: list[date] = days) -> str:
        with pytest.raises(ExperimentError) as caught:
            experiment_outcomes(counter, one, known)
        return str(caught.value)

    other = replace(good, entry=replace(good.entry, id="buton"))
    users = "users)"
    said = refused(other)
    assert said.startswith(
        "There is no experience_impression with exp_variant_string of the experiment 'buton' in "
        f"{where} (it has 'SIM-button-"
    )
    assert said.endswith(
        f"{users}: send it as 'TOOL-buton-control' where a variant is shown, write in the "
        "register how it is sent, or name a file of outcomes."
    )
    unsent = of_shop(truth, exposure=Exposure(event="experiment_viewed"))
    assert refused(unsent).startswith(
        "There is no experiment_viewed with exp_variant_string of the experiment 'button' in "
        f"{where}: send it as"
    )
    third = of_shop(truth, variants={"control": 0.3, "green": 0.3, "red": 0.4})
    assert refused(third) == (
        f"No user of {where} was shown the variant 'red' of the experiment 'button': see that it "
        "is sent as 'TOOL-button-red', or write exposure_values."
    )
    shows = refused(of_shop(truth, variants={"control": 0.5, "red": 0.5}))
    assert shows.endswith(
        "users the variant 'green' ('SIM-button-green'), which the experiment 'button' has not: "
        "add it to the register, or write exposure_values."
    )
    assert refused(good, [day for day in days if day > end]) == (
        f"No day of the experiment 'button' ({start} on) is landed of the export of property 1: "
        "'sluice backfill' lands older days."
    )
    assert refused(good, days[:1]) == (
        f"It began on {start}, and the newest day of the export of property 1 is {days[0]}: "
        "nothing is there to count yet."
    )


@pytest.mark.slow
def test_what_to_know_beside_is_noted(shop: tuple[Counter, list[date], dict]) -> None:
    """Registered for one day of five, and one of three landed: who was exposed on other days."""
    counter, days, truth = shop
    good = of_shop(truth)
    day = good.entry.start + timedelta(days=2)
    short = replace(good, entry=replace(good.entry, start=day, end=day))
    (note,) = experiment_outcomes(counter, short, days).notes
    counts = [int(word) for word in note.split() if word.isdigit()]
    assert note == (
        f"A variant was also shown to {counts[0]} users before its start ({day}) and "
        f"{counts[1]} users after its end ({day}), which does not count."
    )
    assert min(counts) > 50
    lacking = [one for one in days if one != day]
    notes = experiment_outcomes(counter, good, lacking).notes
    assert notes == (
        f"Not landed of its 5 days to {good.entry.end}: 1, first {day}; who was exposed then "
        "counts from the next exposure on.",
    )
