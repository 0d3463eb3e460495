"""What a server may do to a property in one night, in the language of the emulator's faults.

Each behaviour is a function of a random draw. *Mild* ones must not keep the property from being
published; under the others it may be blocked, paused or published, but nothing else may suffer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

Rule = dict[str, Any]
Factor = tuple[float, float]
SEGMENT_DIMENSIONS = (
    "deviceCategory", "sessionDefaultChannelGroup", "country", "newVsReturning", "landingPage",
)  # fmt: skip
DIMENSIONS = (*SEGMENT_DIMENSIONS, "itemId", "pagePath", "itemListName")
# How a method of its own may be missing.
NO_METHOD = ("unimplemented", "forbidden", "unavailable", "internal", "deadline", "unknown")
PASSING_ERRORS = (
    "unavailable", "internal", "deadline", "bad_gateway", "unknown", "aborted", "cancelled",
    "data_loss",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """Rules, and what they do to the truth. `factors`: date → how often it is counted while they
    are in force, at least and at most; without an entry once.
    """

    rules: tuple[Rule, ...]
    factors: dict[date, Factor] = field(default_factory=dict)


@dataclass(frozen=True)
class Draw:
    """Who is hit in which night: `end` is its last day."""

    random: Random
    property_id: str
    end: date

    def day(self, days_back: int) -> date:
        """One of so many newest days."""
        return self.end - timedelta(days=self.random.randrange(days_back))

    def rule(self, do: dict[str, Any], method: str = "RunReport", **when: Any) -> Rule:
        """One rule about this property."""
        return {"when": {"method": method, "property": self.property_id, **when}, "do": do}

    def calls(self, share: float) -> dict[str, Any]:
        """A share of the requests, each by its own chance."""
        return {"share": share, "seed": self.random.randrange(10_000)}


@dataclass(frozen=True)
class Behaviour:
    """A kind of fault. `name` is shown; `is_mild`: the property is published all the same."""

    name: str
    is_mild: bool
    draw: Callable[[Draw], Fault]


BEHAVIOURS: dict[str, Behaviour] = {}


def behaviour(*, is_mild: bool) -> Callable[[Callable[[Draw], Fault]], Callable[[Draw], Fault]]:
    """Puts a function into the list under its own name."""

    def add(draw: Callable[[Draw], Fault]) -> Callable[[Draw], Fault]:
        name = draw.__name__.replace("_", " ")
        BEHAVIOURS[name] = Behaviour(name, is_mild, draw)
        return draw

    return add


def _one(rule: Rule, factors: dict[date, Factor] | None = None) -> Fault:
    return Fault((rule,), factors or {})


@behaviour(is_mild=True)
def no_funnels(draw: Draw) -> Fault:
    status = draw.random.choice((*NO_METHOD, "invalid", "daily"))
    return _one(draw.rule({"status": status}, "RunFunnelReport"))


@behaviour(is_mild=True)
def no_metadata(draw: Draw) -> Fault:
    status = draw.random.choice(NO_METHOD)
    return _one(draw.rule({"status": status}, "GetMetadata"))


@behaviour(is_mild=True)
def no_compatibility(draw: Draw) -> Fault:
    status = draw.random.choice(NO_METHOD)
    return _one(draw.rule({"status": status}, "CheckCompatibility"))


@behaviour(is_mild=True)
def few_errors(draw: Draw) -> Fault:
    status = draw.random.choice(PASSING_ERRORS)
    return _one(draw.rule({"status": status}, calls=draw.calls(0.05)))


@behaviour(is_mild=False)
def many_errors(draw: Draw) -> Fault:
    status = draw.random.choice(PASSING_ERRORS)
    return _one(draw.rule({"status": status}, calls=draw.calls(0.2)))


@behaviour(is_mild=True)
def sampled(draw: Draw) -> Fault:
    where = {} if draw.random.random() < 0.5 else {"dimensions": draw.random.choice(DIMENSIONS)}
    share = draw.random.choice((0.1, 0.5, 0.75))
    return _one(draw.rule({"sampling": {"share": share}}, **where))


@behaviour(is_mild=True)
def thresholded(draw: Draw) -> Fault:
    where = {} if draw.random.random() < 0.5 else {"dimensions": draw.random.choice(DIMENSIONS)}
    least = draw.random.choice((3, 10))
    return _one(draw.rule({"threshold": {"min_users": least}}, **where))


@behaviour(is_mild=True)
def folded_into_other(draw: Draw) -> Fault:
    if draw.random.random() < 0.5:
        return _one(draw.rule({"other": {"keep": draw.random.choice((5, 20))}}))
    dimension = draw.random.choice(DIMENSIONS)
    keep = draw.random.choice((1, 3, 20))
    return _one(draw.rule({"other": {"dimension": dimension, "keep": keep}}, dimensions=dimension))


@behaviour(is_mild=True)
def restricted(draw: Draw) -> Fault:
    metrics = draw.random.choice((["purchaseRevenue"], ["itemRevenue"], ["transactions"]))
    return _one(draw.rule({"restrict": {"metrics": metrics}}, metrics=metrics[0]))


@behaviour(is_mild=True)
def restated(draw: Draw) -> Fault:
    day = draw.day(14)
    rule = draw.rule({"restate": {"dates": [str(day)], "factor": 2}})
    rule["when"].pop("method")
    return _one(rule, {day: (2.0, 2.0)})


@behaviour(is_mild=True)
def late(draw: Draw) -> Fault:
    day = draw.day(2)
    hidden = {"dates": [str(day)], "share": 0.3, "visible_from": "2027-01-01T00:00:00Z"}
    rule = draw.rule({"late": hidden})
    rule["when"].pop("method")
    return _one(rule, {day: (0.0, 1.0)})


@behaviour(is_mild=True)
def empty_on_one_day(draw: Draw) -> Fault:
    """A report without any row on one day, that the shop's total of the day contradicts."""
    dimension = draw.random.choice(DIMENSIONS)
    vanish = {"vanish": {"dates": [str(draw.day(3))]}}
    return _one(draw.rule(vanish, dimensions=["date", dimension]))


