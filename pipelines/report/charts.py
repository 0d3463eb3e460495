"""Altair charts as Vega-Lite specifications.

Colours are CSS variables of template/style.css: a chart follows the colour scheme and the printer
by itself, and a designer changes it there. Every mark carries its numbers as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt

from pipelines.report.components import Spec

_ROW = 46
_LABEL_LIMIT = 128
_DATA = "rows"
# Verdict group -> shape, so that a colour never stands alone.
_GROUPS = {
    "below": ("triangle-down", "var(--below)"),
    "above": ("triangle-up", "var(--above)"),
    "other": ("circle", "var(--mark)"),
}
_CONFIG: Spec = {
    "background": "transparent",
    "view": {"stroke": None},
    "font": "system-ui, sans-serif",
    "axis": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--ink-soft)",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelLimit": _LABEL_LIMIT,
    },
}


@dataclass(frozen=True)
class RateMark:
    """A rate with its interval, the band it should lie in and the rate before; all 0-1."""

    label: str
    text: str
    rate: float | None
    shown: str = ""
    low: float | None = None
    high: float | None = None
    band_low: float | None = None
    band_high: float | None = None
    before: float | None = None
    # What is said where there is no rate; the verdict's group where there is one.
    missing: str = ""
    group: str = "other"


@dataclass(frozen=True)
class BarMark:
    """A value with an optional interval."""

    label: str
    text: str
    short: str
    value: float | None
    low: float | None = None
    high: float | None = None
    group: str = "other"


def group_of(verdict: str | None) -> str:
    """The group of a verdict: its shape and colour."""
    return verdict if verdict in {"below", "above"} else "other"


def rates(marks: Sequence[RateMark], title: str) -> Spec:
    """A row per mark: the band, the interval, the rate, and the rate of the window before.

    A layer without any number would have no extent, so it is left out.
    """
    base, y = _base(marks), _rows(marks)
    layers = []
    if any(mark.band_low is not None for mark in marks):
        band = base.mark_bar(color="var(--band)", height=26, aria=False)
        shown = band.encode(x=alt.X("band_low:Q", title=title), x2=alt.X2("band_high:Q"), y=y)
        layers.append(shown.transform_filter("isValid(datum.band_low)"))
    if any(mark.low is not None for mark in marks):
        layers.append(_interval(base, y))
    if any(mark.before is not None for mark in marks):
        tick = base.mark_tick(color="var(--ink-soft)", thickness=2, height=16, aria=False)
        shown = tick.encode(x=alt.X("before:Q"), y=y)
        layers.append(shown.transform_filter("isValid(datum.before)"))
    if any(mark.rate is not None for mark in marks):
        layers += _points(base.transform_filter("isValid(datum.rate)"), y, title)
    if any(mark.rate is None for mark in marks):
        words = base.mark_text(
            align="left", fontSize=12, fontStyle="italic", color="var(--ink-soft)"
        ).encode(x=alt.XDatum(0), y=y, text=alt.Text("missing:N"), **_said())
        layers.append(words.transform_filter("!isValid(datum.rate)"))
    return _finished(alt.layer(*layers), len(marks))


def bars(marks: Sequence[BarMark], title: str) -> Spec:
    """A row per mark: a bar from zero, its interval, and its value in words at the end."""
    base, y = _base(marks), _rows(marks)
    end = "datum.value < 0 ? 0 : max(datum.value, isValid(datum.high) ? datum.high : datum.value)"
    layers = []
    if any(mark.value is not None for mark in marks):
        x = alt.X("value:Q", title=title, axis=_amount_axis())
        bar = base.mark_bar(height=22, opacity=1).encode(x=x, y=y, **_coloured(), **_said())
        layers.append(bar.transform_filter("isValid(datum.value)"))
    if any(mark.low is not None for mark in marks):
        layers.append(_interval(base, y))
    layers.append(
        base.transform_calculate(end=end)
        .mark_text(align="left", dx=6, fontSize=12, color="var(--ink)", aria=False)
        .encode(x=alt.X("end:Q", title=title), y=y, text=alt.Text("short:N"))
    )
    return _finished(alt.layer(*layers), len(marks), right=64)


def _points(known: alt.Chart, y: alt.Y, title: str) -> list[alt.Chart]:
    """The marks, and their rates in words above them."""
    x = alt.X("rate:Q", title=title, scale=alt.Scale(domainMin=0, nice=True), axis=_percent_axis())
    point = known.mark_point(filled=True, size=110, opacity=1)
    text = known.mark_text(dy=-15, fontSize=12, color="var(--ink)", aria=False, align=_align())
    return [
        point.encode(x=x, y=y, **_grouped(), **_said()),
        text.encode(x=alt.X("rate:Q"), y=y, text=alt.Text("shown:N")),
    ]


def _interval(base: alt.Chart, y: alt.Y) -> alt.Chart:
    rule = base.mark_rule(color="var(--ink)", strokeWidth=2, aria=False)
    shown: alt.Chart = rule.encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"), y=y)
    return shown.transform_filter("isValid(datum.low)")


def _base(marks: Sequence[RateMark | BarMark]) -> alt.Chart:
    values = [asdict(mark) for mark in marks]
    return alt.Chart(alt.InlineData(values=values, name=_DATA))


def _rows(marks: Sequence[RateMark | BarMark]) -> alt.Y:
    """In the order given, one band a row; what stands after `, ` is a second line."""
    labels = [mark.label for mark in marks]
    axis = alt.Axis(
        title=None,
        domain=False,
        ticks=False,
        labelPadding=8,
        labelExpr="split(datum.label, ', ')",
        labelOffset=-7 if any(", " in label for label in labels) else 0,
    )
    return alt.Y("label:N", sort=labels, axis=axis, scale=alt.Scale(type="band", domain=labels))


def _said() -> dict[str, Any]:
    # Channel classes, here and above: a plain string costs ten times as long.
    return {"description": alt.Description("text:N"), "tooltip": alt.Tooltip("text:N")}


def _amount_axis() -> alt.Axis:
    return alt.Axis(labelExpr="format(datum.value, '~s')", tickCount=4, grid=True)


def _percent_axis() -> alt.Axis:
    return alt.Axis(format="~%", tickCount=4, grid=True)


def _grouped() -> dict[str, Any]:
    shapes, domain = [shape for shape, _ in _GROUPS.values()], list(_GROUPS)
    shape = alt.Shape("group:N", legend=None, scale=alt.Scale(domain=domain, range=shapes))
    return {"shape": shape, **_coloured()}


def _coloured() -> dict[str, Any]:
    colours, domain = [colour for _, colour in _GROUPS.values()], list(_GROUPS)
    scale = alt.Scale(domain=domain, range=colours)
    return {"color": alt.Color("group:N", legend=None, scale=scale)}


def _align() -> Any:
    """A rate near zero is written to the right of its mark, not over the names of the rows."""
    return alt.expr("datum.rate < 0.04 ? 'left' : 'center'")


def _finished(chart: alt.LayerChart | alt.FacetChart, rows: int, right: int = 22) -> Spec:
    sized = chart.properties(
        width="container",
        height=_ROW * max(rows, 1),
        padding={"left": 2, "right": right, "top": 12, "bottom": 2},
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
    )
    # The browser tests draw every chart; checking each against the schema doubled the page's time.
    spec: Spec = sized.to_dict(validate=False)
    return {**spec, "config": _CONFIG}
