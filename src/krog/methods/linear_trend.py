"""Linear trend by least squares, with a band in which single future values are expected.

Source: NIST/SEMATECH e-Handbook of Statistical Methods, 4.1.4.1 "Linear least squares regression" and 4.5.1.2 "How
can I predict the value and estimate the uncertainty of a single response?"
(https://www.itl.nist.gov/div898/handbook/); quantiles of Student's t from its table 1.3.6.7.2.

Worked example: x = 1 2 3 4 5, y = 2 4 5 4 5. Mean of x 3, of y 4; Sxx = 10, Sxy = 6; slope 0.6, intercept 2.2.
Residuals -0.8 0.6 1.0 -0.6 -0.2, their squares sum to 2.4, so s² = 2.4 / 3 = 0.8. At x = 6 the line gives 5.8 and
the 80 % band is ± 1.638 × sqrt(0.8 × (1 + 1/5 + 9/10)) = ± 2.123.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

NAME = "linear least squares, 80 % prediction band"

#: Student's t for a two-sided 80 % band, by degrees of freedom 1 to 30; beyond that the normal value.
_T80 = (
    3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.350, 1.345, 1.341,
    1.337, 1.333, 1.330, 1.328, 1.325, 1.323, 1.321, 1.319, 1.318, 1.316, 1.315, 1.314, 1.313, 1.311, 1.310,
)  # fmt: skip
_Z80 = 1.282


@dataclass(frozen=True)
class Trend:
    """`slope` per unit of x, `intercept` at x = 0, from `n` points. `deviation` is the residual standard deviation;
    with two points there is a line but nothing to judge it by, so no band."""

    slope: float
    intercept: float
    n: int
    mean_x: float
    sxx: float
    deviation: float | None

    def at(self, x: float) -> float:
        """The line at `x`."""
        return self.intercept + self.slope * x

    def band(self, x: float) -> tuple[float, float] | None:
        """Where a single value at `x` is expected in four cases of five; None with fewer than three points."""
        if self.deviation is None:
            return None
        half = _t80(self.n - 2) * self.deviation * math.sqrt(1 + 1 / self.n + (x - self.mean_x) ** 2 / self.sxx)
        return self.at(x) - half, self.at(x) + half

    @property
    def direction(self) -> int | None:
        """1 rising, -1 falling, 0 neither (the slope's 80 % interval holds 0); None with fewer than four points."""
        if self.deviation is None or self.n < 4:
            return None
        half = _t80(self.n - 2) * self.deviation / math.sqrt(self.sxx)
        return 0 if abs(self.slope) <= half else (1 if self.slope > 0 else -1)


def fit(points: Sequence[tuple[float, float]]) -> Trend | None:
    """The trend of points (x, y); None where fewer than two different x are given."""
    n = len(points)
    if n < 2:
        return None
    mean_x = math.fsum(x for x, _ in points) / n
    mean_y = math.fsum(y for _, y in points) / n
    sxx = math.fsum((x - mean_x) ** 2 for x, _ in points)
    if sxx <= 0:
        return None
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / sxx
    intercept = mean_y - slope * mean_x
    deviation = None
    if n > 2:
        deviation = math.sqrt(math.fsum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points) / (n - 2))
    return Trend(slope, intercept, n, mean_x, sxx, deviation)


def _t80(freedom: int) -> float:
    return _T80[freedom - 1] if freedom <= len(_T80) else _Z80
