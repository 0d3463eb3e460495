"""Experiments through RunFunnelReport: what is asked, and what is made of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.analysis.experiments.analysis import ExperimentPlan, analyse
from pipelines.analysis.experiments.analysis_json import as_dict
from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.metrics import Outcomes
from pipelines.analysis.experiments.register import Change, Exposure, Per, Register, Trial
from pipelines.config.settings import Ga4
from pipelines.config.tracking_plan import load_plan
from pipelines.emulator.server import serve
from pipelines.emulator.simulator import PROPERTY_ID, Arm, Experiment, simulate
from pipelines.experiments.exposed import Exposed, exposed_experiments
from pipelines.ga4.api_errors import AuditError
from pipelines.ga4.client import Ga4Client, Profile, connect
from pipelines.ga4.extract.experiment_outcomes import pull_experiment
from pipelines.ingest.experiment_counts import count_experiments
from pipelines.ingest.sources import Sources
from pipelines.warehouse.change_register import remember_register
from pipelines.warehouse.connect import build_database

pytestmark = pytest.mark.slow

FIRST, DAYS = date(2026, 3, 2), 6
END = FIRST + timedelta(days=DAYS - 1)
# One session in five is assigned anew, so that many users see both.
TEST = Experiment(
    "cta", "add_to_cart", (Arm("control", 0.5), Arm("new", 0.5, 2.0)), switched_share=0.2
)
TRIAL = Trial({"control": 0.5, "new": 0.5}, "add_to_cart", "purchase", exposure=Exposure())
ENTRY = Change("cta", PROPERTY_ID, "x", "product", FIRST, trial=TRIAL)
PLAN = load_plan()
KNOWN = frozenset({"exp_variant_string"})
# Variant of the first exposure → users, those who added later, those who ordered later.
BY_HAND = """
    with events as (
        select user_pseudo_id, event_timestamp as moment, event_name, event_date,
            list_filter(event_params, lambda one: one.key = 'exp_variant_string')[1]
                .value.string_value as shown
        from read_parquet('{folder}/events_*.parquet')
        where event_date between '{start:%Y%m%d}' and '{end:%Y%m%d}'
    ),
    first as (
        select user_pseudo_id, min(moment) as moment, arg_min(shown, moment) as shown
        from events where shown is not null group by 1
    )
    select split_part(first.shown, '-', 3), count(distinct first.user_pseudo_id),
        count(distinct events.user_pseudo_id) filter (event_name = 'add_to_cart'),
        count(distinct events.user_pseudo_id) filter (event_name = 'purchase')
    from first left join events
        on first.user_pseudo_id = events.user_pseudo_id and events.moment > first.moment
    group by 1 order by 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shop") / "events"
    return simulate(made, start=FIRST, days=DAYS, sessions_per_day=250, experiments=(TEST,)).path


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator:
    noon = datetime(END.year, END.month, END.day, 12, tzinfo=UTC) + timedelta(days=1)
    with serve([folder], exact=True, now=lambda: noon) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def client(server) -> Ga4Client:
    return connect(Ga4(endpoint=server.endpoint))


def exposed(entry: Change = ENTRY, **changes: object) -> Exposed:
    trial = replace(TRIAL, **changes)  # type: ignore[arg-type]
    (one,) = exposed_experiments(Register.of([replace(entry, trial=trial)]), PLAN)
    return one


def rows_of(found: Outcomes) -> list[tuple]:
    assert found.macro is not None
    counts = (found.exposed, found.primary.successes, found.macro.successes)
    return [
        (name, *(int(one[-1, place]) for one in counts))
        for place, name in enumerate(found.variants)
    ]


@pytest.mark.parametrize(("first", "last"), [(0, DAYS - 1), (1, 3)])
def test_users_are_those_of_the_first_exposure(
    folder: Path, client: Ga4Client, first: int, last: int
) -> None:
    """On the experiment's days alone; who saw both variants is with the first one."""
    start, end = FIRST + timedelta(days=first), FIRST + timedelta(days=last)
    one = exposed(replace(ENTRY, start=start, end=end))
    found = pull_experiment(client, one, END, KNOWN)
    expected = duckdb.sql(BY_HAND.format(folder=folder, start=start, end=end)).fetchall()
    assert rows_of(found) == expected
    assert min(expected[0][1:3]) > 5
    # Two looks: one that saw nothing, and the total of tonight.
    assert (found.days, found.exposed[0].tolist()) == ((start, end), [0, 0])
    assert found.notes == (f"Counted by GA4 as a funnel of its users from {start} to {end}.",)


def test_a_value_that_the_register_spells_is_asked_for_as_it_is(
    folder: Path, client: Ga4Client, server
) -> None:
    values = {"control": "SIM-cta-control", "new": "SIM-cta-new"}
    other = replace(ENTRY, id="button")
    one = exposed(other, exposure=Exposure(values=values))
    assert rows_of(pull_experiment(client, one, END, None)) == rows_of(
        pull_experiment(client, exposed(), END, KNOWN)
    )
    dots = Exposure(values={"control": "SIM.cta.control", "new": "SIM.cta.new"})
    with pytest.raises(ExperimentError, match="There is no experience_impression"):
        pull_experiment(client, exposed(other, exposure=dots), END, None)


