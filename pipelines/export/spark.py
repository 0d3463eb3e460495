"""Statements over landed days in a Spark session.

The session is a local one, or what Spark's own settings (`spark-defaults.conf`, `SPARK_REMOTE`)
make of it; it has to find the home folder at the same path.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from pipelines.export.dialects import Dialect, translated
from pipelines.export.engine import NO_PARAMETERS
from pipelines.export.errors import ExportError
from pipelines.wording import shortened

# Tables come back through Arrow: pandas has no part in it.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
# What a server of Spark Connect decides by itself.
warnings.filterwarnings("ignore", "Failed to set spark", UserWarning)
# No web page, and nothing amid our own lines.
_SETTINGS = {
    "spark.app.name": "sluice",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_DATE = "CAST(regexp_extract(_metadata.file_path, '/([0-9-]{10})/[^/]*$', 1) AS DATE) AS date"


@dataclass(frozen=True)
class Spark:
    """A running session."""

    session: SparkSession

    @classmethod
    def start(cls) -> Spark:
        """The session of this process. Raises ExportError where none can be had."""
        with _explained("did not start", "install Java 17, or correct Spark's settings"):
            return cls(SparkSession.builder.config(map=_SETTINGS).getOrCreate())

    def rows(self, paths: Sequence[Path]) -> str:
        """As `Engine`. Raises ExportError."""
        names = [f"file://{path}" for path in paths]
        view = f"landed_{hashlib.sha256(repr(names).encode()).hexdigest()[:16]}"
        with _counting():
            rows = self.session.read.parquet(*names).selectExpr("*", _DATE)
            rows.createOrReplaceTempView(view)
        return view

    def table(self, sql: str, parameters: Mapping[str, Sequence[str]] = NO_PARAMETERS) -> pa.Table:
        """As `Engine`. Raises ExportError."""
        lists = {name: list(texts) for name, texts in parameters.items()}
        with _counting():
            return self.session.sql(translated(sql, Dialect.SPARK), args=lists or None).toArrow()


@contextmanager
def _explained(what: str, step: str) -> Iterator[None]:
    """Spark's errors in one sentence."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        words = shortened(str(error).strip().splitlines()[0].rstrip("."))
        raise ExportError(
            f"Spark {what} ({words}): {step}, or set 'engine: duckdb' in sluice.yml."
        ) from error


def _counting() -> AbstractContextManager[None]:
    return _explained("could not count the landed days", "see that it can read the home folder")
