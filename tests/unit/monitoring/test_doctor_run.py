"""The whole visit over a GA4 made by hand: what fails, and what then is not called right."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.analytics.data_v1beta import types as ga4

from pipelines.config.settings import Ga4, Property, Settings
from pipelines.errors import ConfigError
from pipelines.ga4.api_errors import (
    CredentialsError,
    Ga4Error,
    PropertyError,
    QuotaError,
    RequestRefusedError,
    UnreachableError,
)
from pipelines.ga4.client import connect
from pipelines.ga4.decode.encoded_answer import EncodedAnswer, encoded_answer
from pipelines.ga4.rate_limit import Governor, SystemClock
from pipelines.monitoring.doctor import Diagnosis, Mark, Step, diagnose, without_settings
from pipelines.monitoring.doctor.expected_keys import read_plan
from tests.support.doctor_parts import metadata_of
from tests.support.protocol_server import serving

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
EVENTS = {key.event_names[0]: 100 for key in read_plan().keys}
CUSTOM = ("page_type", "percent_scrolled", "payment_type", "exp_variant_string")


@dataclass
class FakeGa4:
    """Answers every property alike; `refusals`: (property, first field asked or '') → error."""

    events: dict[str, int] = field(default_factory=lambda: dict(EVENTS))
    refusals: dict[tuple[str, str], Ga4Error] = field(default_factory=dict)
    metadata: Any = field(default_factory=lambda: metadata_of(custom=CUSTOM))
    decorate: Callable[[Any], None] = lambda message: None
    asked: list[str] = field(default_factory=list)

    def run_report(self, request: ga4.RunReportRequest, *, what: str) -> EncodedAnswer:
        property_id = request.property.removeprefix("properties/")
        fields = [one.name for one in request.dimensions]
        self._note(property_id, fields[0] if fields else "sessions")
        message = ga4.RunReportResponse.pb()()
        message.metadata.time_zone, message.metadata.currency_code = "Europe/Berlin", "EUR"
        message.property_quota.tokens_per_day.remaining = 199_000
        message.property_quota.tokens_per_hour.remaining = 39_000
        rows = [((name,), count) for name, count in self.events.items()] if fields else [((), 9000)]
        for dimensions, number in rows:
            row = message.rows.add()
            for text in dimensions:
                row.dimension_values.add(value=text)
            for _ in request.metrics:
                row.metric_values.add(value=str(number))
        self.decorate(message)
        return encoded_answer(message.SerializeToString())

    def get_metadata(self, property_id: str) -> Any | None:
        self._note(property_id, "metadata")
        return self.metadata

    def _note(self, property_id: str, field: str) -> None:
        self.asked.append(f"{property_id} {field}")
        if error := self.refusals.get((property_id, field)):
            raise error


def settings_of(home: Path, *ids: str, **change: Any) -> Settings:
    properties = tuple(Property(id=one, name=f"Shop {one}") for one in ids)
    return Settings(**{"home": home, "properties": properties, **change})


def visit(home: Path, fake: FakeGa4, *ids: str, **change: Any) -> Diagnosis:
    return diagnose(settings_of(home, *(ids or ("42",)), **change), connect=lambda _: fake, now=NOW)


def steps(diagnosis: Diagnosis, property_id: str | None = None) -> dict[str, Step]:
    """Steps by name: of one property, or of everything else."""
    return {
        step.name: step
        for block in diagnosis.blocks
        if block.property_id == property_id
        for step in block.steps
    }


def marks(diagnosis: Diagnosis, property_id: str) -> str:
    """The marks of a property in their order: property, fields, dimensions, tracking, quota."""
    short = {Mark.RIGHT: "✔", Mark.WRONG: "✘", Mark.NOT_CHECKED: "–"}
    return "".join(short[step.mark] for step in steps(diagnosis, property_id).values())


def test_all_right_but_for_the_first_night(tmp_path):
    diagnosis = visit(tmp_path / "home", FakeGa4())
    assert marks(diagnosis, "42") == "✔✔✔✔✔"
    rest = steps(diagnosis)
    not_yet = {name for name, step in rest.items() if step.mark is Mark.NOT_CHECKED}
    assert not_yet == {"build database", "schedule"}
    assert diagnosis.is_all_right
    assert not (tmp_path / "home").exists()


def test_the_order_and_the_json(tmp_path):
    told = visit(tmp_path, FakeGa4(), "42", "43").as_dict()
    assert [block["title"] for block in told["blocks"]] == [
        "Sluice", "Property 42 (Shop 42)", "Property 43 (Shop 43)", "This machine",
    ]  # fmt: skip
    assert [[step["name"] for step in block["steps"]] for block in told["blocks"]] == [
        ["settings", "tracking plan", "credentials"],
        *[["property", "fields", "custom dimensions", "tracking", "quota"]] * 2,
        ["disk", "build database", "schedule"],
    ]
    assert [block["property_id"] for block in told["blocks"]] == [None, "42", "43", None]


REGISTER = """\
cta:
  hypothesis: A green button is seen sooner
  key: add_to_cart
  start: 2026-06-01
  variants: [old, new]
  primary_metric: add_to_cart
  outcomes: cta.csv
