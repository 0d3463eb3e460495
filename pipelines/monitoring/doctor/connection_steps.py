"""From the property to its quota: the steps that tell whether GA4 gives what a night asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.config.settings import Property
from pipelines.config.timezones import known_time_zones
from pipelines.config.tracking_plan import TrackingPlan
from pipelines.ga4.extract.field_list import CUSTOM_PREFIX, missing_fields
from pipelines.ga4.report_catalog import ReportSpec
from pipelines.monitoring.doctor.probes import DAYS, PropertyAnswer
from pipelines.monitoring.doctor.step_model import Step, not_checked, right, wrong
from pipelines.wording import counted

PROPERTY, FIELDS, DIMENSIONS, QUOTA = "property", "fields", "custom dimensions", "quota"
MENU = "Admin > Data display > Custom definitions > Create custom dimension, with scope Event"
# Most requests cost less (docs/ga4.md, "Quota and errors").
TOKENS_A_REQUEST = 10
_COMES_BACK = {
    "tokens_per_day": "at midnight in California",
    "concurrent_requests": "as soon as other programs' requests have ended",
}


def property_step(item: Property, answer: PropertyAnswer) -> Step:
    """The property answers, and lives in the time zone that the settings think."""
    facts = {
        "time_zone": answer.time_zone,
        "currency": answer.currency,
        "sessions": answer.sessions,
        "days": DAYS,
    }
    told = item.time_zone
    if told and answer.time_zone and told != answer.time_zone:
        return wrong(
            PROPERTY,
            f"sluice.yml puts property {item.id} into the time zone {told}, GA4 into "
            f"{answer.time_zone}: correct time_zone in sluice.yml, or remove it there.",
            facts=facts,
        )
    if not told and answer.time_zone not in {"", *known_time_zones()}:
        return wrong(
            PROPERTY,
            f"GA4 names the time zone {answer.time_zone}, which this machine does not know: "
            "write a time_zone that it knows beside the property in sluice.yml.",
            facts=facts,
        )
    known = [one for one in (answer.time_zone or told, answer.currency) if one]
    numbers = f"{answer.sessions:,} sessions in the last {DAYS} days"
    return right(PROPERTY, ", ".join([*known, numbers]), facts=facts)


def fields_step(metadata: Any, reports: Sequence[ReportSpec]) -> Step:
    """The property has every field that the reports ask for (custom dimensions apart)."""
    lacking: dict[str, list[str]] = {}
    is_needed = False
    for spec in reports:
        for name in missing_fields(spec, metadata):
            lacking.setdefault(name, []).append(spec.name)
            is_needed = is_needed or spec.is_required
    if not lacking:
        return right(FIELDS, f"GA4 knows every field of the {len(reports)} reports")
    effect = "nothing can be published" if is_needed else "these reports are left out"
    return wrong(
        FIELDS,
        f"GA4 does not know {counted(len(lacking), 'field')} of the reports, so {effect}: look for "
        "a newer version of Sluice, or ask GA4's support why the property lacks what is listed.",
        tuple(f"{name}: asked for by {', '.join(by)}" for name, by in lacking.items()),
        {"missing": sorted(lacking)},
    )


def dimensions_step(metadata: Any, plan: TrackingPlan) -> Step:
    """Every event parameter that the plan filters by is registered as a custom dimension.

    One whose values are only listed beside the events is worth a line, and wrong in no way.
    """
    names = (one.api_name for one in metadata.dimensions)
    registered = {
        name.removeprefix(CUSTOM_PREFIX) for name in names if name.startswith(CUSTOM_PREFIX)
    }
    needed, listed = dict[str, list[str]](), dict[str, list[str]]()
    for micro in plan.micro_conversions:
        for name in dict.fromkeys(condition.name for condition in micro.conditions):
            needed.setdefault(name, []).append(micro.key)
        for name in micro.parameters:
            listed.setdefault(name, []).append(micro.key)
    missing = {name: keys for name, keys in needed.items() if name not in registered}
    optional = {name: keys for name, keys in listed.items() if name not in {*registered, *needed}}
    details = (
        *(f"{name}: {', '.join(keys)} cannot be counted" for name, keys in missing.items()),
        *(f"{name}: its values with {', '.join(k)} are left out" for name, k in optional.items()),
    )
    facts = {"missing": sorted(missing), "missing_optional": sorted(optional)}
    if not missing:
        known = ", ".join(name for name in needed) or "none"
        return right(DIMENSIONS, f"registered, as filters need them: {known}", details, facts)
    return wrong(
        DIMENSIONS,
        f"{counted(len(missing), 'event parameter')} that filters of the tracking plan need "
        f"{'is' if len(missing) == 1 else 'are'} not registered: in GA4, {MENU} (what happened "
        "before stays uncounted).",
        details,
        facts,
    )


def quota_step(answer: PropertyAnswer, reports: Iterable[ReportSpec]) -> Step:
    """Enough is left for a night."""
    if not answer.quota:
        return not_checked(QUOTA, "the server does not tell its quota")
    need = TOKENS_A_REQUEST * sum(len(spec.parts) for spec in reports)
    facts = {"remaining": dict(answer.quota), "tokens_for_a_night": need}
    for name, remaining in answer.quota.items():
        if remaining < (need if name.startswith("tokens_") else 1):
            back = _COMES_BACK.get(name, "within the hour")
            return wrong(
                QUOTA,
                f"Only {remaining:,} {name.replace('_', ' ')} left, and a night may take "
                f"{need:,} tokens: wait until they come back ({back}), or let fewer programs ask.",
                facts=facts,
            )
    left = ", ".join(
        f"{answer.quota[name]:,} a{_unit(name)}"
        for name in ("tokens_per_day", "tokens_per_hour")
        if name in answer.quota
    )
    return right(QUOTA, f"tokens left: {left}; a night takes about {need:,}", facts=facts)


def _unit(name: str) -> str:
    return " day" if name.endswith("day") else "n hour"
