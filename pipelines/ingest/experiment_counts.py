"""Outcomes of the registered experiments that GA4 tells of, counted after a run's pulls."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date

import duckdb

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.register import State
from pipelines.errors import SluiceError
from pipelines.experiments.exposed import Exposed
from pipelines.ga4.client import Profile
from pipelines.ingest.sources import Sources
from pipelines.warehouse.change_register import (
    counted_until,
    remember_delay,
    remember_outcomes,
    remember_problem,
)

logger = logging.getLogger("sluice")


def count_experiments(
    connection: duckdb.DuckDBPyConnection,
    sources: Sources,
    profiles: Sequence[Profile],
    experiments: Sequence[Exposed],
    end: date,
    *,
    today: date,
    settled: date,
) -> None:
    """Store what the sources of `profiles` tell of each experiment that has begun, up to `end`.

    GA4 is not asked about one that ended before `settled` and was counted to its end, nor where
    later days were counted already (a backfill). What is wrong with one is said in its row of
    `ops.changes`, and stops nothing.
    """
    known = {profile.property_id: profile for profile in profiles}
    for one in experiments:
        entry, profile = one.entry, known.get(one.entry.property_id)
        if profile is None or entry.state(today) is State.PLANNED:
            continue
        if profile.is_asked and (until := counted_until(connection, entry)):
            is_final = entry.end is not None and until == entry.end < settled
            if is_final or until > end:
                continue
        try:
            remember_outcomes(connection, entry, sources.experiment(one, profile, end))
        except ExperimentError as error:
            remember_problem(connection, entry, str(error), today)
        except SluiceError as error:
            logger.warning("The experiment %s was not counted: %s", entry.id, error)
            remember_delay(connection, entry, str(error))
