"""One property from its first answer to its quota; what depends on a failed step is not asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pipelines.config.settings import Property
from pipelines.errors import ConfigError
from pipelines.ga4.api_errors import CredentialsError, Ga4Error, QuotaError
from pipelines.ingest.day_window import yesterday
from pipelines.monitoring.doctor.connection_steps import (
    DIMENSIONS,
    FIELDS,
    PROPERTY,
    QUOTA,
    dimensions_step,
    fields_step,
    property_step,
    quota_step,
)
from pipelines.monitoring.doctor.coverage_steps import TRACKING, assess_coverage, tracking_step
from pipelines.monitoring.doctor.expected_keys import ReadPlan
from pipelines.monitoring.doctor.export_steps import export_steps
from pipelines.monitoring.doctor.probes import AsksGa4, PropertyAnswer, ask_events, ask_property
from pipelines.monitoring.doctor.step_model import Block, Step, not_checked, wrong


@dataclass(frozen=True)
class Examination:
    """A property's block; `refusal`: what its first question met, None where it was answered."""

    block: Block
    refusal: ConfigError | Ga4Error | None


def examine(
    client: AsksGa4 | CredentialsError, item: Property, plan: ReadPlan | None, now: datetime
) -> Examination:
    """Ask about one property; without a client (`CredentialsError`) nobody is asked.

    Of one that is read from an export the files are looked at, of one from Shopify nothing here.
    """
    title = f"Property {item.id}" + (f" ({item.name})" if item.name else "")
    if item.is_shopify:
        return Examination(Block(title, (), item.id), None)
    if item.is_export:
        newest = yesterday(ZoneInfo(item.time_zone or "UTC"), now)
        return Examination(Block(title, export_steps(item, plan, newest), item.id), None)
    try:
        if isinstance(client, CredentialsError):
            raise client
        answer = ask_property(client, item.id)
    except (ConfigError, Ga4Error) as error:
        return Examination(Block(title, _refused(error), item.id), error)
    return Examination(Block(title, _answered(client, item, answer, plan), item.id), None)


def _refused(refusal: ConfigError | Ga4Error) -> tuple[Step, ...]:
    """The steps where the first question was refused: the one to blame is wrong, if it is here."""
    why = "the property gave no answer"
    first, last = wrong(PROPERTY, str(refusal)), not_checked(QUOTA, why)
    if isinstance(refusal, CredentialsError):
        why = "it needs the credentials"
        first, last = not_checked(PROPERTY, why), not_checked(QUOTA, why)
    elif isinstance(refusal, QuotaError):
        why = "it needs quota"
        first, last = not_checked(PROPERTY, why), wrong(QUOTA, str(refusal))
    return (first, *(not_checked(name, why) for name in (FIELDS, DIMENSIONS, TRACKING)), last)


def _answered(
    client: AsksGa4, item: Property, answer: PropertyAnswer, plan: ReadPlan | None
) -> tuple[Step, ...]:
    first = property_step(item, answer)
    if plan is None:
        names = (FIELDS, DIMENSIONS, TRACKING, QUOTA)
        return (first, *(not_checked(name, "it needs the tracking plan") for name in names))
    return (
        first,
        *_metadata_steps(client, item, plan),
        _tracking_step(client, item, answer, plan),
        quota_step(answer, plan.reports),
    )


def _metadata_steps(client: AsksGa4, item: Property, plan: ReadPlan) -> tuple[Step, Step]:
    try:
        metadata = client.get_metadata(item.id)
    except Ga4Error as error:
        # A night goes on without it.
        return not_checked(FIELDS, str(error)), not_checked(
            DIMENSIONS, "it needs the list of fields"
        )
    if metadata is None:
        why = "the server has no list of fields"
        return not_checked(FIELDS, why), not_checked(DIMENSIONS, why)
    return fields_step(metadata, plan.reports), dimensions_step(metadata, plan.tracking)


def _tracking_step(client: AsksGa4, item: Property, answer: PropertyAnswer, plan: ReadPlan) -> Step:
    try:
        events = ask_events(client, item.id)
    except Ga4Error as error:
        return wrong(TRACKING, str(error))
    coverage = assess_coverage(plan.keys, events.counts)
    return tracking_step(coverage, events, answer.sessions, item.id, plan.tracking.advice)
