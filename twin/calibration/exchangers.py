"""Conductance of every station's exchanger: what it makes of the four temperatures and two flows measured.

All stations are fitted at once, each with parameters of its own: the factor on its design conductance, and
errors of the four thermometers and two flow meters, which are believed to be small. Without them a meter that
reads 0.2 K wrong would pass for fouling, and the factor for surer than it is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.calibration.fit import Readings, fit_groups
from twin.calibration.records import Records
from twin.compare import PointBook
from twin.heat import estimate_ua_w_k, solve_exchanger
from twin.heat.water import density_kg_m3
from twin.model.network import Substation

Floats = NDArray[np.float64]

UA_SIGMA = 0.25
THERMOMETER_K, FLOW_SHARE = 0.2, 0.02
NOISE_K = 0.6
"""A momentary value beside the steady law of the exchanger: noise, resolution, and what is on its way."""
MEMORY_S = 3600.0
LAW_SHARE = 0.04
"""How sure a factor can be at best: the law of the films at other flows than design."""
LEAST_FLOW = 0.1
METERS = ("p1_ts", "s2_tr", "p1_flow", "s2_flow")


def read_exchangers(book: PointBook, records: Records) -> dict[str, Floats]:
    """Measured columns (n, n_station) by key."""
    keys = (*METERS, "p1_tr", "s2_ts")
    return {k: np.stack([records.column(int(no)) for no in book.station[k]], axis=1) for k in keys}


def simulate_exchangers(
    stations: Sequence[Substation], v: dict[str, Floats], factor: Floats, errors: Floats | None = None
) -> tuple[Floats, Floats]:
    """Primary return and secondary supply temperatures (n, n_station) for the measured inlets.

    Parameters
    ----------
    factor : (n_station,) on the design conductance
    errors : (n_station, 4) what the ``METERS`` read too much, K or share
    """
    e = dict(zip(METERS, np.zeros((4, factor.size)) if errors is None else errors.T, strict=True))
    t_hot, t_cold = v["p1_ts"] - e["p1_ts"], v["s2_tr"] - e["s2_tr"]
    hot = v["p1_flow"] * density_kg_m3(v["p1_tr"]) * (1.0 - e["p1_flow"])
    cold = v["s2_flow"] * density_kg_m3(t_cold) * (1.0 - e["s2_flow"])
    design_1 = np.array([s.design_flow_kg_s for s in stations])
    design_2 = np.array([s.secondary_flow_kg_s for s in stations])
    ua = estimate_ua_w_k(factor * np.array([s.hx_ua_w_k for s in stations]), hot, cold, design_1, design_2)
    out, warm, _ = solve_exchanger(t_hot, hot, t_cold, cold, ua)
    running = (hot > LEAST_FLOW * design_1) & (cold > LEAST_FLOW * design_2)
    return np.where(running, out, np.nan), np.where(running, warm, np.nan)


def fit_exchangers(
    stations: Sequence[Substation], v: dict[str, Floats], step_s: float
) -> tuple[Floats, Floats]:
    """Logarithm of each station's factor and its standard deviation (n_station,)."""
    n = len(stations)
    prior = np.array([UA_SIGMA, THERMOMETER_K, THERMOMETER_K, FLOW_SHARE, FLOW_SHARE])

    def simulate(x: Floats) -> Floats:
        return np.concatenate(simulate_exchangers(stations, v, np.exp(x[:, 0]), x[:, 1:]), axis=1)

    readings = Readings(
        np.concatenate([v["p1_tr"], v["s2_ts"]], axis=1),
        np.full(2 * n, NOISE_K), np.full(2 * n, THERMOMETER_K), max(MEMORY_S / step_s, 1.0),
    )  # fmt: skip
    fit = fit_groups(simulate, readings, np.tile(np.arange(n), 2), prior, 0.1 * prior)
    return fit.x[:, 0], np.hypot(fit.sigma[:, 0], LAW_SHARE)
