"""Outcomes of the registered experiments that GA4 tells of, counted after a run's pulls."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date

import duckdb

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.register import State
from pipelines.errors import SluiceError
from pipelines.experiments.exposed import Exposed
from pipelines.ingest.sources import Sources
from pipelines.warehouse.change_register import (
    remember_delay,
    remember_outcomes,
    remember_problem,
)

logger = logging.getLogger("sluice")


def count_experiments(
    connection: duckdb.DuckDBPyConnection,
    sources: Sources,
    experiments: Iterable[Exposed],
    today: date,
) -> None:
    """Store what the sources of this run tell of each experiment that has begun.

    What is wrong with one is said in its row of `ops.changes`, and stops nothing.
    """
    for one in experiments:
        source = sources.exports.get(one.entry.property_id)
        if source is None or one.entry.state(today) is State.PLANNED:
            continue
        try:
            remember_outcomes(connection, one.entry, source.experiment(one))
        except ExperimentError as error:
            remember_problem(connection, one.entry, str(error), today)
        except SluiceError as error:
            logger.warning("The experiment %s was not counted: %s", one.entry.id, error)
            remember_delay(connection, one.entry, str(error))
