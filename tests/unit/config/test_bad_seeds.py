"""A catalogue of what cannot stand in a seed: each with its exact sentence."""

import csv
import shutil
from pathlib import Path

import pytest

from pipelines.config.tracking_plan import SEEDS, SEEDS_DIR, load_plan
from pipelines.errors import SeedError

# The row that is broken: the second one of every seed.
ROWS = {
    "micro_conversions": "key 'home_scroll_fold'",
    "funnel_steps": "step 'core, 1'",
    "segments": "segment 'device'",
    "benchmarks": "benchmark 'cart_to_checkout_rate, all, all, all'",
    "benchmark_figures": (
        "figure 'add_to_cart_per_session, all, all, all, Littledata, 2019-10, bottom_20'"
    ),
    "event_origins": "origin 'enhanced'",
    "diagnosis_playbook": "rule 'H1'",
}
# Seed → how the sentence ends → column, cell, and how the sentence begins.
CELLS = {
    "micro_conversions": {
        "is missing: add it.": [
            ("event_names", " ", "The event_names"),
            ("parameter_filter", " ", "The parameter_filter"),
            ("stage", "", "The stage"),
            ("event_names", "", "The event_names"),
            ("is_expected", "", "The is_expected"),
            ("description", "", "The description"),
        ],
        "is not known: did you mean 'product'?": [
            ("stage", "produkt", "The stage 'produkt'"),
        ],
        "cannot be read: write an event name, or several different ones joined by '|'.": [
            ("event_names", "a|a", "The event_names 'a|a'"),
            ("event_names", "a\tb", "The event_names 'a\\tb'"),
            ("event_names", "a\nb", "The event_names 'a\\nb'"),
        ],
        "cannot be read: write name=value or name>=whole number, joined by '&'.": [
            ("parameter_filter", "a>1", "The parameter_filter 'a>1'"),
        ],
        "has no condition: write one, or leave it out.": [
            ("parameter_filter", "&", "The parameter_filter '&'"),
        ],
        "cannot be read: write names of event parameters, joined by '|'.": [
            ("parameters", "a b", "The parameters 'a b'"),
        ],
        "is not known: did you mean 'quantity_change'?": [
            ("parent_key", "nothing", "The parent_key 'nothing'"),
        ],
        "is not known: did you mean 'sessions'?": [
            ("parent_key", "@previous", "The parent_key '@previous'"),
        ],
        "cannot be read: write a small whole number such as 3, or leave it out.": [
            ("intent_rank", "x3", "The intent_rank 'x3'"),
            ("intent_rank", "3.5", "The intent_rank '3.5'"),
            ("intent_rank", "-1", "The intent_rank '-1'"),
            ("intent_rank", "\u0663", "The intent_rank '\u0663'"),
            ("intent_rank", "99999999999", "The intent_rank '99999999999'"),
        ],
        "is not known: write 'true' or 'false'.": [
            ("is_expected", "maybe", "The is_expected 'maybe'"),
            ("is_expected", "TRUE", "The is_expected 'TRUE'"),
            ("is_expected", "1", "The is_expected '1'"),
        ],
        "is not known: did you mean 'custom'?": [
            ("origin", "other", "The origin 'other'"),
        ],
        "is not known: did you mean 'email_capture_rate'?": [
            ("benchmark_key", "x", "The benchmark_key 'x'"),
        ],
        "cannot be read: it has a tab or a line break: write it in one line.": [
            ("description", "a\nb", "The description 'a\\nb'"),
        ],
        "is not known: write 'engagement', 'intent', 'progression' or 'outcome'.": [
            ("family", "x", "The family 'x'"),
        ],
    },
    "funnel_steps": {
        "is not known: did you mean 'product_view'?": [
            ("key", "prodcut_view", "The key 'prodcut_view'"),
        ],
        "is missing: add it.": [
            ("key", "", "The key"),
            ("label", "", "The label"),
        ],
        "is not known: write 'true' or 'false'.": [
            ("is_optional", "yes", "The is_optional 'yes'"),
        ],
    },
    "segments": {
        "cannot be read: write the API's name of a dimension, or leave it out.": [
            ("api_dimension", "'; drop table x; --", "The api_dimension ''; drop table x; --'"),
            ("api_dimension", "device category", "The api_dimension 'device category'"),
        ],
        "is not that of dbt_project.yml: write 'device_category', or change both.": [
            ("column_name", "x", "The column_name 'x'"),
        ],
        "cannot be read: write a whole number such as 3.": [
            ("position", "first", "The position 'first'"),
            ("position", "1.5", "The position '1.5'"),
        ],
        "is missing: add it.": [
            ("position", "", "The position"),
            ("is_partition", "", "The is_partition"),
            ("description", "", "The description"),
        ],
        "is not known: write 'true' or 'false'.": [
            ("is_partition", "yes", "The is_partition 'yes'"),
        ],
    },
    "benchmarks": {
        "cannot be read: write a day as YYYY-MM-DD.": [
            ("source_date", "2026-02-30", "The source_date '2026-02-30'"),
            ("source_date", "01.03.2026", "The source_date '01.03.2026'"),
            ("source_date", "March", "The source_date 'March'"),
        ],
        "cannot be read: write two rates with 0 <= low < high <= 1, such as 0.05 and 0.10.": [
            ("low", "5%", "The low '5%'"),
            ("low", "0,05", "The low '0,05'"),
            ("low", "1", "The high '0.60'"),
            ("high", "0.01", "The high '0.01'"),
        ],
        "is missing: add it.": [
            ("high", "", "The high"),
        ],
        "is not known: did you mean 'experiment_exposure'?": [
            ("numerator", "x", "The numerator 'x'"),
        ],
        "is not known: write 'true' or 'false'.": [
            ("is_default", "yes", "The is_default 'yes'"),
        ],
    },
    "benchmark_figures": {
        "cannot be read: write a share such as 0.014 for 1.4 %.": [
            ("value", "1.4", "The value '1.4'"),
            ("value", "0", "The value '0'"),
        ],
        "cannot be read: write an address that begins with https://.": [
            ("link", "www.littledata.io", "The link 'www.littledata.io'"),
        ],
        "is missing: add it.": [
            ("sample", "", "The sample"),
            ("definition", "", "The definition"),
        ],
        "is not known: write 'sessions'.": [
            ("unit", "users", "The unit 'users'"),
        ],
    },
    "event_origins": {
        "is missing: add it.": [
            ("advice", "", "The advice"),
        ],
    },
    "diagnosis_playbook": {
        "cannot be read: write a whole number, smaller for what is to be looked at first.": [
            ("priority", "high", "The priority 'high'"),
            ("priority", "-1", "The priority '-1'"),
        ],
        "is missing: add it.": [
            ("priority", "", "The priority"),
            ("stage", "", "The stage"),
            ("condition", "", "The condition"),
            ("likely_cause", "", "The likely_cause"),
        ],
        "is not known: did you mean 'site'?": [
            ("stage", "sites", "The stage 'sites'"),
        ],
        "is not known: write '' or 'cart_recovery'.": [
            ("sized_by", "x", "The sized_by 'x'"),
        ],
        "is not known: write '', 'dead_click', 'error_click', 'excessive_scroll', 'quick_back', "
        "'rage_click' or 'script_error'.": [
            ("signal", "rage_clicks", "The signal 'rage_clicks'"),
        ],
    },
}

