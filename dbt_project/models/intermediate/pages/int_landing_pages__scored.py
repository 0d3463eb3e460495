"""How each landing page stands against the others of its type, step by step."""

from pipelines.analysis.stats.parts import score_parts

KEYS = ["property_id", "window_name", "landing_page", "step_key", "previous_step_key"]
FAMILY = ["property_id", "window_name", "step_key"]


def model(dbt, session):
    dbt.config(materialized="table")
    # In one order: sums of doubles depend on it.
    pages = dbt.ref("int_landing_pages__stepped").order(", ".join(KEYS)).df()
    counts = pages.rename(columns={"numerator": "x", "denominator": "n"})
    return pages[KEYS].join(score_parts(counts, [*FAMILY, "page_type"], FAMILY))
