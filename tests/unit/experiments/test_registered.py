"""Experiments of the register: read from their files, stored, listed, and kept when these go."""

import json
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.experiment_table import compared, scored_properties
from pipelines.analysis.experiments.metrics import Outcomes
from pipelines.analysis.experiments.stored import as_rows, from_rows
from pipelines.config.register import read_register
from pipelines.config.settings import Property, Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.experiments.reading import read_outcomes
from pipelines.experiments.registered import analyse_registered, find_experiment
from pipelines.report.rows.register import EXPERIMENTS
from pipelines.warehouse.change_register import remember_register
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.rows import rows_of as warehouse_rows
from tests.support.reading import fail, run

PLAN = load_plan()
TODAY = date(2026, 6, 30)
# The new button converts 585 of 5,000, the old one 500 (reference case 8): p .0063 at one look.
TOTALS = "variant,exposed,converted\nnew,5000,585\nold,5000,500\n"
ENTRY = """\
cta:
  hypothesis: A green button is seen sooner
  key: add_to_cart
  start: 2026-06-01
  end: {end}
  variants: [old, new]
  primary_metric: add_to_cart
  smallest_effect: 0.03
  outcomes: cta.csv
"""
PAY = "pay: {description: New form, stage: cart, start: 2026-06-12, elements: [form, text]}\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings, a register and a file of outcomes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sluice.yml").write_text("properties: [{id: 1, time_zone: UTC}]\n")
    (tmp_path / "experiments.yml").write_text(ENTRY.format(end="2026-06-29"))
    (tmp_path / "cta.csv").write_text(TOTALS)
    return tmp_path


def remember(shop: Path, today: date = TODAY) -> list[tuple]:
    """What ops has of the experiment after a run: state, problem, counts by variant."""
    path = shop / "experiments.yml"
    settings = Settings(
        properties=(Property(id="1"),), experiments=path if path.exists() else None, home=shop
    )
    with build_database(shop / "build.duckdb") as connection:
        remember_register(connection, read_register(settings, PLAN, today), today)
        return connection.execute(
            "select state, problem, list([variant, numerator::int::text] order by variant) "
            "from ops.changes left join ops.experiment_outcomes using (change_id) group by all"
        ).fetchall()


def edits(shop: Path) -> list[tuple]:
    with build_database(shop / "build.duckdb") as connection:
        return connection.execute(
            "select noticed_on::text, field, old, new from ops.experiment_edits order by all"
        ).fetchall()


COUNTS = [["new", "585"], ["old", "500"]]


def test_an_ended_experiment_keeps_its_outcomes_when_the_file_goes(shop: Path) -> None:
    assert remember(shop) == [("ended", None, COUNTS)]
    (shop / "cta.csv").unlink()
    assert remember(shop) == [("ended", None, COUNTS)]


def test_a_broken_file_of_a_running_one_is_said_and_stops_nothing(shop: Path) -> None:
    (shop / "experiments.yml").write_text(ENTRY.format(end="2026-07-29"))
    assert remember(shop) == [("running", None, COUNTS)]
    (shop / "cta.csv").write_text(TOTALS.replace("585", "5850"))
    problem = "cta.csv, line 2: converted is '5850', more than exposed ('5000')."
    assert remember(shop) == [("running", problem, COUNTS)]
    # What was read before is not its result when it ends, but stays if it is taken out.
    assert remember(shop, date(2026, 7, 30)) == [("ended", problem, COUNTS)]
    (shop / "experiments.yml").unlink()
    assert remember(shop, date(2026, 7, 31)) == [("ended", None, COUNTS)]


def test_a_broken_file_of_an_ended_one_is_said_beside_what_an_earlier_run_read(shop: Path) -> None:
    remember(shop)
    (shop / "cta.csv").write_text("Datum,Variante\n")
    for _ in range(2):
        assert remember(shop) == [("ended", None, COUNTS)]
        with build_database(shop / "build.duckdb") as connection:
            ((note,),) = connection.execute("select note from ops.changes").fetchall()
        assert note.startswith("These are an earlier run's outcomes: cta.csv, line 1: ")


