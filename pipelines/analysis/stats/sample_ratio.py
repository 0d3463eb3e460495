"""Whether the arms of an experiment got the visitors they should have."""

import numpy as np
from scipy import special, stats

from pipelines.analysis.stats.arrays import Floats


def sample_ratio_test(visitors: Floats, shares: Floats) -> tuple[float, float]:
    """Pearson chi^2 and p of the arms' visitors against their planned shares."""
    found = stats.chisquare(visitors, visitors.sum() * shares / shares.sum())
    return float(found.statistic), float(found.pvalue)


def sample_ratio_log_e(visitors: Floats, shares: Floats) -> float:
    """ln of the Dirichlet-multinomial e-value with a flat prior (Lindon and Malek 2022).

    ln e = lnG(A) - lnG(A + N) + sum [lnG(a_i + n_i) - lnG(a_i)] - sum n_i ln p_i with a_i = 1,
    A = sum a_i and N = sum n_i. May be looked at every night: P(e >= 1000 ever) <= 0.001.
    """
    alpha = np.ones_like(shares)
    evidence = (
        special.gammaln(alpha.sum())
        - special.gammaln(alpha.sum() + visitors.sum())
        + (special.gammaln(alpha + visitors) - special.gammaln(alpha)).sum()
        - (visitors * np.log(shares / shares.sum())).sum()
    )
    return float(evidence)
