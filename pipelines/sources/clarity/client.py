"""Calls of the Data Export API, each counted before it is made."""

from __future__ import annotations

from http import HTTPStatus

from pipelines.config.second_sources import Clarity
from pipelines.ga4.rate_limit import Clock
from pipelines.sources.clarity.answer import Answered, read_answer
from pipelines.sources.contract import SourceError
from pipelines.sources.http import HttpServer
from pipelines.sources.token import read_token
from pipelines.warehouse.source_calls import CallLedger

HOST = "www.clarity.ms"
PATH = "/export-data/api/v1/project-live-insights"
MOST_CALLS = 10
"""A project and day."""
MOST_DAYS = 3
HOURS_A_DAY = 24


class ClarityClient:
    """One project."""

    def __init__(self, entry: Clarity, ledger: CallLedger, clock: Clock | None = None) -> None:
        """`clock`: what waits go by. Raises SourceError where there is no token."""
        self._ledger = ledger
        token = read_token(entry, "Clarity").get_secret_value()
        self._server = HttpServer(
            "Clarity",
            entry.endpoint or HOST,
            {"Authorization": f"Bearer {token}"},
            clock,
            before_each=self._count,
        )

    @property
    def requests(self) -> int:
        """Calls that were made."""
        return self._server.requests

    def insights(self, days: int, *, by_page: bool) -> Answered:
        """What was counted in the last `days` × 24 hours; raises SourceError."""
        params = {"numOfDays": str(days)}
        if by_page:
            params |= {"dimension1": "URL", "dimension2": "Device"}
        answer = self._server.send("GET", PATH, params=params)
        if answer.status != HTTPStatus.OK:
            raise _refused(answer.status)
        return read_answer(answer.body, by_page=by_page)

    def _count(self) -> None:
        if self._ledger.used() >= MOST_CALLS:
            raise SourceError(
                f"Clarity answers {MOST_CALLS} calls a day, and all of the last 24 hours are used: "
                "the next night calls again.",
                is_general=True,
            )
        self._ledger.count()


def _refused(status: int) -> SourceError:
    """Its body is empty as often as not, and could repeat the token."""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        what = (
            f"refused the token ({status}): make a new one in the project's Settings > Data Export"
        )
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        what = "has answered its ten calls of the day (429): the next night calls again"
    else:
        what = f"refused the call ({status}): check the endpoint, then run the same night again"
    return SourceError(f"Clarity {what}.", is_general=True)