# The same of what names a row, or of the whole file: seed, column, cell → what is said.
OTHERS = [
    (
        "micro_conversions",
        "key",
        "",
        "The key in {file} is missing: add it.",
    ),
    (
        "micro_conversions",
        "key",
        "a b",
        "The key 'a b' in {file} cannot be read: write a name of letters, digits, '_', "
        "'-' and '.', 60 at most.",
    ),
    (
        "micro_conversions",
        "key",
        "sessions",
        "The key 'sessions' in {file} stands for all sessions: choose another name.",
    ),
    (
        "micro_conversions",
        "key",
        "null",
        "Row 3 of the seed file {file} has a cell with the word null: leave it empty, "
        "or write another text.",
    ),
    (
        "micro_conversions",
        "key",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "The key 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' in "
        "{file} cannot be read: write a name of letters, digits, '_', '-' and '.', 60 "
        "at most.",
    ),
    (
        "micro_conversions",
        "key",
        " gallery",
        "The key ' gallery' in {file} cannot be read: write a name of letters, digits, "
        "'_', '-' and '.', 60 at most.",
    ),
    (
        "micro_conversions",
        "description",
        "a\x00b",
        "The seed file {file} cannot be read (line 3 has a character that is no text, "
        "U+0000): restore it, or correct it.",
    ),
    (
        "funnel_steps",
        "funnel",
        "",
        "The funnel of the step ', 1' in {file} is missing: add it.",
    ),
    (
        "funnel_steps",
        "funnel",
        "a b",
        "The funnel 'a b' of the step 'a b, 1' in {file} cannot be read: write a name "
        "of letters, digits, '_', '-' and '.', 60 at most.",
    ),
    (
        "funnel_steps",
        "step_number",
        "first",
        "The step_number 'first' of the step 'core, first' in {file} cannot be read: "
        "write a whole number such as 3.",
    ),
    (
        "funnel_steps",
        "step_number",
        "-1",
        "The step_number '-1' of the step 'core, -1' in {file} cannot be read: write a "
        "whole number such as 3.",
    ),
    (
        "funnel_steps",
        "step_number",
        "1.5",
        "The step_number '1.5' of the step 'core, 1.5' in {file} cannot be read: write "
        "a whole number such as 3.",
    ),
    (
        "funnel_steps",
        "step_number",
        "\u0661",
        "The step_number '١' of the step 'core, ١' in {file} cannot be read: write a "
        "whole number such as 3.",
    ),
    (
        "segments",
        "segment_name",
        "al",
        "The segment_name 'al' of the segment 'al' in {file} is not known: did you mean 'all'?",
    ),
    (
        "segments",
        "segment_name",
        "page",
        "The segment_name 'page' of the segment 'page' in {file} is not known: did you "
        "mean 'landing_page'?",
    ),
    (
        "segments",
        "segment_name",
        "",
        "The segment_name of the segment '' in {file} is missing: add it.",
    ),
    (
        "benchmarks",
        "device",
        "phone",
        "The device 'phone' of the benchmark 'cart_to_checkout_rate, all, phone, all' "
        "in {file} is not known: write 'all', 'desktop', 'mobile', 'tablet' or 'smart tv'.",
    ),
    (
        "event_origins",
        "origin",
        "other",
        "The origin 'enhanced' of the key 'home_view' in "
        "{folder}/micro_conversions.csv is not known: did you mean 'recommended'?",
    ),
    (
        "event_origins",
        "origin",
        "",
        "The origin 'enhanced' of the key 'home_view' in "
        "{folder}/micro_conversions.csv is not known: did you mean 'recommended'?",
    ),
    (
        "diagnosis_playbook",
        "condition",
        "x",
        "The rule 'H1' in {file} has the condition 'x', which cannot be read: write "
        "such as 'micro(product_click) is low on device=mobile', joined by 'and'.",
    ),
]


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A copy of the project's seeds to break."""
    for name in SEEDS:
        shutil.copy(SEEDS_DIR / f"{name}.csv", tmp_path)
    return tmp_path