@behaviour(is_mild=True)
def short_on_one_day(draw: Draw) -> Fault:
    """A report with a third of a day's sessions, that the shop's total contradicts."""
    dimension = draw.random.choice(DIMENSIONS)
    vanish = {"vanish": {"dates": [str(draw.day(3))], "share": 0.7}}
    return _one(draw.rule(vanish, dimensions=["date", dimension]))


@behaviour(is_mild=True)
def total_above_its_rows(draw: Draw) -> Fault:
    """Rows left out of answer and row count, but not of the total."""
    dimension = draw.random.choice(DIMENSIONS)
    count = draw.random.choice((1, 3))
    do = {"missing_rows": count, "row_count_add": -count}
    return _one(draw.rule(do, dimensions=["date", dimension]))


@behaviour(is_mild=True)
def optional_report_fails(draw: Draw) -> Fault:
    dimension = draw.random.choice(("itemId", "itemListName", "pagePath", "landingPage"))
    status = draw.random.choice(("incompatible", "invalid", "thresholded", "deadline"))
    return _one(draw.rule({"status": status}, dimensions=dimension))


@behaviour(is_mild=True)
def optional_report_contradicts_itself(draw: Draw) -> Fault:
    dimension = draw.random.choice(("itemId", "itemListName", "pagePath", "landingPage"))
    do = draw.random.choice(({"duplicate_rows": 1}, {"missing_rows": 1}, {"extra_rows": 1}))
    return _one(draw.rule(do, dimensions=["date", dimension]))


@behaviour(is_mild=True)
def slow(draw: Draw) -> Fault:
    """Large pages are beyond the deadline, and all others take a while."""
    large = draw.rule({"status": "deadline"}, limit_above=50_000)
    return Fault((large, draw.rule({"delay_ms": 5}, calls={"every": 10})))


@behaviour(is_mild=True)
def busy(draw: Draw) -> Fault:
    """Too many requests at once, now and then."""
    return _one(draw.rule({"status": "concurrent"}, calls=draw.calls(0.1)))


@behaviour(is_mild=True)
def other_currency(draw: Draw) -> Fault:
    return _one(draw.rule({"currency": draw.random.choice(("USD", "GBP"))}))


@behaviour(is_mild=True)
def fields_go(draw: Draw) -> Fault:
    fields = draw.random.choice((["itemListName"], ["customEvent:percent_scrolled"], ["itemId"]))
    rule = draw.rule({"hide_fields": fields})
    rule["when"].pop("method")
    return _one(rule)


@behaviour(is_mild=False)
def quota_used_up(draw: Draw) -> Fault:
    status = draw.random.choice(("hourly", "property_hourly", "daily", "server_errors"))
    after = draw.random.randrange(120)
    return _one(draw.rule({"status": status}, calls={"after": after}))


@behaviour(is_mild=False)
def quota_of_thresholded_requests_used_up(draw: Draw) -> Fault:
    after = draw.random.randrange(2, 120)
    return _one(draw.rule({"status": "thresholded"}, calls={"after": after}))


@behaviour(is_mild=False)
def forbidden(draw: Draw) -> Fault:
    rule = draw.rule({"status": draw.random.choice(("forbidden", "not_found", "disabled"))})
    rule["when"].pop("method")
    return _one(rule)


@behaviour(is_mild=False)
def no_rows_at_all(draw: Draw) -> Fault:
    return _one(draw.rule({"empty": {"reason": "NO_DATA"}}))


@behaviour(is_mild=False)
def required_report_fails(draw: Draw) -> Fault:
    dimension = draw.random.choice(SEGMENT_DIMENSIONS[:4])
    do = draw.random.choice(
        ({"status": "invalid"}, {"status": "internal"}, {"duplicate_rows": 1}, {"missing_rows": 1})
    )
    return _one(draw.rule(do, dimensions=["date", dimension]))


@behaviour(is_mild=False)
def down_from_a_moment_on(draw: Draw) -> Fault:
    rule = draw.rule(
        {"status": draw.random.choice(PASSING_ERRORS)},
        calls={"after": draw.random.randrange(60)},
    )
    rule["when"].pop("method")
    return _one(rule)
