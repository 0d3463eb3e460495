"""The tables of `ops`, which the pipeline itself writes: columns, types, and what they hold.

Readers find the words as comments of the published file.
"""

from collections.abc import Iterator
from typing import NamedTuple

_TIME = "TIMESTAMPTZ"


class OpsTable(NamedTuple):
    """What one row is, and column → DuckDB type and what it holds."""

    words: str
    columns: dict[str, tuple[str, str]]


# What a column is called in several tables, it is in all of them.
_SHARED = {
    "property_id": ("VARCHAR", "GA4 property."),
    "run_id": ("VARCHAR", "Run that wrote the row; of a backfill's pulls the backfill's id."),
    "report": (
        "VARCHAR",
        "Report of GA4, as docs/architecture.md has them; its rows are in raw.ga4_<report>.",
    ),
    "date": ("DATE", "Day in the property's time zone; of a window its last day."),
    "pull_id": ("VARCHAR", "Pull that brought the rows."),
    "currency": ("VARCHAR", "Currency of the money, as GA4 or the export told it."),
    "time_zone": ("VARCHAR", "Time zone of the property's days."),
    "api_name": ("VARCHAR", "Name of the field in the Data API."),
    "noticed_at": (_TIME, "When a run noticed it."),
    "checked_at": (_TIME, "When it was looked at last."),
    "status": ("VARCHAR", "How it ended or stands; docs/glossary.md has the words."),
    "message": ("VARCHAR", "Why it ended so, for people; empty where nothing is to be said."),
    "gate": (
        "VARCHAR",
        "Gate, named after the layer that it guards: raw, staging, intermediate or marts.",
    ),
    "expectation": ("VARCHAR", "Rule that was checked."),
    "observed": ("VARCHAR", "What was found, with numbers."),
    "reason": ("VARCHAR", "Why."),
    "key": ("VARCHAR", "Key of a micro-conversion."),
    "benchmark_key": ("VARCHAR", "Rate that the range is about."),
}


def _shared(*names: str) -> dict[str, tuple[str, str]]:
    return {name: _SHARED[name] for name in names}


