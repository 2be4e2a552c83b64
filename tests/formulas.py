"""A formula for tests: night losses of a water zone."""

from __future__ import annotations

from typing import Any

NIGHT_LOSSES: dict[str, Any] = {
    "unit": "m3/h",
    "expr": ["-", "inflow", ["sum_over", "stream", "deliveries"]],
    "terms": {
        "inflow": {
            "title": {"sl": "dotok", "en": "inflow"}, "dataset": "mlaka-water", "agg": "mean", "unit": "m3/h",
            "filter": {"streams": ["mlaka-inflow"], "local_hour": [2, 4]}, "grain": ["local_date"],
            "min_coverage": 0.75,
        },
        "deliveries": {
            "title": {"sl": "dobava", "en": "deliveries"}, "dataset": "mlaka-water", "agg": "mean", "unit": "m3/h",
            "filter": {"roles": ["delivery"], "local_hour": [2, 4]}, "grain": ["stream", "local_date"],
            "min_coverage": 0.75,
        },
    },
}  # fmt: skip
