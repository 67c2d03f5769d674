"""How an outcome that happens or not goes with a number, where observations are alike in clusters."""

import warnings
from typing import Any

import numpy as np

from harness.errors import BadInput
from harness.nouns.base import Interval, Reason
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import FEW, Tested

CONSTANT = Reason("undefined", "it is the same everywhere")
ONE_OUTCOME = Reason("undefined", "the outcome is the same everywhere")
TOO_FEW = Reason("undefined", f"fewer than {FEW} queries")
SEPARATED = Reason("undefined", "it foretells the outcome without an error, or nearly so")
MISSING = "the association needs statsmodels: pip install 'teacher-harness[signal]'"


def log_odds(feature: Floats, outcome: Floats, clusters: Integers) -> Tested:
    """The change of the outcome's log odds per unit of the feature: logistic, with a cluster-robust error.

    log(p / (1 - p)) = a + b x by maximum likelihood (statsmodels, which the extra `signal` brings). The error
    is the sandwich over clusters (Liang & Zeger 1986), with G/(G - 1) (n - 1)/(n - 2); over two columns of
    clusters Cameron, Gelbach & Miller's (2011). Interval and p by the normal distribution. BadInput, which
    names the extra, without statsmodels.
    """
    if float(np.ptp(outcome)) == 0:
        return Tested(None, reason=ONE_OUTCOME)
    if float(np.ptp(feature)) == 0:
        return Tested(None, reason=CONSTANT)
    if len(np.unique(clusters if clusters.ndim == 1 else clusters[:, 0])) < FEW:
        return Tested(None, reason=TOO_FEW)
    return _fitted(feature, outcome, clusters)


def _fitted(feature: Floats, outcome: Floats, clusters: Integers) -> Tested:
    discrete = _discrete()
    columns = np.column_stack([np.ones(len(feature)), (feature - feature.mean()) / feature.std()])
    with warnings.catch_warnings():
        # Separation shows as coefficients without bound; its warnings are not meant for users.
        warnings.simplefilter("ignore")
        try:
            found = discrete.Logit(outcome, columns).fit(
                disp=0, maxiter=100, cov_type="cluster", cov_kwds={"groups": clusters}
            )
        except (np.linalg.LinAlgError, ArithmeticError):
            return Tested(None, reason=SEPARATED)
    scale = float(feature.std())
    value, se = float(found.params[1]) / scale, float(found.bse[1]) / scale
    if not found.mle_retvals["converged"] or not np.isfinite(se) or abs(value * scale) > 20:
        return Tested(None, reason=SEPARATED)
    low, high = (float(end) / scale for end in found.conf_int()[1])
    return Tested(value, se, Interval(low, high), float(found.pvalues[1]))


def _discrete() -> Any:
    try:
        from statsmodels.discrete import discrete_model
    except ImportError as error:
        raise BadInput(MISSING) from error
    return discrete_model
