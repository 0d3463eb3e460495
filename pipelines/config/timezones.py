"""Which time zones a property may have: the names that Python and DuckDB both know."""

from __future__ import annotations

from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

import duckdb
from pydantic import AfterValidator

from pipelines.wording import nearest

# A name, but of no place: it stands for a zone that was never set.
_UNSET = "Factory"


@cache
def known_time_zones() -> frozenset[str]:
    """IANA names in their own spelling. Python knows the machine's `localtime` as well, which
    DuckDB does not; DuckDB knows abbreviations and lower case, which Python does not.
    """
    with duckdb.connect() as connection:
        rows = connection.execute("select name from pg_timezone_names()").fetchall()
    return frozenset(available_timezones() & {str(name) for (name,) in rows}) - {_UNSET}


def _known(name: str) -> str:
    if name not in known_time_zones():
        proposal = nearest(name, known_time_zones())
        raise ValueError(f"it is no IANA time zone (the nearest is '{proposal}')")
    return name


TimeZoneName = Annotated[str, AfterValidator(_known)]
