"""Once a day and property: does GA4 know every field of a report, and do they go together?"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import date

import duckdb

from pipelines.ga4.client import Ga4Client, Profile
from pipelines.ga4.errors import RequestRefusedError
from pipelines.ga4.fields import compatibility_request, incompatible_fields, missing_fields
from pipelines.ga4.reports import ReportSpec
from pipelines.warehouse.properties import checked_reports, remember_checks


def unusable_reports(
    connection: duckdb.DuckDBPyConnection,
    pool: Executor,
    client: Ga4Client,
    profile: Profile,
    reports: Sequence[ReportSpec],
    today: date,
) -> dict[str, str]:
    """Report name → why it cannot be asked for `today`.

    CheckCompatibility is asked once a day; what it said is remembered in `ops.field_checks`.
    """
    known = checked_reports(connection, profile.property_id, today)
    unchecked = [spec for spec in reports if spec.name not in known]
    found = dict(
        zip(
            (spec.name for spec in unchecked),
            pool.map(lambda spec: _problem(client, profile, spec), unchecked),
            strict=True,
        )
    )
    remember_checks(connection, profile.property_id, today, found)
    return {name: message for name, message in {**known, **found}.items() if message}


def _problem(client: Ga4Client, profile: Profile, spec: ReportSpec) -> str:
    """What is wrong with a report's fields; '' when nothing is."""
    where = f"the report {spec.name} of property {profile.property_id}"
    if profile.fields is not None and (missing := missing_fields(spec, profile.fields)):
        return f"GA4 does not know the field {', '.join(missing)} any more, which {where} needs."
    if spec.kind != "daily":
        return ""
    try:
        answer = client.check_compatibility(
            compatibility_request(profile.property_id, spec), what=where
        )
    except RequestRefusedError as error:
        return str(error)
    wrong = incompatible_fields(answer, spec) if answer is not None else ()
    return f"GA4 calls {', '.join(wrong)} incompatible with the rest of {where}." if wrong else ""