@pytest.mark.parametrize(
    ("end", "later", "state"),
    [
        ("2026-06-29", TODAY, "ended"),
        ("2026-07-29", TODAY, "withdrawn"),
        ("2026-07-01", date(2026, 7, 2), "ended"),
    ],
)
def test_what_is_taken_out_of_the_register_keeps_its_result(
    shop: Path, end: str, later: date, state: str
) -> None:
    (shop / "experiments.yml").write_text(ENTRY.format(end=end))
    remember(shop)
    (shop / "experiments.yml").unlink()
    (shop / "cta.csv").unlink()
    for _ in range(2):
        assert remember(shop, later) == [(state, None, COUNTS)]
    # It stays what it is, also when its end comes.
    assert remember(shop, date(2027, 1, 1)) == [(state, None, COUNTS)]
    withdrawn = [("2026-06-30", "state", "running", "withdrawn")]
    assert edits(shop) == (withdrawn if state == "withdrawn" else [])


def test_without_outcomes_there_is_no_result_to_keep(shop: Path) -> None:
    (shop / "cta.csv").unlink()
    remember(shop)
    (shop / "experiments.yml").write_text("")
    assert remember(shop) == []


def test_a_change_does_not_take_the_place_of_an_experiment(shop: Path) -> None:
    remember(shop)
    (shop / "experiments.yml").write_text("")
    (shop / "changes.yml").write_text(PAY.replace("pay:", "cta:"))
    settings = Settings(properties=(Property(id="1"),), changes=shop / "changes.yml", home=shop)
    register = read_register(settings, PLAN, TODAY)
    with (
        build_database(shop / "build.duckdb") as connection,
        pytest.raises(ExperimentError, match="'cta' has the id of an experiment, whose result is"),
    ):
        remember_register(connection, register, TODAY)
    assert remember(shop) == [("ended", None, COUNTS)]


def test_a_corrected_property_takes_along_what_is_kept(shop: Path) -> None:
    remember(shop)
    path = shop / "experiments.yml"
    path.write_text(path.read_text() + "  property: '2'\n")
    (shop / "cta.csv").unlink()
    settings = Settings(
        properties=(Property(id="1"), Property(id="2")), experiments=path, home=shop
    )
    with build_database(shop / "build.duckdb") as connection:
        remember_register(connection, read_register(settings, PLAN, TODAY), TODAY)
        kept = connection.execute(
            "select distinct changes.property_id, problem from ops.changes "
            "inner join ops.experiment_outcomes using (property_id, change_id)"
        ).fetchall()
    assert kept == [("2", None)]
    assert edits(shop) == [("2026-06-30", "property", "1", "2")]


def test_what_is_changed_after_the_start_is_kept(shop: Path) -> None:
    open_end = ENTRY.replace("  end: {end}\n", "")
    (shop / "experiments.yml").write_text(open_end.replace("06-01", "07-02"))
    remember(shop)
    # It has not begun, so anything may change.
    (shop / "experiments.yml").write_text(open_end)
    remember(shop)
    # Its end may be left out until it is known.
    (shop / "experiments.yml").write_text(ENTRY.format(end="2026-07-29"))
    remember(shop)
    assert edits(shop) == []
    other = ENTRY.format(end="2026-07-05").replace("metric: add_to_cart", "metric: purchase")
    (shop / "experiments.yml").write_text(other.replace("[old, new]", "{old: 0.4, new: 0.6}"))
    for _ in range(2):
        remember(shop, date(2026, 7, 1))
    assert edits(shop) == [
        ("2026-07-01", "end", "2026-07-29", "2026-07-05"),
        ("2026-07-01", "primary_metric", "add_to_cart", "purchase"),
        ("2026-07-01", "variants", "old 0.5, new 0.5", "old 0.4, new 0.6"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            TOTALS.replace("new", "blue"),
            "{file} has the variant 'blue', which the experiment 'cta' has not; did you mean "
            "'old'?",
        ),
        (
            "variant,exposed,converted\nold,5000,500\n",
            "{file} has no row of the variant 'new' of the experiment 'cta'.",
        ),
        (
            "date,variant,exposed,converted\n2026-05-31,old,5,1\n2026-05-31,new,5,1\n",
            "{file} has units of 2026-05-31, but the experiment 'cta' is registered from "
            "2026-06-01 to 2026-06-29: take them out, or correct the register.",
        ),
        (
            "date,variant,exposed,converted\n2026-06-30,old,5,1\n2026-06-30,new,5,1\n",
            "{file} has units of 2026-06-30, but the experiment 'cta' is registered from "
            "2026-06-01 to 2026-06-29: take them out, or correct the register.",
        ),
    ],
)
def test_outcomes_that_are_not_the_experiment_s(shop: Path, text: str, sentence: str) -> None:
    (shop / "cta.csv").write_text(text)
    ((_, problem, _),) = remember(shop)
    assert problem == sentence.replace("{file}", "cta.csv")


