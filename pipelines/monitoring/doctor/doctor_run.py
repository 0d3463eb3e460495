"""The order of a doctor's visit: settings, plan and credentials, each property, the machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.register import State
from pipelines.config.register import read_register
from pipelines.config.settings import Ga4, Property, Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.errors import ConfigError, SeedError, SluiceError
from pipelines.ga4.api_errors import CredentialsError, UnreachableError
from pipelines.ga4.client import connect
from pipelines.monitoring.doctor.clarity_steps import clarity_steps
from pipelines.monitoring.doctor.expected_keys import ReadPlan, read_plan
from pipelines.monitoring.doctor.heatmap_steps import heatmap_steps
from pipelines.monitoring.doctor.machine_steps import (
    DISK,
    SCHEDULE,
    WAREHOUSE,
    database_step,
    disk_step,
    engine_steps,
    schedule_step,
)
from pipelines.monitoring.doctor.probes import AsksGa4
from pipelines.monitoring.doctor.property_checks import examine
from pipelines.monitoring.doctor.shopify_steps import shopify_steps
from pipelines.monitoring.doctor.step_model import Block, Diagnosis, Step, not_checked, right, wrong
from pipelines.wording import counted

SETTINGS, PLAN, CREDENTIALS = "settings", "tracking plan", "credentials"
REGISTER, SAME_SHOP = "register", "same shop"


def diagnose(
    settings: Settings,
    *,
    connect: Callable[[Ga4], AsksGa4] = connect,
    now: datetime | None = None,
) -> Diagnosis:
    """Look at everything; what is wrong is in the steps, nothing is raised for it."""
    plan, plan_step = _plan(settings.tracking_plan)
    now = now or settings.clock.now()
    client: AsksGa4 | CredentialsError
    try:
        client = connect(settings.ga4)
    except CredentialsError as error:
        client = error
    seen = [examine(client, item, plan, now) for item in settings.properties]
    asked = zip(settings.properties, seen, strict=True)
    refusals: list[SluiceError | None] = [one.refusal for item, one in asked if item.is_asked]
    if isinstance(client, CredentialsError) and settings.asks_ga4:
        refusals.append(client)
    start = (
        _settings_step(settings),
        plan_step,
        *_register_step(settings, now.date()),
        _credentials_step(settings, refusals),
    )
    end = (
        disk_step(settings),
        database_step(settings),
        *engine_steps(settings),
        schedule_step(settings, now),
    )
    blocks = [one.block for one in seen]
    blocks = [
        replace(
            block,
            steps=(
                *block.steps,
                *_compared_step(item, blocks),
                *clarity_steps(settings, item.id, now),
                *heatmap_steps(settings, item.id),
                *shopify_steps(settings, item, _zone(item.id, blocks) or item.time_zone, now),
            ),
        )
        for item, block in zip(settings.properties, blocks, strict=True)
    ]
    return Diagnosis((Block("Sluice", start), *blocks, Block("This machine", end)))


def without_settings(error: ConfigError) -> Diagnosis:
    """The diagnosis where even the settings cannot be read."""
    _, plan_step = _plan(None)
    why = "it needs the settings"
    start = (wrong(SETTINGS, str(error)), plan_step, not_checked(CREDENTIALS, why))
    end = tuple(not_checked(name, why) for name in (DISK, WAREHOUSE, SCHEDULE))
    return Diagnosis((Block("Sluice", start), Block("This machine", end)))


def _settings_step(settings: Settings) -> Step:
    if not settings.properties:
        return wrong(
            SETTINGS,
            "No GA4 property is configured: run 'sluice init', or put its id under properties in "
            "sluice.yml.",
        )
    number = len(settings.properties)
    kinds = f"{number} {'property' if number == 1 else 'properties'}"
    return right(SETTINGS, f"{kinds}, home {settings.home}", facts={"home": str(settings.home)})


def _compared_step(item: Property, blocks: Sequence[Block]) -> tuple[Step, ...]:
    """Of the export of a shop that is read from the Data API, too: whether both mean one day."""
    other = item.same_shop_as
    if other is None:
        return ()
    zone = _zone(other, blocks)
    if zone is None:
        return (not_checked(SAME_SHOP, f"property {other} gave no answer"),)
    if zone != item.time_zone:
        return (
            wrong(
                SAME_SHOP,
                f"Its days are those of {item.time_zone}, the days of property {other} those of "
                f"{zone}, and cannot be compared: correct time_zone in sluice.yml.",
            ),
        )
    return (right(SAME_SHOP, f"day by day compared with property {other}"),)


def _zone(property_id: str, blocks: Sequence[Block]) -> str | None:
    """The time zone that GA4 told of a property, if it did."""
    told = (
        step.facts for block in blocks if block.property_id == property_id for step in block.steps
    )
    return next((facts["time_zone"] for facts in told if facts.get("time_zone")), None)


def _plan(shop: Path | None) -> tuple[ReadPlan | None, Step]:
    try:
        plan = read_plan(shop)
    except SeedError as error:
        return None, wrong(PLAN, str(error))
    expected = sum(key.is_expected for key in plan.keys)
    changed = f", with the shop's own {shop}" if shop else ""
    words = f"{len(plan.keys)} keys, {expected} of them expected of every shop{changed}"
    return plan, right(PLAN, words)


def _register_step(settings: Settings, today: date) -> tuple[Step, ...]:
    """That experiments, changes and files of outcomes can be read; none where there are none."""
    if settings.experiments is None and settings.changes is None:
        return ()
    # Only a shop with a register imports what reading outcomes takes.
    from pipelines.experiments.registered import read_registered  # noqa: PLC0415

    try:
        register = read_register(settings, load_plan(shop=settings.tracking_plan), today)
    except SeedError:
        return (not_checked(REGISTER, "it needs the tracking plan"),)
    except ExperimentError as error:
        return (wrong(REGISTER, str(error)),)
    problems = []
    for entry, trial in register.experiments:
        try:
            if entry.state(today) is State.RUNNING and trial.outcomes is not None:
                read_registered(entry, trial, today)
        except ExperimentError as error:
            problems.append(str(error))
    if problems:
        return (wrong(REGISTER, problems[0], tuple(problems[1:])),)
    tried = len(register.experiments)
    words = f"{counted(tried, 'experiment')}, {counted(len(register.entries) - tried, 'change')}"
    return (right(REGISTER, words),)


def _credentials_step(settings: Settings, refusals: Sequence[SluiceError | None]) -> Step:
    """`refusals`: what each property's first question met, None where it was answered.

    Only GA4 can tell that a key is good: without any word from it, it is not called right.
    """
    ga4 = settings.ga4
    if settings.properties and not settings.asks_ga4:
        return right(CREDENTIALS, "none are needed: GA4 is asked about no property")
    asked = [refusal for refusal in refusals if not isinstance(refusal, ConfigError)]
    if refused := next((one for one in asked if isinstance(one, CredentialsError)), None):
        return wrong(CREDENTIALS, str(refused))
    if not asked:
        return not_checked(CREDENTIALS, "there is no property to ask for")
    if all(isinstance(refusal, UnreachableError) for refusal in asked):
        return not_checked(CREDENTIALS, "GA4 gave no usable answer")
    if ga4.is_local:
        return right(CREDENTIALS, f"none are needed for {ga4.endpoint} on this machine")
    return right(CREDENTIALS, f"GA4 accepts {ga4.credentials or 'Application Default Credentials'}")
