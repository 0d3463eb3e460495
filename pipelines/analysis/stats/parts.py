"""How each of many parts (products, landing pages) stands against the others of its group.

What belongs here: the scores themselves, on a frame of any parts; who hands over which is in
`items` and in the dbt model `int_landing_pages__scored`. Formulas: docs/analytics.md, "Products".
"""

import numpy as np
import pandas as pd

from pipelines.analysis.stats.arrays import codes, divide, floats, sum_by
from pipelines.analysis.stats.benchmarks import exact_p_below, q_values, score_p_below
from pipelines.analysis.stats.shrinkage import shrink

SCORES = ["shop_rate", "outside_rate", "p_value", "q_value", "shrunk_rate"]


def score_parts(rows: pd.DataFrame, group: list[str], family: list[str]) -> pd.DataFrame:
    """`SCORES` of each row, in its order.

    Reads x and n (successes and trials, NaN where unknown), phi (how many times more these vary
    than independent ones), and the columns of `group`, whose rows are compared with one another,
    and `family`, over which q is taken. shop_rate is the group's, outside_rate the group's without
    the row. p is one-sided against shop_rate: exact binomial, and where phi > 1 no less than the
    score test's on n / phi. shrunk_rate is drawn to shop_rate by n / phi. NaN where there is no
    rate.
    """
    x, n, phi = floats(rows["x"]), floats(rows["n"]), floats(rows["phi"])
    code = codes(rows, group)
    groups = int(code.max()) + 1 if len(rows) else 0
    is_known = ~np.isnan(x + n)
    all_x, all_n = (sum_by(np.where(is_known, one, 0.0), code, groups) for one in (x, n))
    shop = divide(all_x, all_n)
    exact = exact_p_below(x, n, shop[code])
    # Where all or none go on there is no variance to score by.
    pooled = np.where((shop > 0) & (shop < 1), shop, np.nan)[code]
    score = score_p_below(divide(x, n), np.where(n > 0, n / phi, np.nan), pooled)
    p_value = np.where((phi > 1) & ~np.isnan(exact), np.fmax(exact, score), exact)
    tests = rows[family].assign(p_value=p_value).groupby(family)["p_value"]
    return pd.DataFrame(
        {
            "shop_rate": shop[code],
            "outside_rate": divide(all_x[code] - x, all_n[code] - n),
            "p_value": p_value,
            "q_value": tests.transform(lambda one: q_values(one.to_numpy(dtype="float64"))),
            "shrunk_rate": shrink(x / phi, n / phi, code, groups).rate,
        },
        index=rows.index,
    )
