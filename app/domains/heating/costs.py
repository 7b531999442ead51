"""What a period's heat costs, and its heat beside the weather (formulas: docs/reports.md)."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.dispatch.tariff import GJ_PER_MWH, Tariff, electricity_yuan_mwh, heat_yuan_mwh
from twin.model.county import County

Floats = NDArray[np.float64]
J_PER_MWH = GJ_PER_MWH * 1e9


def judge_costs(
    county: County, tariff: Tariff, heat_j: Sequence[float], figures: Mapping[str, float], hours: Floats
) -> dict[str, float]:
    """Figures of a period; NaN where what they need is not known.

    ``heat_kd_j_m2`` heat per area and degree-day, J/(m² K d): two winters beside each other; ``cost_yuan_gj``
    and ``cost_yuan_m2`` money for heat at the sources and for electricity, per heat taken and per area.

    Parameters
    ----------
    heat_j : (n_source,) heat of each source, NaN: not measured
    figures : ``heat_j_m2``, ``station_j``, ``power_j`` and ``hdd_k_d`` of the report
    hours : (H,) ends of its hours, s since 1970 UTC: what electricity costs is their mean
    """
    area = sum(s.area_m2 for s in county.network.substations)
    days, taken, power = figures["hdd_k_d"], figures["station_j"], figures["power_j"]
    bill = [
        x / J_PER_MWH * price
        for x, price in zip(heat_j, heat_yuan_mwh(tariff, county.network.sources, "money"), strict=True)
        if math.isfinite(x)
    ]
    cost = math.nan
    if bill and math.isfinite(power) and hours.size:
        each = electricity_yuan_mwh(tariff, hours - 1800.0, county.meta.timezone, "money")
        cost = float(sum(bill) + power / J_PER_MWH * each.mean())
    return {
        "heat_kd_j_m2": figures["heat_j_m2"] / days if days > 0.0 else math.nan,
        "cost_yuan_gj": 1e9 * cost / taken if taken > 0.0 else math.nan,
        "cost_yuan_m2": cost / area if area > 0.0 else math.nan,
    }
