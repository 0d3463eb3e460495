"""A property that is read from the event export: are its files there, and is all in them."""

from __future__ import annotations

from datetime import date, timedelta

from pipelines.config.settings import Property
from pipelines.export.errors import ExportError
from pipelines.export.files import ExportFile
from pipelines.export.source import files_by_day
from pipelines.export.survey import OPTIONAL, Survey, survey
from pipelines.monitoring.doctor.coverage_steps import TRACKING, assess_coverage, tracking_step
from pipelines.monitoring.doctor.expected_keys import ReadPlan
from pipelines.monitoring.doctor.probes import DAYS, EventAnswer
from pipelines.monitoring.doctor.step_model import Step, not_checked, right, wrong
from pipelines.wording import counted

MOST_GAPS = 10
FILES, COLUMNS, PARAMETERS = "files", "columns", "parameters"


def export_steps(item: Property, plan: ReadPlan | None, yesterday: date) -> tuple[Step, ...]:
    """Paths and newest day, columns, parameters of the plan, and whether the plan's events came."""
    rest = (COLUMNS, PARAMETERS, TRACKING)
    try:
        files = files_by_day(item)
    except ExportError as error:
        return wrong(FILES, str(error)), *(not_checked(name, "it needs the files") for name in rest)
    newest = max(files)
    first = _files_step(files, yesterday)
    days = [day for day in files if newest - timedelta(days=DAYS) < day <= newest]
    named = tuple(plan.tracking.parameters) if plan else ()
    try:
        seen = survey(sorted({file for day in days for file in files[day]}), named)
    except ExportError as error:
        return (
            first,
            wrong(COLUMNS, str(error)),
            *(not_checked(name, "the files cannot be read") for name in rest[1:]),
        )
    if plan is None:
        return (
            first,
            _columns_step(seen),
            *(not_checked(name, "it needs the tracking plan") for name in rest[1:]),
        )
    coverage = assess_coverage(plan.keys, seen.counts)
    answer = EventAnswer(seen.counts, False, seen.sessions, seen.orders)
    return (
        first,
        _columns_step(seen),
        _parameters_step(seen, plan),
        tracking_step(
            coverage, answer, max(seen.sessions.values()), item.id, plan.tracking.advice
        ),
    )  # fmt: skip


def _files_step(files: dict[date, list[ExportFile]], yesterday: date) -> Step:
    first, newest = min(files), max(files)
    number = len({file for day in files.values() for file in day})
    said = f"{counted(number, 'file')} of {counted(len(files), 'day')}, {first} to {newest}"
    facts = {"files": number, "first_day": str(first), "newest_day": str(newest)}
    days = (newest - first).days + 1
    gaps = [str(day) for n in range(days) if (day := first + timedelta(days=n)) not in files]
    others = " and others" if len(gaps) > MOST_GAPS else ""
    details = (f"no file of {', '.join(gaps[:MOST_GAPS])}{others}",)
    if newest < yesterday - timedelta(days=2):
        return wrong(
            FILES,
            f"{said}: the newest is {counted((yesterday - newest).days, 'day')} behind; see that "
            "BigQuery's daily export runs, and that its tables are copied to 'path'.",
            details if gaps else (),
            facts,
        )
    return right(FILES, said, details if gaps else (), facts)


def _columns_step(seen: Survey) -> Step:
    lacking = [f"no {name}: {OPTIONAL[name]}" for name in OPTIONAL if name in seen.missing]
    share = seen.without_user / seen.rows
    if share:
        lacking.append(f"{share:.1%} of the rows have no user (consent was denied): not counted")
    said = f"{seen.rows:,} events can be read"
    return right(COLUMNS, said, tuple(lacking), {"missing": sorted(seen.missing)})


def _parameters_step(seen: Survey, plan: ReadPlan) -> Step:
    """Only of events that came: a parameter cannot come without its event."""
    lacking = {
        name: events
        for name, events in plan.tracking.parameters.items()
        if not seen.parameters[name] and any(seen.counts[event] for event in events)
    }
    details = tuple(
        f"{name} is on no {' or '.join(event for event in events if seen.counts[event])}"
        for name, events in lacking.items()
    )
    facts = {"missing": list(lacking)}
    if not lacking:
        return right(PARAMETERS, "those of the plan are on the events that came", facts=facts)
    return wrong(
        PARAMETERS,
        f"{len(lacking)} of the plan's parameters never came: send what is listed with the event, "
        "or change the key's parameter_filter in the tracking plan.",
        details,
        facts,
    )
