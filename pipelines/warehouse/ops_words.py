"""What the tables of `ops` and their columns hold, in the words that readers find as comments."""

from collections.abc import Iterator, Mapping

# What a column is called in several tables, it is in all of them.
_SHARED = {
    "property_id": "GA4 property.",
    "run_id": "Run that wrote the row; of a backfill's pulls the backfill's id.",
    "report": "Report of GA4, as docs/architecture.md has them; its rows are in raw.ga4_<report>.",
    "date": "Day in the property's time zone; of a window its last day.",
    "pull_id": "Pull that brought the rows.",
    "currency": "Currency of the money, as GA4 or the export told it.",
    "time_zone": "Time zone of the property's days.",
    "api_name": "Name of the field in the Data API.",
    "noticed_at": "When a run noticed it.",
    "checked_at": "When it was looked at last.",
    "status": "How it ended or stands; docs/glossary.md has the words.",
    "message": "Why it ended so, for people; empty where nothing is to be said.",
    "gate": "Gate, named after the layer that it guards: raw, staging, intermediate or marts.",
    "expectation": "Rule that was checked.",
    "observed": "What was found, with numbers.",
    "reason": "Why.",
    "key": "Key of a micro-conversion.",
    "benchmark_key": "Rate that the range is about.",
}

# Table → "" for the table itself, and its columns that are not shared or mean more there.
_TABLES: dict[str, dict[str, str]] = {
    "properties": {
        "": "One row per configured property: who it is, and whether it takes part.",
        "name": "Name from sluice.yml; the number where there is none.",
        "source": "Where its numbers come from: data_api or export.",
        "store_name": "The shop's name from sluice.yml.",
        "industry": "Category whose benchmarks count.",
        "same_shop_as": "Property by which the same shop is read from the Data API; NULL for none.",
        "is_active": "False once it is not in sluice.yml any more; its rows stay.",
        "is_blocked": "Whether the run that is going on leaves its rows out.",
        "custom_dimensions": "Event parameters registered in GA4, as a JSON list.",
    },
    "pulls": {
        "": "One row per pull and day (or window): what was requested, how it ended, what it cost.",
        "report_version": "Meaning of the stored rows; another one needs a backfill.",
        "window_name": "NULL for a day; 7d, 28d, week or month for a window that ends on date.",
        "request_hash": "Checksum of what was requested.",
        "route": "data_api or export; NULL (older versions) is data_api.",
        "status": "loaded, held_back (its audit failed), failed, refused (by GA4) or skipped.",
        "row_count": "Rows that were stored of the day or window.",
        "pages": "Requests of the pull; with its first row only, so that they add up.",
        "tokens": "Tokens of the pull; with its first row only, so that they add up.",
        "totals": "GA4's own totals of the metrics, as JSON.",
        "is_sampled": "GA4 computed the rows from a sample.",
        "is_thresholded": "GA4 may have left rows out to protect visitors.",
        "has_other_row": "GA4 folded rare values into (other).",
        "other_share": "Share of (other) in the first counted metric, 0 to 1.",
        "missing_share": "Share of the first counted metric's own total that its rows lack, "
        "0 to 1; NULL where GA4 told no total or scaled what it counted.",
        "left_out": "Keys or event parameters that could not be requested, with commas between.",
        "empty_reason": "Why GA4 says that it has no rows.",
        "restricted_metrics": "Metrics that the account may not see, with commas between.",
        "truncation": "What was cut off, where more rows exist than are stored.",
        "pulled_at": "When the response was there.",
    },
    "export_days": {
        "": "One row per day of an event export: what its files hold, and what cannot be counted.",
        "files": "Files of the day.",
        "bytes": "Bytes of the files.",
        "row_count": "Events in the files.",
        "without_user": "Events without a user id (consent denied): no user, no session.",
        "duplicates": "Events that are there twice, and are counted once.",
        "other_days": "Events of another date, which are not counted on this one.",
        "unnamed": "Events without a name or a time, which are not counted.",
        "without_session": "Events that are counted, but belong to no session.",
        "session_count": "Sessions of the day.",
        "without_channel": "Sessions whose channel group nobody can tell.",
    },
    "quota": {
        "": "One row per reading of GA4's quota: every response tells what is left.",
        "read_at": "When the response was there.",
        "quota": "Which one: core_ (reports) or funnel_ (closed funnels), and GA4's name of it.",
        "consumed": "What the request took.",
        "remaining": "What is left until the hour or the day is over.",
    },
    "quarantine": {
        "": "One row per row of a response that could not be stored: its date cannot be read.",
        "date_text": "What stood in the place of the date.",
        "row_json": "The row as it came, as JSON.",
        "quarantined_at": "When it was put aside.",
    },
    "tracking_plan_overrides": {
        "": "Rows of the tracking plan that the shop's tracking_plan.yml changes or adds.",
        "stage": "Stage of the journey.",
        "family": "Kind of action.",
        "event_names": "Names of its events in GA4, with | between.",
        "parameter_filter": "Condition on an event parameter, where not every event counts.",
        "parameters": "Event parameters whose values are listed.",
        "parent_key": "Key whose sessions are the denominator.",
        "intent_rank": "Place on the intent ladder, 1 weak to 6 strong.",
        "is_expected": "Whether every shop should send it.",
        "origin": "How the event comes about: automatic, enhanced, recommended or custom.",
        "benchmark_key": "Benchmark of its rate.",
        "description": "What the visitor does.",
    },
    "not_applicable_keys": {
        "": "One row per key that the shop says it does not have.",
    },
    "benchmark_overrides": {
        "": "Benchmarks that the shop's tracking_plan.yml sets in place of the seed's.",
        "industry": "Category of shop that the range is for; all for every one.",
        "device": "Device that the range is for; all for every one.",
        "region": "Region that the range is for; all for every one.",
        "low": "Lower end, the floor.",
        "high": "Upper end.",
        "unit": "What numerator and denominator count.",
        "numerator": "Key above the line of the rate.",
        "denominator": "Key below the line of the rate.",
        "source": "Whose figures.",
        "source_date": "Of when.",
        "source_kind": "primary (measured by the publisher) or secondary.",
        "is_default": "Whether it is a general default, and not one of the shop's own.",
    },
    "property_changes": {
        "": "One row per change of what GA4 tells of a property: its currency or time zone.",
        "field": "currency or time_zone.",
        "old": "What it was.",
        "new": "What it is.",
    },
    "field_changes": {
        "": "One row per field or custom dimension that came or went in GA4.",
        "kind": "dimension or metric.",
        "change": "came or went.",
    },
    "field_checks": {
        "": "One row per day and report: whether GA4 calls the report's fields compatible.",
        "checked_on": "Day of the question.",
        "is_ok": "Whether they are.",
    },
    "backfills": {
        "": "One row per backfill: its days, and what it cost.",
        "backfill_id": "Its id, which is the run_id of its pulls.",
        "start_date": "First day.",
        "end_date": "Last day.",
        "properties": "Properties, as a JSON list.",
        "status": "running (also one that was stopped and may go on) or finished.",
        "planned_tokens": "What the first plan said that it would cost.",
        "used_tokens": "What it cost.",
        "created_at": "When it was first started.",
        "finished_at": "When its last day was published.",
    },
    "held_back": {
        "": "One row per run and property that was blocked: readers keep its rows of the version "
        "before.",
        "held_back_at": "When it was blocked.",
    },
    "alerts": {
        "": "One row per alert: what the webhook was told, or did not take.",
        "alert_key": "What the alert is about; it is told once.",
        "night": "Last day of the run that told it.",
        "alert_class": "Kind of alert (docs/alerts.md).",
        "payload": "The message as it was sent, as JSON.",
        "status": "sent or undelivered.",
        "tried_at": "When it was tried last.",
    },
    "findings": {
        "": "One row per published finding and run that found it: what later runs compare with.",
        "window_end": "Last day of the 28 days that it was found in.",
        "finding_id": "Its id, the same from run to run.",
        "step_key": "Step that is below its floor.",
        "scope": "The part of the shop, as conditions.",
        "state": "new, ongoing, worse, improving or healed.",
        "first_seen": "Last day of the first run that found it.",
        "since_date": "Day from which the rate is lower; NULL where it cannot be told.",
        "healed_date": "Day from which it is not any more.",
    },
    "runs": {
        "": "One row per run: which days, and how it ended.",
        "run_id": "Id of the run, the name of its folder under logs/.",
        "command": "What started it: nightly, schedule, backfill, demo, dagster.",
        "window_start": "First day that it pulled.",
        "window_end": "Last day that it pulled.",
        "status": "running, published, partly_published, held_back, paused, failed, outdated or "
        "interrupted.",
        "code_version": "Version of Sluice.",
        "started_at": "When it began.",
        "finished_at": "When it ended; NULL while it runs, or where it was killed.",
    },
    "gate_results": {
        "": "One row per run, gate, property, table and expectation: whether it held.",
        "property_id": "GA4 property; NULL where the rule is about no single one.",
        "table_name": "Table that was checked.",
        "severity": "critical (blocks the property) or warning (is shown).",
        "is_success": "Whether the rule held.",
        "unexpected_count": "Partitions or rows that break the rule.",
        "sample": "Up to five of their keys, as JSON.",
    },
    "day_warnings": {
        "": "One row per doubtful day of a report, as the raw gate last found it.",
        "mark": "What it makes of the day's numbers: missing_rows or low_volume; NULL only warns.",
    },
}


def ops_words(tables: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str | None, str]]:
    """(table, column or None, words) for every table and column; KeyError for one without words."""
    for table, columns in tables.items():
        own = {**_SHARED, **_TABLES[table]}
        yield table, None, own[""]
        for column in columns:
            yield table, column, own[column]