TABLES: dict[str, OpsTable] = {
    "properties": OpsTable(
        "One row per configured property: who it is, and whether it takes part.",
        {
            "property_id": ("VARCHAR PRIMARY KEY", "GA4 property."),
            "name": ("VARCHAR", "Name from sluice.yml; the number where there is none."),
            "source": ("VARCHAR", "Where its numbers come from: data_api, export or shopify."),
            "same_shop_as": (
                "VARCHAR",
                "Property by which the same shop is read from the Data API; NULL for none.",
            ),
            **_shared("time_zone", "currency"),
            "store_name": ("VARCHAR", "The shop's name from sluice.yml."),
            "industry": ("VARCHAR", "Category whose benchmarks count."),
            "region": ("VARCHAR", "Country whose benchmarks go first; all for none."),
            "is_active": ("BOOLEAN", "False once it is not in sluice.yml any more; its rows stay."),
            "is_blocked": ("BOOLEAN", "Whether the run that is going on leaves its rows out."),
            "custom_dimensions": ("VARCHAR", "Event parameters registered in GA4, as a JSON list."),
            **_shared("checked_at"),
        },
    ),
    "pulls": OpsTable(
        "One row per pull and day (or window): what was requested, how it ended, what it cost.",
        {
            **_shared("pull_id", "run_id", "property_id", "report"),
            "report_version": (
                "INTEGER",
                "Meaning of the stored rows; another one needs a backfill.",
            ),
            **_shared("date"),
            "window_name": (
                "VARCHAR",
                "NULL for a day; 7d, 28d, week or month for a window that ends on date.",
            ),
            "request_hash": ("VARCHAR", "Checksum of what was requested."),
            "route": ("VARCHAR", "data_api, export or shopify; NULL (older versions) is data_api."),
            "status": (
                "VARCHAR",
                "loaded, held_back (its audit failed), failed, refused (by GA4) or skipped.",
            ),
            "row_count": ("BIGINT", "Rows that were stored of the day or window."),
            "pages": (
                "INTEGER",
                "Requests of the pull; with its first row only, so that they add up.",
            ),
            "tokens": (
                "INTEGER",
                "Tokens of the pull; with its first row only, so that they add up.",
            ),
            "totals": ("VARCHAR", "GA4's own totals of the metrics, as JSON."),
            "is_sampled": ("BOOLEAN", "GA4 computed the rows from a sample."),
            "is_thresholded": ("BOOLEAN", "GA4 may have left rows out to protect visitors."),
            "has_other_row": ("BOOLEAN", "GA4 folded rare values into (other)."),
            "other_share": ("DOUBLE", "Share of (other) in the first counted metric, 0 to 1."),
            "missing_share": (
                "DOUBLE",
                "Share of the first counted metric's own total that its rows lack, 0 to 1; NULL "
                "where GA4 told no total or scaled what it counted.",
            ),
            "left_out": (
                "VARCHAR",
                "Keys or event parameters that could not be requested, with commas between.",
            ),
            "empty_reason": ("VARCHAR", "Why GA4 says that it has no rows."),
            "restricted_metrics": (
                "VARCHAR",
                "Metrics that the account may not see, with commas between.",
            ),
            "truncation": ("VARCHAR", "What was cut off, where more rows exist than are stored."),
            **_shared("currency", "time_zone", "message"),
            "pulled_at": (_TIME, "When the response was there."),
        },
    ),
    "fetches": OpsTable(
        "One row per table and fetch of a second source: what came, or why nothing did.",
        {
            "fetch_id": ("VARCHAR", "Fetch, as in the rows that it brought."),
            **_shared("run_id", "property_id"),
            "source": ("VARCHAR", "Which source: shopify, clarity or heatmaps."),
            "account": ("VARCHAR", "Shop, project or files there."),
            "table_name": ("VARCHAR", "Raw table that it fills."),
            "start_date": ("DATE", "First day that was requested."),
            "end_date": ("DATE", "Last day that was requested."),
            "status": (
                "VARCHAR",
                "loaded, held_back (its audit failed), failed, or left_out (from then on "
                "sluice.yml does not name it); but for loaded what was there stays.",
            ),
            "row_count": ("BIGINT", "Rows that were stored."),
            "requests": ("INTEGER", "Requests that it took; 0 for files."),
            **_shared("currency", "time_zone", "message"),
            "fetched_at": (_TIME, "When the rows, or the failure, were there."),
        },
    ),
    "source_calls": OpsTable(
        "One row per call of a second source that answers only so many a day.",
        {
            "source": ("VARCHAR", "Which source: clarity."),
            **_shared("property_id"),
            "called_at": (_TIME, "Just before the call."),
        },
    ),
    "export_days": OpsTable(
        "One row per day of an event export: what its files hold, and what cannot be counted.",
        {
            **_shared("property_id", "date"),
            "files": ("INTEGER", "Files of the day."),
            "bytes": ("BIGINT", "Bytes of the files."),
            "row_count": ("BIGINT", "Events in the files."),
            "without_user": (
                "BIGINT",
                "Events without a user id (consent denied): no user, no session.",
            ),
            "duplicates": ("BIGINT", "Events that are there twice, and are counted once."),
            "other_days": ("BIGINT", "Events of another date, which are not counted on this one."),
            "unnamed": ("BIGINT", "Events without a name or a time, which are not counted."),
            "without_session": ("BIGINT", "Events that are counted, but belong to no session."),
            "session_count": ("BIGINT", "Sessions of the day."),
            "without_channel": ("BIGINT", "Sessions whose channel group nobody can tell."),
        },
    ),
    "quota": OpsTable(
        "One row per reading of GA4's quota: every response tells what is left.",
        {
            **_shared("property_id"),
            "read_at": (_TIME, "When the response was there."),
            "quota": (
                "VARCHAR",
                "Which one: core_ (reports) or funnel_ (closed funnels), and GA4's name of it.",
            ),
            "consumed": ("BIGINT", "What the request took."),
            "remaining": ("BIGINT", "What is left until the hour or the day is over."),
        },
    ),
    "quarantine": OpsTable(
        "One row per row of a response that could not be stored: its date cannot be read.",
        {
            **_shared("pull_id", "property_id", "report"),
            "date_text": ("VARCHAR", "What stood in the place of the date."),
            "row_json": ("VARCHAR", "The row as it came, as JSON."),
            **_shared("reason"),
            "quarantined_at": (_TIME, "When it was put aside."),
        },
    ),
    "tracking_plan_overrides": OpsTable(
        "Rows of the tracking plan that the shop's tracking_plan.yml changes or adds.",
        {
            **_shared("key"),
            "stage": ("VARCHAR", "Stage of the journey."),
            "family": ("VARCHAR", "Kind of action."),
            "event_names": ("VARCHAR", "Names of its events in GA4, with | between."),
            "parameter_filter": (
                "VARCHAR",
                "Condition on an event parameter, where not every event counts.",
            ),
            "parameters": ("VARCHAR", "Event parameters whose values are listed."),
            "parent_key": ("VARCHAR", "Key whose sessions are the denominator."),
            "intent_rank": ("INTEGER", "Place on the intent ladder, 1 weak to 6 strong."),
            "is_expected": ("BOOLEAN", "Whether every shop should send it."),
            "origin": (
                "VARCHAR",
                "How the event comes about: automatic, enhanced, recommended or custom.",
            ),
            "benchmark_key": ("VARCHAR", "Benchmark of its rate."),
            "description": ("VARCHAR", "What the visitor does."),
        },
    ),
    "report_parts": OpsTable(
        "One row per report, version of it, and key or event parameter: what counted as it.",
        {
            **_shared("report"),
            "report_version": ("INTEGER", "Version of the pulls that counted so."),
            "name": ("VARCHAR", "Key of the tracking plan, or event parameter."),
            "meaning": ("VARCHAR", "Its events and conditions, as text that is only compared."),
            "is_current": ("BOOLEAN", "Whether the newest run asks for this version."),
        },
    ),
    "not_applicable_keys": OpsTable(
        "One row per key that the shop says it does not have.",
        {
            **_shared("key"),
        },
    ),
    "benchmark_overrides": OpsTable(
        "Benchmarks that the shop's tracking_plan.yml sets in place of the seed's.",
        {
            **_shared("benchmark_key"),
            "industry": ("VARCHAR", "Category of shop that the range is for; all for every one."),
            "device": ("VARCHAR", "Device that the range is for; all for every one."),
            "region": ("VARCHAR", "Region that the range is for; all for every one."),
            "low": ("DOUBLE", "Lower end, the floor."),
            "high": ("DOUBLE", "Upper end."),
            "unit": ("VARCHAR", "What numerator and denominator count."),
            "numerator": ("VARCHAR", "Key above the line of the rate."),
            "denominator": ("VARCHAR", "Key below the line of the rate."),
            "source": ("VARCHAR", "What the range is: a title, or what was measured."),
            "publisher": ("VARCHAR", "Who measured or wrote it."),
            "sample": ("VARCHAR", "How much was measured; not stated where nobody says."),
            "period": ("VARCHAR", "When it was measured."),
            "link": ("VARCHAR", "Where it can be read."),
            "source_date": ("DATE", "Of when."),
            "source_kind": ("VARCHAR", "primary (measured by the publisher) or secondary."),
            "is_default": (
                "BOOLEAN",
                "Whether it is a general default, and not one of the shop's own.",
            ),
        },
    ),
    "benchmark_figure_overrides": OpsTable(
        "Figures of shops like this one that its tracking_plan.yml has.",
        {
            "benchmark_key": ("VARCHAR", "Benchmark that the figure stands beside."),
            "industry": ("VARCHAR", "Category of the shops; all for every one."),
            "device": ("VARCHAR", "Device; all for every one."),
            "region": ("VARCHAR", "Countries, joined by '|'; all for every one."),
            "statistic": (
                "VARCHAR",
                "mean, median, or what the best or weakest 10, 20 or 25 % have.",
            ),
            "value": ("DOUBLE", "The figure, 0-1."),
            "unit": ("VARCHAR", "What numerator and denominator count."),
            "numerator": ("VARCHAR", "Key above the line of the rate."),
            "denominator": ("VARCHAR", "Key below the line of the rate."),
            "definition": ("VARCHAR", "What the publisher divides by what."),
            "publisher": ("VARCHAR", "Who measured it."),
            "sample": ("VARCHAR", "How much was measured; not stated where nobody says."),
            "period": ("VARCHAR", "When it was measured."),
            "period_end": ("DATE", "Last day of that period."),
            "link": ("VARCHAR", "Where it can be read."),
            "read_from": ("VARCHAR", "primary, or what text reported it."),
            "read_on": ("DATE", "Day on which it was read."),
        },
    ),
    "changes": OpsTable(
        "One row per entry of the register: an experiment, or a change of the site.",
        {
            **_shared("property_id"),
            "change_id": ("VARCHAR", "Its id in experiments.yml or changes.yml."),
            "kind": ("VARCHAR", "experiment or change."),
            "description": ("VARCHAR", "What was changed; of an experiment its hypothesis."),
            "stage": ("VARCHAR", "Stage of the journey that it is at; site for all of them."),
            "key": ("VARCHAR", "Micro-conversion that it is about; NULL for none."),
            "page": ("VARCHAR", "Path of its page; NULL for all."),
            "device": ("VARCHAR", "Device; all for every one."),
            "elements": ("VARCHAR", "What it touches, as a JSON list."),
            "start_date": ("DATE", "First day."),
            "end_date": ("DATE", "Last day; NULL where it goes on."),
            "state": (
                "VARCHAR",
                "planned, running or ended on the day of the run; withdrawn: an experiment that "
                "had begun, and was taken out of the register before its end.",
            ),
            "overlaps_with": (
                "VARCHAR",
                "Other entries at the same time, place and audience, as a JSON list.",
            ),
            "variants": (
                "VARCHAR",
                "Variants of an experiment and their planned shares, the control first, as JSON.",
            ),
            "primary_metric": ("VARCHAR", "Key that decides about an experiment."),
            "guardrail": ("VARCHAR", "Key that must not fall meanwhile."),
            "smallest_effect": (
                "DOUBLE",
                "Smallest absolute difference that matters; NULL for the default.",
            ),
            "exposure": (
                "VARCHAR",
                "Event and parameter by which GA4 knows who saw what, the parameter's values, and "
                "what is counted, as JSON; NULL where a file has the outcomes.",
            ),
            "users_left_out": ("BIGINT", "Users who were in several variants, and are left out."),
            "problem": (
                "VARCHAR",
                "Why there are no outcomes; NULL where there are, also where those that an "
                "experiment that is over left are kept.",
            ),
            "note": ("VARCHAR", "What else to know of its outcomes; NULL for nothing."),
            "naive_variance": (
                "BOOLEAN",
                "Whether the outcomes are GA4's aggregates, whose intervals do not hold all noise.",
            ),
        },
    ),
    "experiment_edits": OpsTable(
        "One row per column of an experiment that was changed in the register after its start.",
        {
            **_shared("property_id"),
            "change_id": ("VARCHAR", "Experiment, as in ops.changes."),
            "noticed_on": ("DATE", "Day of the run that noticed it."),
            "field": (
                "VARCHAR",
                "Column of experiments.yml; state where it was taken out or put back.",
            ),
            "old": ("VARCHAR", "What it was; NULL for nothing."),
            "new": ("VARCHAR", "What it is since; NULL for nothing."),
        },
    ),
    "experiment_outcomes": OpsTable(
        "One row per experiment, variant and day: its outcomes, of a file or counted from GA4.",
        {
            **_shared("property_id"),
            "change_id": ("VARCHAR", "Experiment, as in ops.changes."),
            "variant": ("VARCHAR", "Variant."),
            "date": ("DATE", "Day on which the units were exposed; NULL for totals."),
            "exposed": ("DOUBLE", "Units that were exposed."),
            "numerator": ("DOUBLE", "Conversions; of ratios of users the sum of their numerators."),
            "denominator": ("DOUBLE", "Exposed units; of ratios of users the sum of denominators."),
            "rate_variance": (
                "DOUBLE",
                "Variance of numerator / denominator among users, up to the day; NULL where each "
                "unit converts once or not.",
            ),
            "macro_converted": ("DOUBLE", "Conversions of the guardrail; NULL where not counted."),
            "revenue": (
                "DOUBLE",
                "Revenue of all days, with the last of them; NULL where not told.",
            ),
        },
    ),
    "property_changes": OpsTable(
        "One row per change of what GA4 tells of a property: its currency or time zone.",
        {
            **_shared("property_id"),
            "field": ("VARCHAR", "currency or time_zone."),
            "old": ("VARCHAR", "What it was."),
            "new": ("VARCHAR", "What it is."),
            **_shared("noticed_at"),
        },
    ),
    "field_changes": OpsTable(
        "One row per field or custom dimension that came or went in GA4.",
        {
            **_shared("property_id"),
            "kind": ("VARCHAR", "dimension or metric."),
            **_shared("api_name"),
            "change": ("VARCHAR", "came or went."),
            **_shared("noticed_at"),
        },
    ),
    "field_checks": OpsTable(
        "One row per day and report: whether GA4 calls the report's fields compatible.",
        {
            **_shared("property_id", "report"),
            "checked_on": ("DATE", "Day of the question."),
            "is_ok": ("BOOLEAN", "Whether they are."),
            **_shared("message"),
        },
    ),
    "backfills": OpsTable(
        "One row per backfill: its days, and what it cost.",
        {
            "backfill_id": ("VARCHAR PRIMARY KEY", "Its id, which is the run_id of its pulls."),
            "start_date": ("DATE", "First day."),
            "end_date": ("DATE", "Last day."),
            "properties": ("VARCHAR", "Properties, as a JSON list."),
            "status": ("VARCHAR", "running (also one that was stopped and may go on) or finished."),
            "planned_tokens": ("BIGINT", "What the first plan said that it would cost."),
            "used_tokens": ("BIGINT", "What it cost."),
            "created_at": (_TIME, "When it was first started."),
            "finished_at": (_TIME, "When its last day was published."),
        },
    ),
    "held_back": OpsTable(
        "One row per run and property that was blocked: readers keep its rows of the version "
        "before.",
        {
            **_shared("run_id", "property_id", "gate", "reason"),
            "held_back_at": (_TIME, "When it was blocked."),
        },
    ),
    "alerts": OpsTable(
        "One row per alert: what the webhook was told, or did not take.",
        {
            "alert_key": ("VARCHAR PRIMARY KEY", "What the alert is about; it is told once."),
            "night": ("DATE", "Last day of the run that told it."),
            **_shared("run_id"),
            "alert_class": ("VARCHAR", "Kind of alert (docs/alerts.md)."),
            **_shared("property_id", "message"),
            "payload": ("VARCHAR", "The message as it was sent, as JSON."),
            "status": ("VARCHAR", "sent or undelivered."),
            **_shared("reason"),
            "tried_at": (_TIME, "When it was tried last."),
        },
    ),
    "findings": OpsTable(
        "One row per published finding and run that found it: what later runs compare with.",
        {
            **_shared("property_id"),
            "window_end": ("DATE", "Last day of the 28 days that it was found in."),
            "finding_id": ("VARCHAR", "Its id, the same from run to run."),
            "step_key": ("VARCHAR", "Step that is below its floor."),
            "scope": ("VARCHAR", "The part of the shop, as conditions."),
            "state": ("VARCHAR", "new, ongoing, worse, improving or healed."),
            "first_seen": ("DATE", "Last day of the first run that found it."),
            "since_date": (
                "DATE",
                "Day from which the rate is lower; NULL where it cannot be told.",
            ),
            "healed_date": ("DATE", "Day from which it is not any more."),
        },
    ),
    "runs": OpsTable(
        "One row per run: which days, and how it ended.",
        {
            "run_id": ("VARCHAR PRIMARY KEY", "Id of the run, the name of its folder under logs/."),
            "command": ("VARCHAR", "What started it: nightly, schedule, backfill, demo, dagster."),
            "window_start": ("DATE", "First day that it pulled."),
            "window_end": ("DATE", "Last day that it pulled."),
            "status": (
                "VARCHAR",
                "running, published, partly_published, held_back, paused, failed, outdated or "
                "interrupted.",
            ),
            **_shared("message"),
            "code_version": ("VARCHAR", "Version of Sluice."),
            "started_at": (_TIME, "When it began."),
            "finished_at": (_TIME, "When it ended; NULL while it runs, or where it was killed."),
        },
    ),
    "gate_results": OpsTable(
        "One row per run, gate, property, table and expectation: whether it held.",
        {
            **_shared("run_id", "gate"),
            "property_id": ("VARCHAR", "GA4 property; NULL where the rule is about no single one."),
            "table_name": ("VARCHAR", "Table that was checked."),
            **_shared("expectation"),
            "severity": ("VARCHAR", "critical (blocks the property) or warning (is shown)."),
            "is_success": ("BOOLEAN", "Whether the rule held."),
            **_shared("observed"),
            "unexpected_count": ("BIGINT", "Partitions or rows that break the rule."),
            "sample": ("VARCHAR", "Up to five of their keys, as JSON."),
            **_shared("checked_at"),
        },
    ),
    "tested_days": OpsTable(
        "One row per day of a property whose rows passed the last gate: they are tested again when "
        "the day is built anew.",
        {
            **_shared("property_id"),
            "date": ("DATE", "Day in the property's time zone."),
            "code_version": ("VARCHAR", "Version of Sluice whose tests it passed."),
        },
    ),
    "day_warnings": OpsTable(
        "One row per doubtful day of a report, as the raw gate last found it.",
        {
            **_shared("property_id", "report", "date", "expectation"),
            "mark": (
                "VARCHAR",
                "What it makes of the day's numbers: missing_rows or low_volume; NULL only warns.",
            ),
            **_shared("observed", "checked_at"),
        },
    ),
}


def ops_words() -> Iterator[tuple[str, str | None, str]]:
    """(table, column or None, words) of every table and column."""
    for name, table in TABLES.items():
        yield name, None, table.words
        for column, (_, words) in table.columns.items():
            yield name, column, words