def test_where_metric_and_guardrail_are_one_there_is_one_request(client: Ga4Client, server) -> None:
    before = len(server.requests)
    found = pull_experiment(client, exposed(primary_metric="purchase"), END, KNOWN)
    assert len(server.requests) == before + 1
    assert found.macro is not None
    assert found.macro.successes.tolist() == found.primary.successes.tolist()


def test_aggregates_are_marked_and_judged_by_nightly_looks(client: Ga4Client) -> None:
    found = analyse(
        pull_experiment(client, exposed(), END, KNOWN),
        ExperimentPlan("cta", TRIAL.variants, smallest_effect=0.03),
    )
    told = as_dict(found)
    assert told["naive_variance"] is True
    (comparison,) = told["comparisons"]
    assert comparison["days"] is None
    assert comparison["sequential"]["ci_low"] is not None
    assert comparison["verdict"] == "keep running"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"per": Per.SESSION},
            "GA4's Data API does not tell the sessions of a variant's users: leave 'per' out of "
            "the experiment 'cta', or read the property from its event export.",
        ),
        (
            {"variants": {f"v{number}": 1 / 16 for number in range(16)}},
            "GA4's Data API tells 15 variants at most, and the experiment 'cta' has 16: read the "
            "property from its event export, or name a file of outcomes.",
        ),
        (
            {"exposure": Exposure(parameter="arm")},
            f"The parameter arm is no custom dimension of property {PROPERTY_ID}: register it in "
            "GA4 (Admin, Custom definitions, scope event), or name a file of outcomes.",
        ),
        (
            {"exposure": Exposure(event="test_seen")},
            "There is no test_seen with exp_variant_string of the experiment 'cta' in property "
            f"{PROPERTY_ID} from 2026-03-02 to 2026-03-07: send it as 'TOOL-cta-control' where a "
            "variant is shown, write in the register how it is sent, or name a file of outcomes.",
        ),
        (
            {"variants": {"control": 0.5, "new": 0.25, "red": 0.25}},
            f"No user of property {PROPERTY_ID} from 2026-03-02 to 2026-03-07 was shown the "
            "variant 'red' of the experiment 'cta': see that it is sent as 'TOOL-cta-red', or "
            "write exposure_values.",
        ),
    ],
)
def test_what_ga4_cannot_tell_is_one_sentence(
    client: Ga4Client, changes: dict, sentence: str
) -> None:
    with pytest.raises(ExperimentError) as caught:
        pull_experiment(client, exposed(**changes), END, KNOWN)
    assert str(caught.value) == sentence


def test_before_its_first_whole_day(client: Ga4Client) -> None:
    with pytest.raises(ExperimentError, match="It began on 2026-03-02, and the newest day of"):
        pull_experiment(client, exposed(), FIRST - timedelta(days=1), KNOWN)


def test_more_users_who_did_it_than_were_exposed_are_no_outcome(
    client: Ga4Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Estimates may say so; the emulator's are asked for small funnels, which are exact."""
    from pipelines.ga4.extract import experiment_outcomes

    users = experiment_outcomes._users
    monkeypatch.setattr(experiment_outcomes, "_users", lambda answer, step: users(answer, 3 - step))
    with pytest.raises(AuditError, match=r"tells \d+ users who did it of \d+ who were exposed"):
        pull_experiment(client, exposed(), END, KNOWN)


def test_a_sample_is_said(client: Ga4Client, server) -> None:
    sampling = {"when": {"method": "RunFunnelReport"}, "do": {"sampling": {"share": 0.75}}}
    server.set_faults([sampling])
    try:
        found = pull_experiment(client, exposed(), END, KNOWN)
    finally:
        server.set_faults([])
    assert found.notes[1:] == ("It read a sample of the events and scaled what it counted.",)


def test_a_night_asks_as_long_as_numbers_may_move(
    tmp_path: Path, client: Ga4Client, server
) -> None:
    """Twice while it runs or has just ended; not for an older night, nor once all is settled."""
    profile = Profile(PROPERTY_ID, None, None, KNOWN, fields=object())
    ended = replace(ENTRY, end=FIRST + timedelta(days=2))

    def asked(entry: Change, end: date, settled: date) -> int:
        register, before = Register.of([entry]), len(server.requests)
        remember_register(connection, register, END)
        count_experiments(
            connection, Sources(client, {}), [profile], exposed_experiments(register, PLAN), end,
            today=END, settled=settled,
        )  # fmt: skip
        return len(server.requests) - before

    with build_database(tmp_path / "build.duckdb") as connection:
        assert asked(ENTRY, END, FIRST) == 2
        assert asked(ENTRY, END, FIRST) == 2
        assert asked(ENTRY, END - timedelta(days=2), FIRST) == 0
        assert asked(ended, END, FIRST) == 2
        assert asked(ended, END, END) == 0
        (facts,) = connection.execute(
            "select state, problem, naive_variance, note from ops.changes"
        ).fetchall()
        assert facts == (
            "ended", None, True,
            "Counted by GA4 as a funnel of its users from 2026-03-02 to 2026-03-04.",
        )  # fmt: skip
        server.set_faults([{"when": {"method": "RunFunnelReport"}, "do": {"status": "invalid"}}])
        try:
            asked(ENTRY, END, FIRST)
        finally:
            server.set_faults([])
        ((problem, note),) = connection.execute("select problem, note from ops.changes").fetchall()
        assert problem is None
        assert note.startswith("These are an earlier run's counts: ")
