"""How GA4 makes its numbers, and by how much true ones may seem to contradict each other.

The one table of tolerances: audits of answers and gates between the layers both read it. What a
number may be off by follows from how it is made, not from where it is looked at.
"""

from __future__ import annotations

from enum import StrEnum

from pipelines.config.thresholds import threshold

# A night compares some 100,000 pairs of estimates, many of them equal in truth: at four sigma
# several of those seem to contradict each other every night, at six one in years.
SIGMAS = 6
# A unit of a rounded number is a second; rows and total are rounded each by itself.
ROUNDED_UNIT = 1.0
# Money is converted and rounded row by row: a cent each, or half a yen where there are no cents.
MONEY_UNIT = 0.01
MONEY_SHARE = 1e-3
# The same doubles, added up in another order.
SUMMATION = 1e-9


class Made(StrEnum):
    """How a metric comes about in an unsampled answer.

    Any of them in a sampled answer is scaled up from a share of the events: with fractions, and
    rows off their total by rounding. Such an answer is flagged and never contradicts itself.
    """

    COUNTED = "counted"
    ESTIMATED = "estimated"
    ROUNDED = "rounded"
    MONEY = "money"


# Every other metric that is asked for is an estimate of sessions or users.
MADE = {
    **dict.fromkeys(
        (
            "eventCount", "screenPageViews", "transactions", "itemsViewed", "itemsAddedToCart",
            "itemsCheckedOut", "itemsPurchased", "itemsViewedInList", "itemsClickedInList",
        ),
        Made.COUNTED,
    ),
    "userEngagementDuration": Made.ROUNDED,
    "purchaseRevenue": Made.MONEY,
    "itemRevenue": Made.MONEY,
}  # fmt: skip


def excess_allowed(made: Made, total: float, rows: int) -> float:
    """By how much the sum of `rows` rows may exceed their `total` in an unsampled answer."""
    match made:
        case Made.COUNTED:
            return 0.0
        case Made.ROUNDED:
            return ROUNDED_UNIT * (rows / 2 + 1)
        case Made.MONEY:
            return MONEY_SHARE * abs(total) + MONEY_UNIT * (rows + 1)
    return float("inf")


def estimate_allowance(squares: float, counts: int = 2, unit: str = "sessions") -> float:
    """By how much a true relation between estimates may seem broken.

    `squares`: sum of the squares of the `counts` estimates in it, each estimated and rounded by
    itself. `unit`: sessions or users, whose relative standard error is a threshold.
    """
    return float(SIGMAS * threshold(f"{unit}_sigma") * squares**0.5 + counts / 2)


def estimate_allowance_sql(squares: str, counts: str = "2", is_exact: str = "false") -> str:
    """The same as SQL over two expressions; 0 where `is_exact` (SQL) says that nothing is noisy."""
    sigma = threshold("sessions_sigma")
    return (
        f"case when coalesce({is_exact}, false) then 0"
        f" else {SIGMAS * sigma:.6f} * sqrt(greatest(0, {squares})::double) + ({counts}) / 2.0 end"
    )


def missing_share(total: float, summed: float) -> float:
    """Share of a counted total that its rows lack, 0–1: thresholded, folded or cut off."""
    return max(0.0, 1 - summed / total) if total > 0 else 0.0