def refusal(seeds: Path, name: str) -> str:
    """What is said, with `{file}` for the seed, which is then whole again."""
    with pytest.raises(SeedError) as caught:
        load_plan(seeds)
    shutil.copy(SEEDS_DIR / f"{name}.csv", seeds)
    said = str(caught.value).replace(str(seeds / f"{name}.csv"), "{file}")
    return said.replace(str(seeds), "{folder}")


def with_cell(seeds: Path, name: str, column: str, cell: str) -> str:
    path = seeds / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    place = min(1, len(rows) - 1)
    rows[place] = {**rows[place], column: cell}
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return refusal(seeds, name)


@pytest.mark.parametrize("name", CELLS)
def test_a_cell(seeds, name):
    for end, cases in CELLS[name].items():
        for column, cell, start in cases:
            said = with_cell(seeds, name, column, cell)
            assert said == f"{start} of the {ROWS[name]} in {{file}} {end}"


def test_what_names_a_row(seeds):
    for name, column, cell, sentence in OTHERS:
        assert with_cell(seeds, name, column, cell) == sentence


HEADER = b"segment_name,api_dimension,column_name,position,is_partition,description\n"
ROW = b"all,,,0,true,The whole property\n"
FILES = [
    (b"", "The seed file {file} has no column 'segment_name': add it."),
    (HEADER, "The seed file {file} has no rows: restore it."),
    (
        HEADER + ROW,
        "The seed file {file} has no segment 'channel', which dbt_project.yml has: add it, or take "
        "it out there.",
    ),
    (
        HEADER + ROW + ROW,
        "The seed file {file} has the segment_name 'all' twice: keep one of the rows.",
    ),
    (
        HEADER + ROW + ROW.replace(b"all", b"device"),
        "The seed file {file} has the position '0' twice: keep one of the rows.",
    ),
    (
        HEADER.replace(b",", b";") + ROW.replace(b",", b";"),
        "The seed file {file} is separated by ';': save it with ',' instead.",
    ),
    (
        HEADER.replace(b"position", b"segment_name"),
        "The seed file {file} has the column 'segment_name' twice: keep one.",
    ),
    (
        HEADER.replace(b"\n", b",color\n"),
        "The seed file {file} has the column 'color', which nothing reads: remove it, or "
        "correct its name.",
    ),
    (
        HEADER + b"page,pagePath,page_path,1,true,One, two\n",
        "Row 2 of the seed file {file} has not 6 fields: put quotes around values with commas.",
    ),
    (
        HEADER + b"page,pagePath\n",
        "Row 2 of the seed file {file} has not 6 fields: put quotes around values with commas.",
    ),
    (
        HEADER + b'page,"pagePath\n',
        "The seed file {file} cannot be read (near line 2: unexpected end of data): "
        "restore it, or correct it.",
    ),
    (
        HEADER + b'page,"pagePath"x,,,,\n',
        "The seed file {file} cannot be read (near line 2: ',' expected after '\"'): "
        "restore it, or correct it.",
    ),
    (
        HEADER + b"x" * 200_000,
        "The seed file {file} cannot be read (near line 2: field larger than field limit "
        "(131072)): restore it, or correct it.",
    ),
    (
        HEADER + ROW + b"\x00",
        "The seed file {file} cannot be read (line 3 has a character that is no text, U+0000): "
        "restore it, or correct it.",
    ),
    (
        HEADER + "Größe".encode("cp1252"),
        "The seed file {file} cannot be read (line 2 is not UTF-8: save it as UTF-8): "
        "restore it, or correct it.",
    ),
    (
        HEADER.decode().encode("utf-16"),
        "The seed file {file} cannot be read (line 1 is not UTF-8: save it as UTF-8): "
        "restore it, or correct it.",
    ),
    (
        b"x" * 1_000_001,
        "The seed file {file} cannot be read (it is larger than 1,000,000 bytes): "
        "restore it, or correct it.",
    ),
]


def test_a_file(seeds):
    for content, sentence in FILES:
        (seeds / "segments.csv").write_bytes(content)
        assert refusal(seeds, "segments") == sentence
