"""What the marts should say of a simulated shop: pairs of queries over truth.json and the marts.

In the queries `truth` is a table of truth.json and `last_day()` its last date; both sides must
give the same rows. Rows of nobody are left out on both sides: a step that nobody reached may be
missing, or not tracked.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.e2e.shop import read_truth


@dataclass(frozen=True)
class Claim:
    """`truth` and `mart` give the same rows; `table` of truth.json is read as `truth`."""

    table: str
    truth: str
    mart: str


CLAIMS = {
    "open reach": Claim(
        "keys",
        "select date::date, segment_name, segment_value, key, events, sessions from truth "
        "where events > 0",
        "select date, segment_name, segment_value, key, events, sessions "
        "from marts.fct_micro_conversion_daily where events > 0 and segment_name <> 'landing_page'",
    ),
    "micro-conversions over 28 days": Claim(
        "keys",
        "select segment_name, segment_value, key, sum(events), sum(sessions) from truth "
        "where date::date > last_day() - 28 group by all",
        "select segment_name, segment_value, key, events, sessions "
        "from marts.fct_micro_conversion_window "
        "where window_name = '28d' and events > 0 and segment_name <> 'landing_page'",
    ),
    "closed funnels": Claim(
        "closed_funnels",
        "select window_name, date::date, funnel, device, step, key, users from truth "
        "where users > 0 and funnel in ('core', 'extended', 'checkout')",
        "select window_name, window_end, funnel, segment_value, step_number, step_key, reached "
        "from marts.fct_closed_funnel where reached > 0 and window_name in ('1d', '28d')",
    ),
    # Where a tag is missing, nothing is known of who left before it.
    "furthest stage": Claim(
        "closed_funnels",
        "select funnel, device, key, exited, entered from (select *, first_value(users) over "
        "chain as entered, users - coalesce(lead(users) over chain, 0) as exited, "
        "lead(key) over chain as next_key "
        "from truth where window_name = '28d' and funnel in ('core', 'extended', 'checkout') "
        "window chain as (partition by funnel, device order by step)) as steps "
        "where users > 0 and coalesce(next_key, '') not in (select key from truth "
        "where window_name = '28d' and key = 'checkout_start' group by key having sum(users) = 0)",
        "select funnel, segment_value, step_key, exited, entry_reached "
        "from marts.fct_closed_funnel where window_name = '28d' and reached > 0 "
        "and exited is not null",
    ),
    "engagement lift": Claim(
        "closed_funnels",
        "select device, replace(funnel, 'lift_', ''), max(users) filter (step = 0), "
        "max(users) filter (step = 1), max(users) filter (step = 2), "
        "(select users from truth as both_ends where window_name = '28d' and step = 1 "
        "and funnel = 'view_to_add' and both_ends.device = truth.device) from truth "
        "where funnel like 'lift_%' group by all having max(users) > 0",
        "select segment_value, key, view_users, did_users, did_add_users, view_add_users "
        "from marts.fct_engagement_lift where view_users > 0",
    ),
    "payment methods": Claim(
        "payment_types",
        "select payment_type, sum(events), sum(sessions) from truth "
        "where date::date > last_day() - 28 group by all",
        "select parameter_value, events, sessions from marts.fct_event_parameter "
        "where parameter = 'payment_type' and window_name = '28d' and events > 0",
    ),
    "products of a day": Claim(
        "items",
        "select date::date, item_id, item_name, items_viewed, items_added_to_cart, "
        "items_checked_out, items_purchased, round(item_revenue, 2) from truth",
        "select date, item_id, item_name, items_viewed, items_added_to_cart, items_checked_out, "
        "items_purchased, round(item_revenue, 2) from marts.fct_product_funnel",
    ),
    "products of a window": Claim(
        "item_windows",
        "select window_name, window_end::date, item_id, item_name, items_viewed, "
        "items_added_to_cart, nullif(items_checked_out, 0), items_purchased, "
        "round(item_revenue, 2) from truth semi join (select window_name, max(window_end) as "
        "window_end from truth group by all) as newest using (window_name, window_end)",
        "select window_name, window_end, item_id, item_name, "
        "max(units) filter (step_key = 'product_view'), "
        "max(units) filter (step_key = 'add_to_cart'), "
        "nullif(max(units) filter (step_key = 'checkout_start'), 0), "
        "max(units) filter (step_key = 'purchase'), round(max(item_revenue), 2) "
        "from marts.fct_product_funnel_window group by all",
    ),
    "pages": Claim(
        "pages",
        "select page_path, sum(views), sum(sessions), sum(engaged_sessions), "
        "sum(scroll_sessions) from truth where date::date > last_day() - 28 group by all",
        "select page_path, views, sessions, engaged_sessions, scroll_sessions "
        "from marts.fct_page_engagement where window_name = '28d'",
    ),
    "keys on pages": Claim(
        "page_keys",
        "select page_path, key, sum(events), sum(sessions) from truth "
        "where date::date > last_day() - 28 group by all",
        "select page_path, key, events, sessions from marts.fct_page_micro_conversion "
        "where window_name = '28d' and events > 0",
    ),
    "lists": Claim(
        "lists",
        "select item_list_name, sum(items_viewed), sum(items_clicked) from truth "
        "where date::date > last_day() - 28 group by all",
        "select item_list_name, items_viewed, items_clicked from marts.fct_collection "
        "where window_name = '28d'",
    ),
}


def differences(
    connection: duckdb.DuckDBPyConnection, events: Path, claim: Claim, property_id: str
) -> tuple[int, list[tuple]]:
    """How many rows the truth has, and up to five that are on one side only."""
    connection.register("truth", read_truth(events, claim.table))
    last_day = json.loads((events / "truth.json").read_text(encoding="utf-8"))["end"]
    connection.execute(f"create or replace temp macro last_day() as date '{last_day}'")
    connection.execute(f"create or replace temp table said as {_of(claim.mart, property_id)}")
    connection.execute(f"create or replace temp table true_rows as {claim.truth}")
    (count,) = connection.execute("select count(*) from true_rows").fetchone() or (0,)
    rows = connection.execute(
        "(from true_rows except all from said) union all (from said except all from true_rows) "
        "limit 5"
    ).fetchall()
    return count, rows


def _of(query: str, property_id: str) -> str:
    """The query on one property's rows of every mart."""
    own = f"(select * from marts.\\1 where property_id = '{property_id}')"
    return re.sub(r"marts\.(\w+)", own, query)
