"""Where visitors struggle, by Clarity: evidence of where to look, never of a cause."""

from __future__ import annotations

from pipelines.report import formatting
from pipelines.report.components import Section, Table, columns, filled
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.findings import Finding
from pipelines.report.rows.friction import DAYS_SHOWN, Sign, Snapshots
from pipelines.wording import counted, words

_NOTES = (
    "A snapshot is of the hours before it was taken; two may overlap, so nothing is added up over "
    "days. Sessions are Clarity's own and are not GA4's. In all visits: on whichever page and "
    "device. Listed is what chance would bring in one snapshot of twenty at most.",
)


def friction_section(shop: PropertyData) -> Section | None:
    """None where no snapshot was ever asked for."""
    told = shop.snapshots
    if told is None:
        return None
    failed = (f"The newest snapshot could not be taken: {told.problem}",) if told.problem else ()
    if told.window_end is None:
        return Section("Friction on pages (Clarity)", failed)
    return Section(
        "Friction on pages (Clarity)",
        (_summary(shop, told), *_gaps(told), *failed, *shop.left_out_words("clarity")),
        tables=filled(_table(shop)),
        notes=_NOTES,
    )


def friction_there(shop: PropertyData, finding: Finding) -> list[tuple[str, str]]:
    """What a finding's card says of its pages and device."""
    found = [one for one in shop.friction_of_findings if one.finding_id == finding.finding_id]
    if not found or shop.snapshots is None:
        return []
    signs = "; ".join(
        f"{words(one.signal)} on {one.page_path}, {one.device}: {_share(one)}, in all visits "
        f"{formatting.percent(one.all_share)}"
        for one in found
    )
    return [("Friction there", f"{signs} (Clarity, {_when(shop.snapshots)}; no proof of a cause)")]


def _summary(shop: PropertyData, told: Snapshots) -> str:
    signs = counted(len(shop.friction), "sign") if shop.friction else "no sign"
    cut = "" if told.is_complete else " Clarity told 1,000 rows at most: rare pages are missing."
    return (
        f"In the {_when(told)}, {signs} of friction came clearly more often on a page than in all "
        f"visits.{cut}"
    )


def _gaps(told: Snapshots) -> tuple[str, ...]:
    if not told.hours_lost:
        return ()
    return (
        f"{counted(told.hours_lost, 'hour')} of the last {DAYS_SHOWN} days are in no snapshot; "
        "Clarity does not tell them any more.",
    )


def _table(shop: PropertyData) -> Table:
    return Table(
        "Clearly more often than in all visits",
        columns("Page", "Device", "Sign", "#Sessions with it", "#In all visits"),
        tuple(
            (
                one.page_path,
                one.device,
                formatting.key_words(one.signal),
                _share(one),
                formatting.rate_of(one.all_share, one.all_sessions_with_signal, one.all_sessions),
            )
            for one in shop.friction
        ),
    )


def _share(one: Sign) -> str:
    return formatting.rate_of(one.signal_share, one.sessions_with_signal, one.sessions)


def _when(told: Snapshots) -> str:
    assert told.window_end is not None
    return f"{told.window_hours} hours to {told.window_end:%-d %b %Y %H:%M} UTC"
