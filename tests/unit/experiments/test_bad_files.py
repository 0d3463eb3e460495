"""Every mistake in a file of outcomes, or in an option, is one sentence that says where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.reading import fail

HEAD = "variant,exposed,converted\n"
DAYS = "date,variant,exposed,converted\n"
USERS = "variant,user,numerator,denominator\n"
ROWS = "control,100,10\nnew,100,12\n"
BAD: dict[str, tuple[str | bytes, str]] = {
    "more converted than exposed": (
        HEAD + "control,100,10\nnew,100,101\n",
        "x.csv, line 3: converted is '101', more than exposed ('100').",
    ),
    "more macro than exposed": (
        "variant,exposed,converted,macro_converted\na,100,10,101\nb,9,1,1\n",
        "x.csv, line 2: macro_converted is '101', more than exposed ('100').",
    ),
    "one variant": (
        HEAD + "control,100,10\n",
        "There is one variant, 'control': an experiment has a control and at least one other.",
    ),
    "a negative count": (
        HEAD + "control,-100,10\nnew,100,12\n",
        "x.csv, line 2: exposed is '-100': it is 0 or more.",
    ),
    "a fractional count": (
        HEAD + "control,100,10.5\nnew,100,12\n",
        "x.csv, line 2: converted is '10.5': a count is a whole number.",
    ),
    "thousands": (
        'variant;exposed;converted\ncontrol;"1,000";10\nnew;100;12\n',
        "x.csv, line 2: exposed is '1,000', which is no number: write digits, with a point before "
        "decimals and nothing between thousands.",
    ),
    "no number": (
        HEAD + "control,100,\nnew,100,12\n",
        "x.csv, line 2: converted is '', which is no number: write digits, with a point before "
        "decimals and nothing between thousands.",
    ),
    "infinite": (
        HEAD + "control,inf,10\nnew,100,12\n",
        "x.csv, line 2: exposed is 'inf', which is no number: write digits, with a point before "
        "decimals and nothing between thousands.",
    ),
    "too large": (
        HEAD + "control,100000000000000000,10\nnew,100,12\n",
        "x.csv, line 2: exposed is '100000000000000000': too large.",
    ),
    "a variant twice": (
        HEAD + ROWS + "\nnew,100,12\n",
        "x.csv, line 5: the variant 'new' is there twice: one row a variant, or a column 'date' "
        "with one row a day.",
    ),
    "a variant twice on a day": (
        DAYS + "2020-03-01,a,9,1\n2020-03-01,b,9,1\n2020-03-01,b,9,1\n",
        "x.csv, line 4: the variant 'b' is there twice on '2020-03-01'.",
    ),
    "a day without a variant": (
        DAYS + "2020-03-01,a,9,1\n2020-03-01,b,9,1\n2020-03-02,a,9,1\n",
        "x.csv, line 4: '2020-03-02' has no row of every one of the 2 variants: a day without "
        "units has a row of zeros.",
    ),
    "no date": (
        DAYS + "01.03.2020,a,9,1\n2020-03-01,b,9,1\n",
        "x.csv, line 2: date is '01.03.2020': write it as YYYY-MM-DD.",
    ),
    "a date that there is not": (
        DAYS + "2020-02-30,a,9,1\n2020-03-01,b,9,1\n",
        "x.csv, line 2: date is '2020-02-30': write it as YYYY-MM-DD.",
    ),
    "an empty file": ("", "x.csv is empty: its first line has to name the columns."),
    "blank lines only": ("\n \n", "x.csv is empty: its first line has to name the columns."),
    "a heading only": (HEAD, "x.csv has no row below its heading."),
    "another separator": (
        "variant|exposed|converted\ncontrol|100|10\n",
        "x.csv, line 1: there is no column 'variant' (is it 'variant|exposed|converted'?); write "
        "variant, exposed, converted, separated by commas, semicolons or tabs.",
    ),
    "a missing column": (
        "variant,visitors,converted\ncontrol,100,10\n",
        "x.csv, line 1: there is no column 'exposed' (is it 'visitors'?); write variant, exposed, "
        "converted, separated by commas, semicolons or tabs.",
    ),
    "an unknown column": (
        "variant,exposed,converted,macro\ncontrol,100,10,1\n",
        "x.csv, line 1: the column 'macro' is not known; did you mean 'macro_converted'?",
    ),
    "a column twice": (
        "variant,exposed,exposed,converted\ncontrol,100,100,10\n",
        "x.csv, line 1: the column 'exposed' is there twice.",
    ),
    "too many cells": (
        HEAD + "control,100,10\nnew,100,12,9\n",
        "x.csv, line 3: 4 cells, and the heading has 3.",
    ),
    "too many cells after blank lines": (
        "\n\n" + HEAD + "control,100,10\nnew,100,12,9\n",
        "x.csv, line 5: 4 cells, and the heading has 3.",
    ),
    "an open quote": (
        HEAD + 'control,100,10\n"new,100,12\n',
        "x.csv, line 3: a quote opens and never closes.",
    ),
    "no variant": (HEAD + ",100,10\nnew,100,12\n", "x.csv, line 2: variant is empty."),
    "another encoding": (
        (HEAD + "control,100,10\nvariante é,100,12\n").encode("latin-1"),
        "x.csv cannot be read (line 3 is not UTF-8: save it as UTF-8): correct its name, or save "
        "it as CSV in UTF-8.",
    ),
    "no text": (
        b"PK\x03\x04\x00",
        "x.csv cannot be read (line 1 has a character that is no text, U+0003): correct its name, "
        "or save it as CSV in UTF-8.",
    ),
    "nobody exposed": (
        HEAD + "control,100,10\nnew,0,0\n",
        "The variant 'new' has no units: there is no rate of it.",
    ),
    "nobody in one variant alone": (
        USERS + "a,u1,1,2\nb,u1,1,2\nb,u2,1,2\n",
        "The variant 'a' has no units, with 1 user in several variants left out: there is no rate "
        "of it.",
    ),
    "a user twice": (
        USERS + "a,u1,1,2\nb,u2,1,2\na,u1,0,1\n",
        "x.csv, line 4: the user 'u1' is there twice in 'a': one row a user.",
    ),
    "no user": (USERS + "a,,1,2\nb,u2,1,2\n", "x.csv, line 2: user is empty."),
    "a negative numerator": (
        USERS + "a,u1,-1,2\nb,u2,1,2\n",
        "x.csv, line 2: numerator is '-1': it is 0 or more.",
    ),
    "too many variants": (
        HEAD + "".join(f"v{number},100,10\n" for number in range(21)),
        "x.csv has 21 variants, and 20 are the most: is 'variant' the column of the variants?",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file(name, tmp_path: Path, monkeypatch, capsys) -> None:
    content, sentence = BAD[name]
    monkeypatch.chdir(tmp_path)
    raw = content if isinstance(content, bytes) else content.encode()
    Path("x.csv").write_bytes(raw)
    assert fail(monkeypatch, capsys, "experiment", "analyze", "x.csv") == (
        1,
        f"Error: {sentence}\n",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    assert Path("x.csv").read_bytes() == raw


def test_a_date_in_the_future(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.csv").write_text(DAYS + "2020-03-01,a,9,1\n2999-01-01,b,9,1\n", encoding="utf-8")
    code, text = fail(monkeypatch, capsys, "experiment", "analyze", "x.csv")
    assert (code, text.count("\n")) == (1, 1)
    assert text.startswith("Error: x.csv, line 3: date is '2999-01-01', which is after today (")


OPTIONS: dict[str, tuple[list[str], str]] = {
    "no file": (
        ["analyze", "y.csv"],
        "y.csv cannot be read (No such file or directory): correct its name, or save it as CSV in "
        "UTF-8.",
    ),
    "a folder": (
        ["analyze", "."],
        ". cannot be read (it is no file): correct its name, or save it as CSV in UTF-8.",
    ),
    "a split that does not add up": (
        ["analyze", "x.csv", "--split", "control=0.5,new=0.4"],
        "The split adds up to 0.9: its shares have to be above 0 and to add up to 1.",
    ),
    "a split of another variant": (
        ["analyze", "x.csv", "--split", "control=0.5,nwe=0.5"],
        "The split names 'nwe', which is no variant of the file; did you mean 'new'?",
    ),
    "a split without a variant": (
        ["analyze", "x.csv", "--split", "control=1"],
        "The split has no share of 'new': give one of each.",
    ),
    "no split": (
        ["analyze", "x.csv", "--split", "50/50"],
        "--split 50/50: write a share above 0 for each variant, once, as 'control=0.5,new=0.5'.",
    ),
    "an alpha": (
        ["analyze", "x.csv", "--alpha", "5"],
        "--alpha is 5: it lies between 0 and 1.",
    ),
    "a smallest effect": (
        ["analyze", "x.csv", "--smallest-effect", "0"],
        "--smallest-effect is 0: it is more than 0.",
    ),
    "an effect in per cent": (
        ["analyze", "x.csv", "--smallest-effect", "2"],
        "The smallest effect is 2, but rates lie between 0 and 1: 0.01 is one point.",
    ),
    "no weekly units": (
        ["plan", "--baseline", "0.07"],
        "--baseline needs --weekly: the units a week that it is the rate of.",
    ),
    "no baseline": (
        ["plan", "--weekly", "700"],
        "Numbers of your own need --baseline: give it, or leave all out.",
    ),
    "macro units without a rate": (
        ["plan", "--baseline", "0.07", "--weekly", "700", "--macro-weekly", "700"],
        "--macro-weekly needs --macro-baseline, the rate of these units.",
    ),
    "a rate in per cent": (
        ["plan", "--baseline", "7", "--weekly", "700"],
        "--baseline is 7: it lies between 0 and 1.",
    ),
    "above 100 %": (
        ["plan", "--baseline", "0.9", "--weekly", "700"],
        "A lift of 20% on 90% would be above 100 %: give a smaller --lift.",
    ),
    "a lift that no number holds": (
        ["plan", "--baseline", "0.5", "--weekly", "700", "--lift", "1e-17"],
        "--lift is 1e-17, which is too small for any shop: correct it.",
    ),
    "a lift that the metric shows next to nothing of": (
        ["plan", "--baseline", "0.5", "--weekly", "7", "--lift", "1e-8", "--rho", "1e-8"],
        "--lift times --rho is 1e-16, which is too small for any shop: correct it.",
    ),
    "a lift in per cent": (
        ["plan", "--baseline", "0.007", "--weekly", "700", "--lift", "20"],
        "--lift is 20, which is 2000%: write 0.2 for 20 %.",
    ),
    "a rate of nobody": (
        ["plan", "--baseline", "1e-300", "--weekly", "700"],
        "--baseline is 1e-300, which is too small for any shop: correct it.",
    ),
    "more units than there are": (
        ["plan", "--baseline", "0.07", "--weekly", "1e308"],
        "--weekly is 1e+308, which is too large for any shop: correct it.",
    ),
    "an alpha of nothing": (
        ["analyze", "x.csv", "--alpha", "1e-320"],
        "--alpha is 9.99989e-321, which is too small for any shop: correct it.",
    ),
    "an effect of nothing": (
        ["analyze", "x.csv", "--smallest-effect", "1e-20"],
        "--smallest-effect is 1e-20, which is too small for any shop: correct it.",
    ),
    "a power of chance": (
        ["plan", "--baseline", "0.07", "--weekly", "700", "--power", "0.02"],
        "--power is 0.02, and chance alone calls 0.05 (--alpha): give more of it.",
    ),
    "a name that no file can have": (
        ["analyze", f"{'x' * 300}.csv"],
        f"{'x' * 300}.csv cannot be read (File name too long): correct its name, or save it as "
        "CSV in UTF-8.",
    ),
    "not a number": (
        ["plan", "--baseline", "nan", "--weekly", "700"],
        "--baseline is nan: it lies between 0 and 1.",
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_bad_option(name, tmp_path: Path, monkeypatch, capsys) -> None:
    arguments, sentence = OPTIONS[name]
    monkeypatch.chdir(tmp_path)
    Path("x.csv").write_text(HEAD + ROWS, encoding="utf-8")
    assert fail(monkeypatch, capsys, "experiment", *arguments) == (1, f"Error: {sentence}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.usefixtures("home")
def test_a_plan_without_a_published_shop_says_what_to_run(monkeypatch, capsys) -> None:
    code, text = fail(monkeypatch, capsys, "experiment", "plan")
    assert (code, "Nothing is published" in text, "sluice nightly" in text) == (1, True, True)
