"""dbt inside our own process, behind Dagster's `DbtCliResource`.

A dbt subprocess costs 3-4 s of imports and parsing a layer; four layers a night. Here one parsed
manifest serves all of them: `dbtRunner` works in a thread and its events take the way that the
lines of a subprocess would take, so Dagster's own translation stays in charge.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from dagster import AssetExecutionContext, OpExecutionContext
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from dagster_dbt.errors import DagsterDbtCliRuntimeError
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.results import NodeStatus
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.version import __version__ as dbt_version
from dbt_common.events.base_types import EventMsg
from dbt_common.events.functions import msg_to_dict
from packaging import version

from pipelines.errors import ConfigError
from pipelines.monitoring.home_lock import exclusive
from pipelines.orchestration.lean_dbt import make_dbt_lean

_END = object()
EXIT_FAILED = 1
# Where dagster-dbt's long message begins to tell what went wrong.
_REASONS = "Errors parsed from dbt logs:"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_MODEL_FAILED = re.compile(
    r"Error in (?:test|seed|(?:sql |python )?model) (?P<model>\w+) \([^()]*\) "
    r"(?P<why>.+?)(?= compiled code at | > in macro | \d+ of \d+ | Failure in |$)"
)
MESSAGE_LENGTH = 400
_FAILED = (NodeStatus.Error, NodeStatus.Fail, NodeStatus.RuntimeErr)


EVENTS = make_dbt_lean()


@dataclass(frozen=True)
class ParsedProject:
    """A dbt project after parsing: for dbt itself, and as the dict that Dagster reads."""

    manifest: Manifest
    as_dict: dict[str, Any]


_PARSED: dict[Path, ParsedProject] = {}


def parse_project(project_dir: Path, cache_dir: Path) -> ParsedProject:
    """Parse once a process; dbt's own partial parsing makes an unchanged project cheap.

    What dbt writes lies in `cache_dir`: the checkout may be read-only. Raises ConfigError with
    dbt's words when the project does not parse.
    """
    if project_dir not in _PARSED:
        _PARSED[project_dir] = _parse(project_dir, cache_dir / "dbt")
    return _PARSED[project_dir]


def _parse(project_dir: Path, target: Path) -> ParsedProject:
    # Two processes that parse at once would write the same files.
    with exclusive(target / "parse.lock"):
        result = dbtRunner().invoke(
            ["--log-level", "none", "--no-write-json", "parse", *_folders(project_dir, target)]
        )
    if not result.success or not isinstance(result.result, Manifest):
        reason = " ".join(str(result.exception).split())
        raise ConfigError(f"The dbt project {project_dir} does not parse: {reason}")
    return ParsedProject(result.result, result.result.writable_manifest().to_dict(omit_none=False))


def _folders(project_dir: Path, target: Path) -> list[str]:
    return [
        "--project-dir", str(project_dir), "--profiles-dir", str(project_dir),
        "--target-path", str(target), "--log-path", str(target),
    ]  # fmt: skip


@dataclass
class DbtThread:
    """Looks to Dagster like the subprocess it would have started."""

    args: Sequence[str]
    manifest: Manifest | None
    events: queue.Queue[Any] = field(default_factory=queue.Queue)
    returncode: int | None = None
    result: dbtRunnerResult | None = None
    stdout: None = None

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, name="dbt", daemon=True)
        _WORKING.add(self._thread)
        self._thread.start()

    def _work(self) -> None:
        try:
            runner = dbtRunner(manifest=self.manifest, callbacks=[self._on_event])
            self.result = runner.invoke(list(self.args))
            self.returncode = 0 if self.result.success else EXIT_FAILED
        finally:
            # Inside one command the connection stays open (half the time of a layer); between
            # two, DuckDB's one writer must be free.
            DuckDBConnectionManager.close_all_connections()
            # Without an end mark the reader would wait for ever.
            self.returncode = EXIT_FAILED if self.returncode is None else self.returncode
            self.events.put(_END)
            _WORKING.discard(self._thread)

    def _on_event(self, event: EventMsg) -> None:
        self.events.put(msg_to_dict(event))

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; returns the exit code. Who stops waiting stops dbt."""
        with self._stopped_with_its_reader():
            self._thread.join(timeout)
        return EXIT_FAILED if self.returncode is None else self.returncode

    def stream(self) -> Iterator[dict[str, Any]]:
        """Events until the end mark. Who stops reading stops dbt."""
        with self._stopped_with_its_reader():
            while (event := self.events.get()) is not _END:
                yield event

    @contextlib.contextmanager
    def _stopped_with_its_reader(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            stop_dbt()
            raise


_WORKING: set[threading.Thread] = set()


def stop_dbt() -> None:
    """Have dbt end soon, and wait for it: a thread in a query aborts the process at its end."""
    EVENTS.is_stopping = True
    try:
        for thread in tuple(_WORKING):
            thread.join()
    finally:
        EVENTS.is_stopping = False


class DbtFailedError(DagsterDbtCliRuntimeError):
    """dbt ended badly. `nodes`: the names of those that failed, none when dbt itself did."""

    def __init__(self, description: str, nodes: tuple[str, ...]) -> None:
        super().__init__(description)
        self.nodes = nodes


def failed_nodes(error: Exception) -> tuple[str, ...]:
    """The names of the dbt nodes that failed with this; none of any other error."""
    return error.nodes if isinstance(error, DbtFailedError) else ()


@dataclass
class InProcessInvocation(DbtCliInvocation):
    """An invocation that reads a thread's events instead of a pipe's lines."""

    def _stream_stdout(self) -> Iterator[str | dict[str, Any]]:
        thread = cast(DbtThread, self.process)
        if self._finished:
            return
        for event in thread.stream():
            if event["info"]["level"] == "error":
                self._error_messages.append(event["info"]["msg"])
            yield event
        self._finished = True
        if thread.result is not None and thread.result.exception is not None:
            self._error_messages.append(str(thread.result.exception))

    def get_error(self) -> DbtFailedError | None:
        """The parent's, with what failed."""
        error = super().get_error()
        if error is None:
            return None
        result = cast(DbtThread, self.process).result
        nodes = getattr(result.result, "results", ()) if result else ()
        failed = tuple(one.node.name for one in nodes if one.status in _FAILED)
        return DbtFailedError(str(error), failed)

    _finished: bool = field(init=False, default=False)

    def stream_raw_events(self) -> Iterator[Any]:
        """As the parent's, but its echo of every line goes to the log file."""
        log = self.target_path / "events.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as lines:
            events = super().stream_raw_events()
            while True:
                with contextlib.redirect_stdout(lines):
                    event = next(events, None)
                if event is None:
                    return
                yield event


class SluiceDbt(DbtCliResource):
    """`DbtCliResource` on the build database, in this process."""

    database: str
    artifacts_dir: str
    cache_dir: str

    def cli(
        self,
        args: Sequence[str],
        *,
        raise_on_error: bool = True,
        manifest: Any = None,
        dagster_dbt_translator: DagsterDbtTranslator | None = None,
        context: OpExecutionContext | AssetExecutionContext | None = None,
        target_path: Path | None = None,
    ) -> DbtCliInvocation:
        """Run a dbt command; same arguments and events as the parent's."""
        os.environ["DBT_SLUICE_DATABASE"] = self.database
        run = context.run_id if context else "shell"
        op = (
            context.op_execution_context.op.name
            if isinstance(context, AssetExecutionContext)
            else "dbt"
        )
        target = target_path or Path(self.artifacts_dir) / run / op
        params = get_updated_cli_invocation_params_for_context(
            context, manifest or {}, dagster_dbt_translator or DagsterDbtTranslator()
        )
        full = [
            *("--log-level", "none", "--log-level-file", "none", "--no-write-json"),
            *args,
            *params.selection_args,
            *_folders(Path(self.project_dir), target),
        ]
        return InProcessInvocation(
            process=cast(Any, DbtThread(full, self._parsed().manifest)),
            manifest=params.manifest,
            dagster_dbt_translator=params.dagster_dbt_translator,
            project_dir=Path(self.project_dir),
            target_path=target,
            raise_on_error=raise_on_error,
            cli_version=version.parse(dbt_version),
            context=context,
        )

    def _parsed(self) -> ParsedProject:
        return parse_project(Path(self.project_dir), Path(self.cache_dir))


def first_words(error: BaseException | None) -> str:
    """An error in one line; of dbt's report the first model that failed, and why."""
    text = _COLOURS.sub("", str(error)).strip() or type(error).__name__
    _, mark, reasons = text.partition(_REASONS)
    if not mark:
        return text.splitlines()[0]
    words = " ".join(reasons.split())
    if found := _MODEL_FAILED.search(words):
        words = f"{found['model']}: {found['why']}"
    return f"{words[:MESSAGE_LENGTH]}{'…' if len(words) > MESSAGE_LENGTH else ''}"
