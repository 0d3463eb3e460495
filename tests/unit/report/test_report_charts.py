"""Where charts put their marks, in a box of 100 by 40."""

from datetime import date

from pipelines.report.charts import RateMark, Stretch, bars, scale_of, trend_of


def stretches(*values: float | None) -> list[Stretch]:
    """One day each, from 1 June on."""
    return [
        Stretch(date(2026, 6, day), date(2026, 6, day), value)
        for day, value in enumerate(values, start=1)
    ]


def test_a_line_has_steps_and_holes() -> None:
    """Of four days with 2, 1, nothing and 2 at a top of 2.12: 40 (1 − 2 / 2.12) is 2.26."""
    chart = trend_of(stretches(2, 1, None, 2), "In words.", mark=date(2026, 6, 3))
    assert chart is not None
    assert chart.inside == "M0.0 2.26H25.0V21.13H50.0M75.0 2.26H100.0"
    assert (chart.outside, chart.band, chart.mark, chart.words) == ("", None, 50.0, "In words.")
    assert (chart.first, chart.last) == (date(2026, 6, 1), date(2026, 6, 4))


def test_nothing_but_zeros_is_a_line_at_the_bottom_and_nothing_known_is_no_chart() -> None:
    chart = trend_of(stretches(0, 0), "")
    assert chart is not None
    assert chart.inside == "M0.0 40.0H50.0V40.0H100.0"
    assert trend_of(stretches(None, None), "") is None
    assert trend_of([], "") is None


def test_a_day_outside_of_the_chart_is_not_marked() -> None:
    chart = trend_of(stretches(1, 1), "", mark=date(2026, 5, 1), band=(0.5, 2))
    assert chart is not None
    assert chart.mark is None
    # The band reaches above the values: its top is 2 of 2.12, and it is 1.5 of 2.12 high.
    assert chart.band == (2.26, 28.31)


def test_bars_are_shares_of_the_largest_whatever_its_sign() -> None:
    marks = bars([("a", "5", 5.25), ("b", "-10", -10.5), ("c", "unknown", None)])
    assert [mark.share for mark in marks] == [0.5, -1, None]
    assert [mark.share for mark in bars([("a", "0", 0)])] == [0]


def test_marks_of_a_chart_share_a_scale_that_holds_all_of_them() -> None:
    marks = [RateMark("a", "", 0.2, high=0.3, band_high=0.5), RateMark("b", "not tracked")]
    assert scale_of(marks) == 0.53
    assert scale_of(marks[1:]) == 1