"""


def registered(folder: Path, entries: str, outcomes: str) -> Step:
    """The step about a register with these experiments."""
    (folder / "experiments.yml").write_text(entries)
    (folder / "cta.csv").write_text(outcomes)
    settings = Settings(
        home=folder / "home",
        properties=(Property(id="42"),),
        experiments=folder / "experiments.yml",
    )
    return steps(diagnose(settings, connect=lambda _: FakeGa4(), now=NOW))["register"]


def test_the_register_and_its_files_are_read(tmp_path):
    outcomes = "variant,exposed,converted\nold,100,10\nnew,100,12\n"
    step = registered(tmp_path, REGISTER, outcomes)
    assert (step.mark, step.message) == (Mark.RIGHT, "1 experiment, 0 changes")
    step = registered(tmp_path, REGISTER, outcomes.replace("new", "blue"))
    assert (step.mark, step.message) == (
        Mark.WRONG,
        f"{tmp_path}/cta.csv has the variant 'blue', which the experiment 'cta' has not; did you "
        "mean 'old'?",
    )
    step = registered(tmp_path, REGISTER.replace("[old, new]", "[old]"), outcomes)
    assert (step.mark, step.message) == (
        Mark.WRONG,
        f"The experiment 'cta' in {tmp_path}/experiments.yml has one variant: an experiment has a "
        "control and at least one other.",
    )


def test_three_questions_a_property(tmp_path):
    fake = FakeGa4()
    visit(tmp_path, fake)
    assert fake.asked == ["42 sessions", "42 metadata", "42 eventName"]


@pytest.mark.parametrize(
    ("where", "error", "expected"),
    [
        ("sessions", PropertyError("GA4 refuses property 42: give it the Viewer role."), "✘––––"),
        ("sessions", UnreachableError("No answer: check the network."), "✘––––"),
        ("sessions", RequestRefusedError("GA4 refuses it"), "✘––––"),
        ("sessions", QuotaError("Used up: run it later."), "––––✘"),
        ("sessions", CredentialsError("Not accepted: check ga4.credentials."), "–––––"),
        ("eventName", QuotaError("Used up: run it later."), "✔✔✔✘✔"),
    ],
)
def test_what_depends_on_a_failed_step_is_not_checked(tmp_path, where, error, expected):
    diagnosis = visit(tmp_path, FakeGa4(refusals={("42", where): error}))
    assert marks(diagnosis, "42") == expected
    everything = [step for block in diagnosis.blocks for step in block.steps]
    assert str(error) in {step.message for step in everything if step.mark is Mark.WRONG}
    assert all(
        step.message.startswith("Not checked: ")
        for step in steps(diagnosis, "42").values()
        if step.mark is Mark.NOT_CHECKED
    )


def test_a_list_of_fields_that_cannot_be_had_is_not_wrong(tmp_path):
    """A night goes on without it."""
    error = UnreachableError("No list: check the network.")
    diagnosis = visit(tmp_path, FakeGa4(refusals={("42", "metadata"): error}))
    assert marks(diagnosis, "42") == "✔––✔✔"
    assert str(error) in steps(diagnosis, "42")["fields"].message


@pytest.mark.parametrize(
    ("error", "mark"),
    [
        (None, Mark.RIGHT),
        (PropertyError("x"), Mark.RIGHT),
        (QuotaError("x"), Mark.RIGHT),
        (UnreachableError("x"), Mark.NOT_CHECKED),
        (CredentialsError("x"), Mark.WRONG),
    ],
)
def test_credentials_are_right_only_when_ga4_took_them(tmp_path, error, mark):
    refusals = {("42", "sessions"): error} if error else {}
    diagnosis = visit(tmp_path, FakeGa4(refusals=refusals))
    assert steps(diagnosis)["credentials"].mark is mark


def test_a_key_that_cannot_be_read_asks_nobody(tmp_path):
    def refuse(_: Ga4) -> FakeGa4:
        raise CredentialsError("key.json does not exist: put it there.")

    diagnosis = diagnose(settings_of(tmp_path, "42", "43"), connect=refuse, now=NOW)
    assert steps(diagnosis)["credentials"].message == "key.json does not exist: put it there."
    assert marks(diagnosis, "42") == marks(diagnosis, "43") == "–––––"
    assert steps(diagnosis)["disk"].mark is Mark.RIGHT
    assert not diagnosis.is_all_right


def test_nobody_answers(tmp_path):
    class Hurry(SystemClock):
        def sleep_until(self, moment: datetime) -> None:
            """Do not wait."""

    with serving() as server:
        endpoint = server.endpoint
    diagnosis = diagnose(
        settings_of(tmp_path, "42", ga4=Ga4(endpoint=endpoint)),
        connect=lambda ga4: connect(ga4, Governor(clock=Hurry())),
        now=NOW,
    )
    assert steps(diagnosis)["credentials"].mark is Mark.NOT_CHECKED
    assert marks(diagnosis, "42") == "✘––––"
    assert "check the network" in steps(diagnosis, "42")["property"].message


def test_one_property_s_failure_is_its_own(tmp_path):
    fake = FakeGa4(refusals={("42", "sessions"): PropertyError("Refused.")})
    diagnosis = visit(tmp_path, fake, "42", "43")
    assert (marks(diagnosis, "42"), marks(diagnosis, "43")) == ("✘––––", "✔✔✔✔✔")


def test_a_server_without_a_list_of_fields(tmp_path):
    assert marks(visit(tmp_path, FakeGa4(metadata=None)), "42") == "✔––✔✔"


def test_of_a_property_that_is_read_from_an_export_the_files_are_looked_at(tmp_path):
    path = str(tmp_path / "*.parquet")
    item = Property(id="42", source="export", path=path, time_zone="UTC", currency="EUR")
    fake = FakeGa4()
    diagnosis = visit(tmp_path, fake, properties=(item,))
    assert marks(diagnosis, "42") == "✘–––"
    assert path in steps(diagnosis, "42")["files"].message
    assert steps(diagnosis)["credentials"].message.startswith("none are needed")
    assert fake.asked == []


@pytest.mark.parametrize(
    ("zone", "refusals", "mark", "words"),
    [
        ("Europe/Berlin", {}, Mark.RIGHT, "day by day compared with property 42"),
        ("UTC", {}, Mark.WRONG, "Its days are those of UTC, the days of property 42 those of Euro"),
        (
            "Europe/Berlin",
            {("42", "sessions"): PropertyError("Refused.")},
            Mark.NOT_CHECKED,
            "Not checked: property 42 gave no answer.",
        ),
    ],
)
def test_both_routes_of_a_shop_have_to_mean_the_same_days(tmp_path, zone, refusals, mark, words):
    export = Property(
        id="43", source="export", path=str(tmp_path), time_zone=zone, currency="EUR",
        same_shop_as="42",
    )  # fmt: skip
    fake = FakeGa4(refusals=refusals)
    diagnosis = visit(tmp_path, fake, properties=(Property(id="42"), export))
    step = steps(diagnosis, "43")["same shop"]
    assert step.mark is mark
    assert step.message.startswith(words)
    assert "same shop" not in steps(diagnosis, "42")


def test_no_property_at_all(tmp_path):
    diagnosis = visit(tmp_path, FakeGa4(), properties=())
    rest = steps(diagnosis)
    assert "sluice init" in rest["settings"].message
    assert (rest["settings"].mark, rest["credentials"].mark) == (Mark.WRONG, Mark.NOT_CHECKED)


def test_a_broken_plan_leaves_only_what_needs_it_unchecked(tmp_path):
    shop = tmp_path / "tracking_plan.yml"
    shop.write_text("not_applicable: [whishlist]\n")
    diagnosis = visit(tmp_path, FakeGa4(), tracking_plan=shop)
    step = steps(diagnosis)["tracking plan"]
    assert step.mark is Mark.WRONG
    assert "did you mean 'wishlist'" in step.message
    assert marks(diagnosis, "42") == "✔––––"


def test_the_shop_s_own_plan_is_the_one_that_is_looked_at(tmp_path):
    shop = tmp_path / "tracking_plan.yml"
    shop.write_text("not_applicable: [list_view]\n")
    events = {name: count for name, count in EVENTS.items() if name != "view_item_list"}
    without = visit(tmp_path, FakeGa4(events=events))
    assert steps(without, "42")["tracking"].facts["missing"] == ["list_view"]
    diagnosis = visit(tmp_path, FakeGa4(events=events), tracking_plan=shop)
    assert str(shop) in steps(diagnosis)["tracking plan"].message
    assert steps(diagnosis, "42")["tracking"].facts["missing"] == []


def test_settings_that_cannot_be_read():
    diagnosis = without_settings(ConfigError("Unknown key 'homee': did you mean 'home'?"))
    rest = steps(diagnosis)
    assert rest["settings"].message == "Unknown key 'homee': did you mean 'home'?"
    assert {name for name, step in rest.items() if step.mark is Mark.NOT_CHECKED} == {
        "credentials", "disk", "build database", "schedule",
    }  # fmt: skip
    assert not diagnosis.is_all_right


def test_rows_that_ga4_folded_are_no_event_of_their_own(tmp_path):
    events = {**EVENTS, "(other)": 50}
    del events["purchase"]
    step = steps(visit(tmp_path, FakeGa4(events=events)), "42")["tracking"]
    assert step.mark is Mark.WRONG
    assert "GA4 hid or folded rare events" in step.message
    assert step.facts["unknown_events"] == {}


def test_an_answer_without_numbers_is_wrong_and_no_crash(tmp_path):
    def spoil(message: Any) -> None:
        for row in message.rows:
            row.metric_values[0].value = "many"

    diagnosis = visit(tmp_path, FakeGa4(decorate=spoil))
    assert marks(diagnosis, "42") == "✘––––"