def test_the_registered_control_is_the_control(shop: Path) -> None:
    """In the file the new variant stands first."""
    found = json.loads(run("experiment", "analyze", "cta", "--json").stdout)
    (comparison,) = found["comparisons"]
    assert (found["name"], found["smallest_effect"]) == ("cta", 0.03)
    assert (comparison["control"], comparison["variant"]) == ("old", "new")
    assert comparison["difference"] == pytest.approx(0.017)
    assert comparison["p_value"] == pytest.approx(0.006276, abs=1e-6)


def test_variants_are_named_as_tools_name_them(shop: Path) -> None:
    path = shop / "experiments.yml"
    path.write_text(path.read_text().replace("[old, new]", "[Original, Variation 1 (green)]"))
    text = TOTALS.replace("new", "Variation 1 (green)").replace("old", "Original")
    (shop / "cta.csv").write_text(text)
    assert remember(shop) == [
        ("ended", None, [["Original", "500"], ["Variation 1 (green)", "585"]])
    ]


def test_what_no_night_has_read_is_listed_without_a_verdict(shop: Path) -> None:
    (shop / "changes.yml").write_text(PAY)
    listed = {one["id"]: one for one in json.loads(run("experiment", "list", "--json").stdout)}
    assert listed["cta"]["overlaps_with"] == ["pay"]
    assert {(one["verdict"], one["since_night"]) for one in listed.values()} == {(None, "new")}
    text = run("experiment", "list").stdout
    assert "A green button is seen sooner" in text
    assert "cta: no night has read it yet: 'sluice nightly' does." in text


