"""Once a day and property: does GA4 know every field of a report, and do they go together?

What is said here saves requests of reports that can be left out. A required report is asked for
whatever GA4 thinks of its fields: only the answer to it is final.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import date

import duckdb

from pipelines.ga4.api_errors import Ga4Error
from pipelines.ga4.client import Ga4Client, Profile
from pipelines.ga4.extract.field_list import (
    compatibility_request,
    incompatible_fields,
    missing_fields,
)
from pipelines.ga4.report_catalog import ReportSpec
from pipelines.warehouse.property_records import checked_reports, remember_checks

logger = logging.getLogger("sluice")


def unusable_reports(
    connection: duckdb.DuckDBPyConnection,
    pool: Executor,
    client: Ga4Client,
    profile: Profile,
    reports: Sequence[ReportSpec],
    today: date,
) -> dict[str, str]:
    """Optional report name → why it cannot be asked for `today`.

    CheckCompatibility is asked once a day; what it said is remembered in `ops.field_checks`. Where
    it fails, nothing is said, and it is asked again by the next run.
    """
    known = checked_reports(connection, profile.property_id, today)
    optional = [spec for spec in reports if not spec.is_required]
    unchecked = [spec for spec in optional if spec.name not in known]
    answers = dict(
        zip(
            (spec.name for spec in unchecked),
            pool.map(lambda spec: _problem(client, profile, spec), unchecked),
            strict=True,
        )
    )
    found = {name: message for name, message in answers.items() if message is not None}
    remember_checks(connection, profile.property_id, today, found)
    said = {**known, **found}
    return {spec.name: said[spec.name] for spec in optional if said.get(spec.name)}


def _problem(client: Ga4Client, profile: Profile, spec: ReportSpec) -> str | None:
    """What is wrong with a report's fields; '' when nothing is, None when nobody could say."""
    where = f"the report {spec.name} of property {profile.property_id}"
    if profile.fields is not None and (missing := missing_fields(spec, profile.fields)):
        return f"GA4 does not know the field {', '.join(missing)} any more, which {where} needs."
    if not spec.kind.is_daily:
        return ""
    try:
        answer = client.check_compatibility(
            compatibility_request(profile.property_id, spec), what=where
        )
    except Ga4Error as error:
        # GA4's words only: ours say what to do about a report that is not asked for.
        words = f" ({error.__cause__})" if error.__cause__ else ""
        logger.info(
            "Whether the fields of %s go together is unknown%s: it is asked for.", where, words
        )
        return None
    wrong = incompatible_fields(answer, spec) if answer is not None else ()
    return f"GA4 calls {', '.join(wrong)} incompatible with the rest of {where}." if wrong else ""
