"""experiments.yml and changes.yml: what they say, and what cannot stand in them."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.register import Exposure, Register, State
from pipelines.config.register import read_register
from pipelines.config.settings import Property, Settings
from pipelines.config.tracking_plan import load_plan

TODAY = date(2026, 6, 30)
PLAN = load_plan()
GOOD = {
    "hypothesis": "A green button is seen sooner",
    "key": "add_to_cart",
    "start": "2026-06-01",
    "variants": "[old, green]",
    "primary_metric": "add_to_cart",
}
CHANGE = {"description": "One page instead of three", "stage": "checkout", "start": "2026-06-12"}
# How the sentence goes on after "The experiment 'cta' in {file} " → column and what is written.
ENTRIES = {
    "has one variant: an experiment has a control and at least one other.": {"variants": "[a]"},
    "has the variant 'a' twice: keep one.": {"variants": "[a, b, a]"},
    "has 21 variants, and 20 are the most.": {"variants": str([f"v{n}" for n in range(21)])},
    (
        "has a split that adds up to 0.9: its shares have to add up to 1; [control, new] splits "
        "equally."
    ): {"variants": "{a: 0.5, b: 0.4}"},
    ("has the share '50 %' of the variant 'a': write a number between 0 and 1, such as 0.5."): {
        "variants": "{a: 50 %, b: 0.5}"
    },
    ("has the share '-0.5' of the variant 'a': write a number between 0 and 1, such as 0.5."): {
        "variants": "{a: -0.5, b: 1.5}"
    },
    (
        "has variants that cannot be read: write {control: 0.5, new: 0.5}, or [control, new] for "
        "equal shares."
    ): {"variants": "two"},
    "ends on 2026-05-01, before its start (2026-06-01): correct one of them.": {
        "end": "2026-05-01"
    },
    "has both stage and key: write one, such as 'key: add_to_cart' or 'stage: product'.": {
        "stage": "product"
    },
    "has neither stage nor key: write one, such as 'key: add_to_cart' or 'stage: product'.": {
        "key": ""
    },
    "has the smallest_effect 0: no number of units would show it.": {"smallest_effect": "0.0"},
    "has the smallest_effect 1e-15: no number of units would show it.": {
        "smallest_effect": "0.000000000000001"
    },
    "has a 'page' that is no text: write one value.": {"page": "[/a, /b]"},
    "has elements that are no list of texts: write [button, headline].": {"elements": "{a: b}"},
    "has exposure_values that cannot be read: write such as {control: A-1, new: A-2}.": {
        "exposure_values": "[a, b]"
    },
    (
        "has exposure_values that are not one of each variant (old, green): write such as "
        "{control: A-1, new: A-2}."
    ): {"exposure_values": "{old: a, green: a}"},
    (
        "has outcomes and per, which is about outcomes that are counted from GA4: leave one of "
        "them out."
    ): {"outcomes": "cta.csv", "per": "session"},
    "has a column 'id', but is named by what stands before it: leave it out.": {"id": "x"},
}
# How the sentence begins and ends around "of the experiment 'cta' in {file}" → the same.
COLUMNS = {
    ("The column 'hypothesys'", "is not known: did you mean 'hypothesis'?"): {"hypothesys": "x"},
    ("The hypothesis", "is missing: add it."): {"hypothesis": ""},
    ("The start", "is missing: add it."): {"start": "~"},
    ("The per 'visit'", "is not known: write 'user' or 'session'."): {"per": "visit"},
    (
        "The exposure_parameter 'my arm'",
        "cannot be read: write the name of an event's parameter.",
    ): {
        "exposure_parameter": "my arm"
    },
    ("The start '2026-02-30'", "cannot be read: write a day as YYYY-MM-DD."): {
        "start": "2026-02-30"
    },
    ("The primary_metric 'add_to_crt'", "is not known: did you mean 'add_to_cart'?"): {
        "primary_metric": "add_to_crt"
    },
    ("The guardrail 'purchases'", "is not known: did you mean 'purchase'?"): {
        "guardrail": "purchases"
    },
    ("The stage 'produkt'", "is not known: did you mean 'product'?"): {
        "key": "", "stage": "produkt",
    },
    ("The property '2'", "is not known: did you mean '1'?"): {"property": "2"},
    (
        "The device 'phone'",
        "is not known: write 'all', 'desktop', 'mobile', 'tablet' or 'smart tv'.",
    ): {"device": "phone"},
    ("The page 'cart'", "cannot be read: write the path of a page, such as /products/shoe."): {
        "page": "cart"
    },
    (
        "The smallest_effect '1 %'",
        "cannot be read: write the smallest absolute difference of the rates that matters, such as "
        "0.01.",
    ): {"smallest_effect": "1 %"},
}  # fmt: skip


def lines(name: str, columns: dict[str, str]) -> str:
    return f"{name}:\n" + "".join(f"  {key}: {value}\n" for key, value in columns.items())


def read(
    folder: Path, experiments: str = "", changes: str = "", shops: tuple[str, ...] = ("1",)
) -> Register:
    for name, text in (("experiments.yml", experiments), ("changes.yml", changes)):
        (folder / name).write_text(text, encoding="utf-8")
    settings = Settings(
        properties=tuple(Property(id=one) for one in shops),
        experiments=folder / "experiments.yml",
        changes=folder / "changes.yml",
    )
    return read_register(settings, PLAN, TODAY)


def refusal(folder: Path, *texts: str, shops: tuple[str, ...] = ("1",)) -> str:
    with pytest.raises(ExperimentError) as caught:
        read(folder, *texts, shops=shops)
    said = str(caught.value).replace(str(folder / "experiments.yml"), "{file}")
    return said.replace(str(folder / "changes.yml"), "{changes}")


@pytest.mark.parametrize("sentence", ENTRIES)
def test_an_entry_that_cannot_be(tmp_path: Path, sentence: str) -> None:
    said = refusal(tmp_path, lines("cta", {**GOOD, **ENTRIES[sentence]}))
    assert said == f"The experiment 'cta' in {{file}} {sentence}"


@pytest.mark.parametrize("around", COLUMNS)
def test_a_column_that_cannot_be(tmp_path: Path, around: tuple[str, str]) -> None:
    begins, ends = around
    said = refusal(tmp_path, lines("cta", {**GOOD, **COLUMNS[around]}))
    assert said == f"{begins} of the experiment 'cta' in {{file}} {ends}"


@pytest.mark.parametrize(
    ("experiments", "changes", "sentence"),
    [
        (
            "- cta",
            "",
            "The register {file} must hold lines of 'id: {column: value}', such as 'cart_button: "
            "{hypothesis: …, key: add_to_cart, …}'.",
        ),
        (
            "",
            "pay: new form",
            "The register {changes} must hold lines of 'id: {column: value}', such as "
            "'new_payment_form: {description: …, stage: checkout, start: 2026-06-12}'.",
        ),
        (
            lines("cta", GOOD) + lines("cta", GOOD),
            "",
            "The register {file} is not valid YAML near line 7 ('cta' is there twice, first in "
            "line 1: keep one): correct it.",
        ),
        (
            lines("cta", GOOD),
            lines("cta", CHANGE),
            "The id 'cta' is in {file} and in {changes}: give one of them another.",
        ),
        (
            lines("a b", GOOD),
            "",
            "The id 'a b' in {file} cannot be read: write a name of letters, digits, '_', '-' and "
            "'.', 60 at most.",
        ),
        (
            "",
            lines("pay", {**CHANGE, "start": "2026-07-02"}),
            "The change 'pay' in {changes} starts on 2026-07-02, which is after today "
            "(2026-06-30): write down what was changed once it is.",
        ),
        (
            "",
            lines("pay", {**CHANGE, "variants": "[a, b]"}),
            "The column 'variants' of the change 'pay' in {changes} is not known: did you mean "
            "'start'?",
        ),
    ],
)
def test_a_file_that_cannot_be(
    tmp_path: Path, experiments: str, changes: str, sentence: str
) -> None:
    assert refusal(tmp_path, experiments, changes) == sentence


def test_a_change_of_a_day_that_has_begun_in_the_east(tmp_path: Path) -> None:
    register = read(tmp_path, changes=lines("pay", {**CHANGE, "start": "2026-07-01"}))
    assert [one.state(TODAY) for one in register.entries] == [State.PLANNED]


def test_of_several_properties_an_entry_names_its_own(tmp_path: Path) -> None:
    assert refusal(tmp_path, lines("cta", GOOD), shops=("2", "10")) == (
        "The experiment 'cta' in {file} says nothing of its property: add such as 'property: "
        '"10"\'.'
    )
    (entry,) = read(tmp_path, lines("cta", {**GOOD, "property": "2"}), shops=("2", "10")).entries
    assert entry.property_id == "2"


def test_what_is_registered(tmp_path: Path) -> None:
    written = {
        **GOOD, "variants": "{green: 0.25, Control: 0.75}", "elements": "button",
        "smallest_effect": "0.01", "outcomes": "out/cta.csv", "end": "2026-06-29",
    }  # fmt: skip
    experiment, change = read(tmp_path, lines("cta", written), lines("pay", CHANGE)).entries
    trial = experiment.trial
    assert trial is not None
    assert (experiment.stage, experiment.elements, experiment.device) == (
        "product", ("button",), "all",
    )  # fmt: skip
    assert list(trial.variants.items()) == [("Control", 0.75), ("green", 0.25)]
    assert (trial.guardrail, trial.smallest_effect) == ("purchase", 0.01)
    assert trial.outcomes == tmp_path / "out/cta.csv"
    assert [experiment.state(day) for day in (date(2026, 5, 31), date(2026, 6, 29), TODAY)] == [
        State.PLANNED, State.RUNNING, State.ENDED,
    ]  # fmt: skip
    assert (change.kind, change.trial, change.state(TODAY)) == ("change", None, "running")


def test_without_a_file_outcomes_are_counted_from_ga4(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, lines("cta", GOOD)).entries
    assert entry.trial is not None
    assert (entry.trial.exposure, entry.trial.per) == (Exposure(), "user")
    own = {
        "exposure_event": "test_seen", "exposure_parameter": "arm", "per": "session",
        "exposure_values": "{green: B, old: A}",
    }  # fmt: skip
    (entry,) = read(tmp_path, lines("cta", {**GOOD, **own})).entries
    assert entry.trial is not None
    assert entry.trial.exposure == Exposure("test_seen", "arm", {"old": "A", "green": "B"})
    assert entry.trial.per == "session"


def test_without_files_there_is_nothing() -> None:
    assert read_register(Settings(), PLAN, TODAY) == Register()


# The experiment is at the product page from the 1st of June on.
@pytest.mark.parametrize(
    ("change", "meets"),
    [
        ({"stage": "cart", "start": "2026-06-12"}, True),
        ({"stage": "site", "start": "2026-06-12"}, True),
        ({"stage": "checkout", "start": "2026-06-12"}, False),
        # Its effect shows in two weeks: from the 18th of May to the 31st, or to the 1st of June.
        ({"stage": "cart", "start": "2026-05-18"}, False),
        ({"stage": "cart", "start": "2026-05-19"}, True),
        ({"stage": "cart", "start": "2026-05-19", "end": "2026-05-25"}, False),
        ({"stage": "cart", "start": "2026-06-12", "device": "desktop"}, False),
        ({"stage": "cart", "start": "2026-06-12", "page": "/shoes/red"}, True),
        ({"stage": "cart", "start": "2026-06-12", "page": "/shoesale"}, False),
        ({"stage": "cart", "start": "2026-06-12", "property": "2"}, False),
    ],
)
def test_which_entries_overlap(tmp_path: Path, change: dict[str, str], meets: bool) -> None:
    experiment = {**GOOD, "device": "mobile", "page": "/shoes", "property": "1"}
    register = read(
        tmp_path,
        lines("cta", experiment),
        lines("pay", {"description": "x", "property": "1", **change}),
        shops=("1", "2"),
    )
    assert register.meetings == {"cta": ("pay",) * meets, "pay": ("cta",) * meets}