def test_an_id_that_is_not_registered(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail(monkeypatch, capsys, "experiment", "analyze", "cto") == (
        1,
        "Error: There is no file and no experiment 'cto'; did you mean 'cta'?\n",
    )
    assert fail(monkeypatch, capsys, "experiment", "analyze", "cta", "--split", "a=1") == (
        1,
        "Error: What was planned of cta stands in experiments.yml: leave --name, --split and "
        "--smallest-effect out.\n",
    )
    (shop / "experiments.yml").unlink()
    assert fail(monkeypatch, capsys, "experiment", "analyze", "cta") == (
        1,
        "Error: There is no file 'cta', and no experiment is registered here: write it into "
        "experiments.yml beside sluice.yml, or look at 'sluice experiment list', which has what "
        "the last night read.\n",
    )


def test_without_a_register_the_list_says_what_it_is(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("experiment", "list").stdout.startswith("Nothing is registered: experiments.yml")


@pytest.mark.parametrize(
    "text",
    [
        TOTALS,
        "date,variant,exposed,converted,macro_converted,revenue\n"
        "2026-06-02,old,100,9,1,10\n2026-06-02,new,90,12,2,20\n"
        "2026-06-01,old,80,7,0,0\n2026-06-01,new,85,9,1,15.5\n",
        "variant,user,numerator,denominator\nold,a,1,3\nold,b,0,1\nnew,c,2,2\nnew,d,0,4\n"
        "new,e,1,1\nold,e,1,1\n",
        # One user a variant has no variance, and yet is no count.
        "variant,user,numerator,denominator\nold,a,3,2\nnew,b,5,2\n",
    ],
)
def test_outcomes_are_stored_whole(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    read = read_outcomes(tmp_path / "x.csv", TODAY)
    with duckdb.connect() as connection:
        connection.register("rows", as_rows(read))
        stored = connection.execute("select * from rows order by random()").df()
    back = from_rows(stored, list(read.variants), read.left_out)
    assert (back.variants, back.days, back.left_out) == (read.variants, read.days, read.left_out)
    for ours, theirs in zip(arrays(back), arrays(read), strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            np.testing.assert_array_equal(ours, theirs)


def arrays(one: Outcomes) -> list[np.ndarray | None]:
    macro = None if one.macro is None else one.macro.successes
    variance = one.primary.rate_variance
    return [one.exposed, one.primary.successes, one.primary.trials, variance, macro, one.revenue]


EXPERIMENT = {
    "change_id": "cta", "variants": '{"old": 0.5, "new": 0.5}', "problem": None, "state": "ended",
    "smallest_effect": 0.01, "users_left_out": 0, "overlaps_with": [], "start_date": TODAY,
    "naive_variance": None,
}  # fmt: skip


def rows_of(text: str, folder: Path, **columns: object) -> list[dict]:
    (folder / "x.csv").write_text(text)
    outcomes = as_rows(read_outcomes(folder / "x.csv", TODAY))
    return compared({**EXPERIMENT, **columns}, outcomes)


def test_a_row_of_the_mart(tmp_path: Path) -> None:
    (row,) = rows_of(TOTALS, tmp_path)
    assert (row["numerator"], row["denominator"], row["control_numerator"]) == (585, 5000, 500)
    assert row["difference"] == pytest.approx(0.017)
    assert row["sequential_p_value"] == pytest.approx(0.127861, abs=1e-6)
    # 14,751 units show one point: a third of them is there, and no more will come.
    assert row["verdict"] == row["experiment_verdict"] == "undecided"
    assert row["reason"].startswith("It ended too early: 'new' is not told apart")
    # Nothing more will come of what was taken out of the register, either.
    assert rows_of(TOTALS, tmp_path, state="withdrawn") == [row]


@pytest.mark.parametrize(
    ("text", "columns", "reason"),
    [
        (TOTALS.replace("new,5000", "new,4000"), {}, "The units are not split as planned"),
        (TOTALS, {"overlaps_with": ["pay"]}, "It overlaps with 'pay'"),
    ],
)
def test_what_is_invalid_shows_no_result(
    tmp_path: Path, text: str, columns: dict, reason: str
) -> None:
    (row,) = rows_of(text, tmp_path, **columns)
    assert row["verdict"] == "invalid"
    assert row["reason"].startswith(reason)
    assert row["rate"] is None
    assert not {"difference", "p_value", "probability_better"} & row.keys()
    assert row["control_exposed"] == 5000


def test_the_page_knows_revenue_a_user_from_a_share(tmp_path: Path) -> None:
    users = "".join(f"old,a{n},{n}.5\nnew,b{n},{n + 1}.5\n" for n in range(100))
    (ratio,) = rows_of(f"variant,user,numerator\n{users}", tmp_path)
    assert ratio["denominator"] == ratio["exposed"] == 100
    (share,) = rows_of(TOTALS, tmp_path)
    columns = [
        "experiment_id", "hypothesis", "start_date", "end_date", "primary_metric", "guardrail",
        "users_left_out", "naive_variance", "note", "edits", "state",
    ]  # fmt: skip
    rows = pd.DataFrame([ratio, share]).assign(**dict.fromkeys(columns, ""), property="1")
    with duckdb.connect() as connection:
        connection.register("rows", rows.rename(columns={"property": "property_id"}))
        connection.execute("create schema marts; create table marts.fct_experiment as from rows")
        found = warehouse_rows(connection, EXPERIMENTS.replace("$property", "'1'"))
    assert sorted((one["rate"], one["is_share"]) for one in found) == [
        (0.117, True),
        (51.0, False),
    ]


def test_one_that_is_planned_hides_no_result_yet(shop: Path) -> None:
    """As the next one is, while this one has no end."""
    path = shop / "experiments.yml"
    next_one = ENTRY.replace("cta:", "next:").replace("2026-06-01", "2026-08-01")
    path.write_text((ENTRY + next_one).replace("  end: {end}\n", ""))
    settings = Settings(properties=(Property(id="1"),), experiments=path, home=shop)
    verdicts = {}
    for today in (TODAY, date(2026, 8, 1)):
        register = read_register(settings, PLAN, today)
        entry, trial = find_experiment(register, "cta")
        found = analyse_registered(entry, trial, register, today, shop / "published").decision
        with build_database(shop / "build.duckdb") as connection:
            remember_register(connection, register, today)
            changes = connection.execute(
                "select * replace (from_json(overlaps_with, '[\"varchar\"]') as overlaps_with) "
                "from ops.changes"
            ).df()
            outcomes = connection.execute("from ops.experiment_outcomes").df()
        rows = scored_properties(changes, outcomes, {"1": None}).to_pylist()[0]["comparisons"]
        nightly = next(row["verdict"] for row in rows if row["change_id"] == "cta")
        verdicts[today] = (found.verdict.value, nightly)
    assert list(verdicts.values()) == [("hold, macro unproven",) * 2, ("invalid",) * 2]


def test_outcomes_of_variants_that_were_registered_before(tmp_path: Path) -> None:
    (row,) = rows_of(TOTALS, tmp_path, variants='{"old": 0.5, "red": 0.5}')
    assert row["reason"].startswith("The outcomes that are kept are of other variants")
    assert row.keys() == {"change_id", "control", "variant", "reason", "experiment_reason"}
