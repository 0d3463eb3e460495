"""How likely a variant is the better one, and what taking it would lose on average if it is not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy import integrate, special, stats

from pipelines.experiments.metrics import Metric

PRIOR = (1.0, 1.0)
"""Beta(1, 1): every rate is as likely as any other beforehand."""


def posterior(metric: Metric, variant: int) -> tuple[float, float]:
    """a and b of the Beta posterior of a variant's rate at the last look."""
    successes, trials = metric.successes[-1, variant], metric.trials[-1, variant]
    return PRIOR[0] + float(successes), PRIOR[1] + float(trials - successes)


def compare(metric: Metric, variant: int) -> tuple[float, float]:
    """P(variant > control), and the expected loss E[max(control - variant, 0)] of taking it.

    Counts have Beta posteriors; ratios of users a normal one on the delta method's variances (flat
    prior). The loss is in units of the rate.
    """
    if metric.rate_variance is None:
        own, control = posterior(metric, variant), posterior(metric, 0)
        return probability_better(own, control), expected_loss(own, control)
    difference = float(metric.rate[-1, variant] - metric.rate[-1, 0])
    error = float(np.sqrt(metric.variance[-1, variant] + metric.variance[-1, 0]))
    if not error > 0:
        return (float("nan"), float("nan"))
    z = difference / error
    loss = error * stats.norm.pdf(z) - difference * stats.norm.sf(z)
    return float(stats.norm.cdf(z)), float(loss)


def probability_better(own: tuple[float, float], control: tuple[float, float]) -> float:
    """P(X > Y) of two independent Betas: the integral of f_X F_Y, by quadrature."""

    def density_above(x: float) -> float:
        a, b = own
        log_density = special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b)
        return float(np.exp(log_density) * special.betainc(*control, x))

    return min(1.0, max(0.0, _integral(density_above, own, control)))


def expected_loss(own: tuple[float, float], control: tuple[float, float]) -> float:
    """E[max(Y - X, 0)] of two independent Betas: the integral of F_X (1 - F_Y) over [0, 1]."""

    def lost(x: float) -> float:
        return float(special.betainc(*own, x) * special.betaincc(*control, x))

    return max(0.0, _integral(lost, own, control))


def _integral(
    function: Callable[[float], float], own: tuple[float, float], control: tuple[float, float]
) -> float:
    """Over [0, 1]; broken where the posteriors have their mass, which may be very narrow."""
    cuts = {0.0, 1.0}
    for a, b in (own, control):
        cuts |= {float(special.betaincinv(a, b, share)) for share in (1e-9, 0.05, 0.5, 0.95)}
        cuts.add(float(special.betainccinv(a, b, 1e-9)))
    ends = sorted(cuts)
    return sum(
        integrate.quad(function, low, high, epsabs=1e-13, epsrel=1e-10)[0]
        for low, high in pairwise(ends)
    )
