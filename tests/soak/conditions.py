"""What must hold after each night, each broken one a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tests.soak.command import Ended
from tests.soak.draw import Night
from tests.soak.numbers import Compared, Slack, attach, compare
from tests.soak.shops import Shop
from tests.soak.truth import Bounds, load_truth

# Exit code → what `sluice status` may call the home.
STATES = {0: {"fine"}, 2: {"held_back"}, 75: {"paused"}}


@dataclass(frozen=True)
class Result:
    """A night's commands, and what is published after it (None: nothing yet)."""

    nightly: Ended
    status: Ended
    published: Path | None

    @property
    def run(self) -> dict[str, Any]:
        """What `sluice nightly --json` printed; empty where it broke off before the run."""
        return json.loads(self.nightly.out) if self.nightly.out.strip() else {}

    @property
    def manifest(self) -> dict[str, Any]:
        """Of the published version."""
        if self.published is None:
            return {}
        return json.loads((self.published / "manifest.json").read_text(encoding="utf-8"))

    @property
    def is_published(self) -> bool:
        """Whether this very night published a version."""
        return bool(self.run) and self.manifest.get("run_id") == self.run["run_id"]


def ended_well(result: Result) -> Iterator[str]:
    """0, 2 or 75, one error at most, and `status` says the same."""
    code, status = result.nightly.code, result.status
    if code not in STATES:
        yield f"it ended with {code}: {result.nightly.last_words[:400]}"
    if "Traceback" in result.nightly.err + result.nightly.out:
        yield "it printed a traceback."
    state = json.loads(status.out)["state"] if status.out.strip().startswith("{") else "broken"
    if code in STATES and (status.code != code or state not in STATES[code]):
        yield f"it ended with {code}, but 'sluice status' with {status.code} ({state})."
    held_back = result.manifest.get("held_back") if result.is_published else "everything"
    if code == 0 and held_back:
        yield f"it ended with 0, but held back {held_back}."


def others_are_published(night: Night, shops: tuple[Shop, ...], result: Result) -> Iterator[str]:
    """A property that nothing grave hit is published, whatever hit the others."""
    held_back = set(result.manifest.get("held_back", ())) if result.is_published else None
    for shop in shops:
        own = shop.property_id
        if not night.is_mild(own):
            continue
        if held_back is None or own in held_back:
            names = ", ".join(night.names(own)) or "nothing"
            yield (
                f"property {own} was not published although only {names} hit it: "
                f"{_why(result, own)}"
            )


def _why(result: Result, property_id: str) -> str:
    words = result.run.get("message") or result.nightly.last_words
    mark = f"property {property_id} was held back: "
    return (words.partition(mark)[2] or words)[:400]


def healed(shops: tuple[Shop, ...], result: Result, end: date) -> Iterator[str]:
    """After a night without faults everything is there, new, complete and unflagged."""
    if result.nightly.code != 0 or not result.is_published or result.published is None:
        return
    start = result.run["start"]
    with duckdb.connect(str(result.published / "sluice.duckdb"), read_only=True) as connection:
        for shop in shops:
            newest, short = connection.execute(
                "select max(date) filter (where window_name = '1d'), string_agg(distinct report "
                "|| ' of ' || date, ', ' order by report || ' of ' || date) "
                # Windows and field lists of an earlier night are not read again.
                "filter (where not is_complete and date >= if(window_name = '1d' "
                "and report <> 'metadata', ?::date, ?::date)) "
                "from marts.fct_data_completeness where property_id = ?",
                [start, end, shop.property_id],
            ).fetchone() or (None, None)
            if newest != end:
                yield f"the newest day of property {shop.property_id} is {newest}, not {end}."
            if short:
                yield (
                    f"property {shop.property_id} is not complete again from {start} on: "
                    f"{short[:300]}."
                )


def numbers_of(shop: Shop, events: Path, published: Path, bounds: Bounds, slack: Slack) -> Compared:
    """Complete and unflagged numbers of a property against the truth."""
    with duckdb.connect() as connection:
        load_truth(connection, events)
        bounds.load(connection)
        attach(connection, published / "sluice.duckdb")
        connection.execute(
            "create macro last_day() as (select max(date) from true_daily where kind = 'key')"
        )
        return compare(connection, shop.property_id, slack)
