"""How likely a variant is the better one, and what taking it would lose on average if it is not."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy import special, stats

from pipelines.analysis.experiments.metrics import Metric
from pipelines.analysis.stats.arrays import Floats

Beta: TypeAlias = tuple[float, float]
"""a and b."""

PRIOR: Beta = (1.0, 1.0)
"""Beta(1, 1): every rate is as likely as any other beforehand."""

NODES = 40
"""Gauss-Legendre points in each piece, ten pieces at most: exact to 1e-9 (tested)."""


def posterior(metric: Metric, variant: int) -> Beta:
    """a and b of the Beta posterior of a variant's rate at the last look."""
    counts = metric.counts(variant)
    successes, trials = float(counts.successes[0]), float(counts.trials[0])
    return PRIOR[0] + successes, PRIOR[1] + trials - successes


def compare(metric: Metric, variant: int) -> tuple[float, float]:
    """P(variant > control), and the expected loss E[max(control - variant, 0)] of taking it.

    Counts have Beta posteriors; ratios of users a normal one on the delta method's variances (flat
    prior). The loss is in units of the rate.
    """
    if metric.is_share:
        own, control = posterior(metric, variant), posterior(metric, 0)
        return probability_better(own, control), expected_loss(own, control)
    difference = float(metric.rate[-1, variant] - metric.rate[-1, 0])
    error = float(np.sqrt(metric.variance[-1, variant] + metric.variance[-1, 0]))
    if not error > 0:
        return (float("nan"), float("nan"))
    z = difference / error
    loss = error * stats.norm.pdf(z) - difference * stats.norm.sf(z)
    return float(stats.norm.cdf(z)), float(loss)


def probability_better(own: Beta, control: Beta) -> float:
    """P(X > Y) of two independent Betas: the integral of f_X F_Y over [0, 1]."""
    a, b = own
    x, weight = _nodes(own, control)
    log_density = special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b)
    total = np.sum(weight * np.exp(log_density) * special.betainc(*control, x))
    return float(np.clip(total, 0.0, 1.0))


def expected_loss(own: Beta, control: Beta) -> float:
    """E[max(Y - X, 0)] of two independent Betas: the integral of F_X (1 - F_Y) over [0, 1]."""
    x, weight = _nodes(own, control)
    return float(np.sum(weight * special.betainc(*own, x) * special.betaincc(*control, x)))


def _nodes(own: Beta, control: Beta) -> tuple[Floats, Floats]:
    """Points and weights of a quadrature over [0, 1], piece by piece between quantiles of both: a
    posterior may be a ten-thousandth of it wide.
    """
    shares = np.array([1e-9, 0.05, 0.5, 0.95])
    cuts = [special.betaincinv(*one, shares) for one in (own, control)]
    tops = [special.betainccinv(*one, shares[:1]) for one in (own, control)]
    ends = np.unique(np.concatenate([*cuts, *tops, [0.0, 1.0]]))
    node, weight = np.polynomial.legendre.leggauss(NODES)
    half, middle = np.diff(ends) / 2, (ends[1:] + ends[:-1]) / 2
    return (middle[:, None] + half[:, None] * node).ravel(), (half[:, None] * weight).ravel()
