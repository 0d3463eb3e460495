"""Builds one dbt layer so that a fault in one property's rows blocks that property alone.

A model works on all properties at once, so its failure does not say whose rows it was. Then, and
only then, what failed (with what it is built from, but staging) is built for each property by
itself: those whose rows fail are blocked, and the layer is built for the others. What fails for
everybody, or for nobody alone, cannot be laid to a property and stops the run. No Dagster here: the
caller runs dbt.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pipelines.warehouse.connect import build_database
from pipelines.warehouse.property_records import held_back, remember_held_back, set_blocked

# Layer → which dbt nodes it builds. Seeds come with the first layer.
LAYERS = {
    "staging": "resource_type:seed tag:staging",
    "intermediate": "tag:intermediate",
    "marts": "tag:marts",
}

# What a property may be blocked for is long in dbt's words; `status` and the page show one line.
REASON_LENGTH = 300
logger = logging.getLogger("sluice")


def selection(layers: Sequence[str], nodes: Sequence[str] = ()) -> str:
    """dbt's words for all of `layers`; or for what of them `nodes` are and are built from."""
    parts = [part for layer in layers for part in LAYERS[layer].split()]
    return " ".join(f"{part},+{node}" for part in parts for node in nodes) or " ".join(parts)


class RunDbt(Protocol):
    """Builds some nodes; raises when one of them fails."""

    def __call__(self, layers: Sequence[str], nodes: Sequence[str] = ()) -> None:
        """Build all of `layers`; or what of them `nodes` are and are built from."""
        ...


@dataclass(frozen=True)
class LayerBuild:
    """One layer of one run. `now`: stamp of what is blocked; `explain`: an error in one line;
    `failed_nodes`: the names of what failed with it, none where that is not known.
    """

    build_db: Path
    run_id: str
    layer: str
    properties: tuple[str, ...]
    now: datetime
    explain: Callable[[Exception], str]
    failed_nodes: Callable[[Exception], Sequence[str]]

    def run(self, attempt: Callable[[], Iterator[Any]], run_dbt: RunDbt) -> Iterator[Any]:
        """The events of `attempt`, again and again without the properties that made it fail.

        Raises an attempt's error when it cannot be laid to a property.
        """
        self._leave_out_blocked()
        # What is built from a model that failed shows only then whether it can be computed.
        for _ in self.properties:
            try:
                yield from attempt()
                return
            except Exception as error:
                if not self._contain(error, run_dbt):
                    raise
        yield from attempt()

    def _contain(self, error: Exception, run_dbt: RunDbt) -> bool:
        """Whether the layer can be built again, without those whose rows made it fail."""
        blocked = self._blocked()
        others = [name for name in self.properties if name not in blocked]
        names = list(LAYERS)
        # Staging is views, which leave out whoever is left out now.
        layers = names[1 : names.index(self.layer) + 1] or names[:1]
        # An earlier layer still holds rows of what a gate has blocked since.
        if blocked and self._fails(run_dbt, layers, others) is None:
            return True
        if len(others) < 2:  # noqa: PLR2004 (one alone has nobody to be told apart from)
            return False
        logger.warning("What failed in %s is built for each property alone.", self.layer)
        nodes = self.failed_nodes(error)
        reasons = {name: self._fails(run_dbt, layers, [name], nodes) for name in others}
        culprits = {name: reason for name, reason in reasons.items() if reason is not None}
        if not culprits or len(culprits) == len(others):
            logger.warning("That does not tell whose rows it was: %s", self.explain(error))
            return False
        with build_database(self.build_db) as connection:
            for name, reason in culprits.items():
                words = f"its rows cannot be computed in {self.layer}: {reason}"
                remember_held_back(connection, self.run_id, name, self.layer, words, now=self.now)
        self._leave_out_blocked()
        # The trials left one property's rows in the layers before: all of the others' again.
        if layers[:-1]:
            run_dbt(layers[:-1], nodes)
        return True

    def _fails(
        self,
        run_dbt: RunDbt,
        layers: Sequence[str],
        names: Sequence[str],
        nodes: Sequence[str] = (),
    ) -> str | None:
        """Why `layers` (of them `nodes`) cannot be built for these properties only; None when they
        can.
        """
        self._leave_out(set(self.properties) - set(names))
        try:
            run_dbt(layers, nodes)
        except Exception as error:
            reason = self.explain(error)[:REASON_LENGTH]
            logger.info("With %s alone %s fails: %s", ", ".join(names), self.layer, reason)
            return reason
        return None

    def _blocked(self) -> set[str]:
        with build_database(self.build_db) as connection:
            return set(held_back(connection, self.run_id))

    def _leave_out_blocked(self) -> None:
        with build_database(self.build_db) as connection:
            set_blocked(connection, held_back(connection, self.run_id))

    def _leave_out(self, names: set[str]) -> None:
        with build_database(self.build_db) as connection:
            set_blocked(connection, names)
