"""What the marts should say of a simulated shop: pairs of queries over truth.json and the marts.

In the queries `truth` is a table of truth.json, `last_day()` its last date, and
`is_sessionless(key)` says whether the shop's server sent most events of a key. From an exact server
both sides must give the same rows; from a realistic one the same keys, what is counted to the unit,
and every other number within the error that it is made with. Rows of nobody are left out on both
sides: a step that nobody reached may be missing, or not tracked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.e2e.shop import read_truth, truth_of

# By how much a number of a realistic server may differ from the true `{0}`, a sum of up to `{1}`
# of its rows. Up to 3,000 sessions and users are counted; above they err by 2.3 and 1.15 %
# (standard deviations: five are allowed). Errors of summed rows do not add up to a larger share.
_SESSIONS = "case when {0} > 3000 then 5 * 0.023 * {0} else 0 end"
_USERS = "case when {0} > 3000 then 5 * 0.0115 * {0} else 0 end"
ALLOWED = {
    "counted": "0",
    "sessions": _SESSIONS,
    # Besides, a row may have one session too many.
    "engaged": f"{_SESSIONS} + {{1}}",
    "users": _USERS,
    # The difference of two steps' users; the next column has those of the funnel's entry.
    "left": f"2 * ({_USERS.replace('{0}', '{2}')})",
    # The difference of two steps' sessions; the next column has those of the first of them.
    "ended": f"2 * ({_SESSIONS.replace('{0}', '{2}')})",
    # Each row is rounded to a cent.
    "money": "0.005 * {1} + 1e-6",
}


@dataclass(frozen=True)
class Claim:
    """`truth` and `mart` give the same rows; `table` of truth.json is read as `truth`.

    Both have as many keys as `keys`, then one number for each word of `made` (see ALLOWED), which
    is a sum of at most so many rows of an answer as `days`.
    """

    table: str
    keys: int
    made: str
    truth: str
    mart: str
    days: int = 1


CLAIMS = {
    "open reach": Claim(
        "keys",
        4,
        "counted sessions",
        "select date::date, segment_name, segment_value, key, events, sessions from truth "
        "where events > 0",
        "select date, segment_name, segment_value, key, events, sessions "
        "from marts.fct_micro_conversion_daily where events > 0 and segment_name <> 'landing_page'",
    ),
    "cells": Claim(
        "cells",
        7,
        "sessions",
        "select date::date, cube, device, channel, visitor, country, key, sessions from truth "
        "where not is_sessionless(key)",
        "select date, cube, device, channel, visitor, country, step_key, reached "
        "from marts.fct_cell_funnel where reached > 0",
    ),
    "micro-conversions over 28 days": Claim(
        "keys",
        3,
        "counted sessions",
        "select segment_name, segment_value, key, sum(events), sum(sessions) from truth "
        "where date::date > last_day() - 28 group by all",
        "select segment_name, segment_value, key, events, sessions "
        "from marts.fct_micro_conversion_window "
        "where window_name = '28d' and events > 0 and segment_name <> 'landing_page'",
        28,
    ),
    "sales of a day": Claim(
        "sessions",
        3,
        "counted money sessions",
        "select date::date, segment_name, segment_value, transactions, "
        "round(purchase_revenue, 2), sessions from truth where transactions > 0",
        "select date, segment_name, segment_value, transactions, round(purchase_revenue, 2), "
        "sessions from marts.fct_sales_daily "
        "where transactions > 0 and segment_name <> 'landing_page'",
    ),
    # A step without a row in the truth has no tag, or nobody: its neighbours are joined.
    "where sessions ended": Claim(
        "keys",
        3,
        "ended sessions",
        "select segment_name, segment_value, key, reached - coalesce(lead(reached) over ("
        "partition by segment_name, segment_value order by step), 0), reached from ("
        "select segment_name, segment_value, key, sum(sessions) as reached, list_position("
        "['product_view', 'add_to_cart', 'checkout_start', 'purchase'], key) as step from truth "
        "where date::date > last_day() - 28 and not is_sessionless(key) group by all) as steps "
        "where step is not null",
        "select segment_name, segment_value, step_key, ended_sessions, reached "
        "from marts.fct_furthest_stage "
        "where window_name = '28d' and step_number > 0 and reached > 0 "
        "and tracking_state = 'tracked'",
        28,
    ),
    "all sessions ended somewhere": Claim(
        "sessions",
        2,
        "sessions",
        "select segment_name, segment_value, sum(sessions) from truth "
        "where date::date > last_day() - 28 group by all having sum(sessions) > 0",
        "select segment_name, segment_value, sum(ended_sessions) from marts.fct_furthest_stage "
        "where window_name = '28d' group by all having sum(ended_sessions) > 0",
        28,
    ),
    "closed funnels": Claim(
        "closed_funnels",
        6,
        "users",
        "select window_name, date::date, funnel, device, step, key, users from truth "
        "where users > 0 and funnel in ('core', 'extended', 'checkout')",
        "select window_name, window_end, funnel, segment_value, step_number, step_key, reached "
        "from marts.fct_closed_funnel where reached > 0 and window_name in ('1d', '28d')",
    ),
    # Where a tag is missing, nothing is known of who left before it; and where most orders came
    # without a session, nothing is told of who bought.
    "furthest stage": Claim(
        "closed_funnels",
        3,
        "left users",
        "select funnel, device, key, exited, entered from (select *, first_value(users) over "
        "chain as entered, users - coalesce(lead(users) over chain, 0) as exited, "
        "lead(key) over chain as next_key "
        "from truth where window_name = '28d' and funnel in ('core', 'extended', 'checkout') "
        "window chain as (partition by funnel, device order by step)) as steps "
        "where users > 0 and coalesce(next_key, '') not in (select key from truth "
        "where window_name = '28d' and key = 'checkout_start' group by key having sum(users) = 0) "
        "and not is_sessionless(key) and not coalesce(is_sessionless(next_key), false)",
        "select funnel, segment_value, step_key, exited, entry_reached "
        "from marts.fct_closed_funnel where window_name = '28d' and reached > 0 "
        "and exited is not null",
    ),
    "engagement lift": Claim(
        "closed_funnels",
        2,
        "users users users users",
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
        1,
        "counted sessions",
        "select payment_type, sum(events), sum(sessions) from truth "
        "where date::date > last_day() - 28 group by all",
        "select parameter_value, events, sessions from marts.fct_event_parameter "
        "where parameter = 'payment_type' and window_name = '28d' and events > 0",
        28,
    ),
    "products of a day": Claim(
        "items",
        3,
        "counted counted counted counted money",
        "select date::date, item_id, item_name, items_viewed, items_added_to_cart, "
        "items_checked_out, items_purchased, round(item_revenue, 2) from truth",
        "select date, item_id, item_name, items_viewed, items_added_to_cart, items_checked_out, "
        "items_purchased, round(item_revenue, 2) from marts.fct_product_funnel",
    ),
    "products of a window": Claim(
        "item_windows",
        4,
        "counted counted counted counted money",
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
        31,
    ),
    "pages": Claim(
        "pages",
        1,
        "counted sessions engaged sessions",
        "select page_path, sum(views), sum(sessions), sum(engaged_sessions), "
        "sum(scroll_sessions) from truth where date::date > last_day() - 28 group by all",
        "select page_path, views, sessions, engaged_sessions, scroll_sessions "
        "from marts.fct_page_engagement where window_name = '28d'",
        28,
    ),
    "keys on pages": Claim(
        "page_keys",
        2,
        "counted sessions",
        "select page_path, key, sum(events), sum(sessions) from truth "
        "where date::date > last_day() - 28 group by all",
        "select page_path, key, events, sessions from marts.fct_page_micro_conversion "
        "where window_name = '28d' and events > 0",
        28,
    ),
    "lists": Claim(
        "lists",
        1,
        "counted counted",
        "select item_list_name, sum(items_viewed), sum(items_clicked) from truth "
        "where date::date > last_day() - 28 group by all",
        "select item_list_name, items_viewed, items_clicked from marts.fct_collection "
        "where window_name = '28d'",
        28,
    ),
}


def differences(
    connection: duckdb.DuckDBPyConnection,
    events: Path,
    claim: Claim,
    property_id: str,
    *,
    is_exact: bool = True,
) -> tuple[int, list[tuple]]:
    """How many rows the truth has, and up to five that differ more than they may: rows of one side
    only, and from a realistic server the truth's row beside the mart's.
    """
    _read(connection, events, claim, property_id)
    (count,) = connection.execute("select count(*) from true_rows").fetchone() or (0,)
    query = (
        "(from true_rows except all from said) union all (from said except all from true_rows)"
        if is_exact
        else _beyond(claim)
    )
    return count, connection.execute(f"{query} limit 5").fetchall()


def _read(
    connection: duckdb.DuckDBPyConnection, events: Path, claim: Claim, property_id: str
) -> None:
    """Make the tables `true_rows` and `said`, their columns c0, c1, …"""
    connection.register("truth", read_truth(events, claim.table))
    facts = truth_of(events)
    by_server = facts["server_side_orders"] > 0.5
    connection.execute(f"create or replace temp macro last_day() as date '{facts['end']}'")
    connection.execute(
        f"create or replace temp macro is_sessionless(key) as {by_server} and key = 'purchase'"
    )
    width = claim.keys + len(claim.made.split())
    names = ", ".join(f"c{number}" for number in range(width))
    for table, query in (("said", _of(claim.mart, property_id)), ("true_rows", claim.truth)):
        connection.execute(
            f"create or replace temp table {table} as from ({query}) as rows ({names})"
        )


def _beyond(claim: Claim) -> str:
    """Query: rows of the truth and of the mart that differ more than a realistic server's may."""
    columns = range(claim.keys, claim.keys + len(claim.made.split()))
    same = " and ".join(f"a.c{key} is not distinct from b.c{key}" for key in range(claim.keys))
    close = " and ".join(
        f"(a.c{at} is not distinct from b.c{at} or coalesce(abs(a.c{at} - b.c{at}) <= "
        + ALLOWED[made].format(f"a.c{at}", claim.days, f"a.c{at + 1}")
        + ", false))"
        for at, made in zip(columns, claim.made.split(), strict=True)
    )
    return (
        f"select a, b from true_rows as a full join said as b on {same} "
        f"where a.c0 is null or b.c0 is null or not ({close})"
    )


def _of(query: str, property_id: str) -> str:
    """The query on one property's rows of every mart."""
    own = f"(select * from marts.\\1 where property_id = '{property_id}')"
    return re.sub(r"marts\.(\w+)", own, query)
