"""Virtual meters: what the rest of the network says a boundary value should be.

A boundary value drives the simulation, so comparing it with itself would always agree. These estimates use
only other meters, which is what makes a wrong boundary meter visible.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _median(x: Floats) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(np.nanmedian(x)) if x.size else float("nan")


def estimate_source_temperature(
    t_used_c: Floats, t_station_simulated_c: Floats, t_station_measured_c: Floats, t_ground_c: float
) -> Floats:
    """Supply temperature of the sources as the stations see it.

    In steady state the excess over ground temperature at a station is proportional to that at the source,
    so the median ratio measured / simulated over the stations scales the sources' excess.

    Parameters
    ----------
    t_used_c : (n_source,) temperature the simulation was driven with
    t_station_simulated_c, t_station_measured_c : (n_substation,) primary supply temperatures

    Returns
    -------
    (n_source,) °C; NaN when no station can tell
    """
    excess = t_station_simulated_c - t_ground_c
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(excess > 1.0, (t_station_measured_c - t_ground_c) / excess, np.nan)
    return t_ground_c + _median(ratio) * (t_used_c - t_ground_c)


def estimate_source_pressure(p_used_pa: Floats, p_simulated_pa: Floats, p_measured_pa: Floats) -> Floats:
    """Pressure of the sources as the stations see it: the median offset measured - simulated, added.

    Returns
    -------
    (n_source,) Pa gauge; NaN when no station can tell
    """
    return p_used_pa + _median(p_measured_pa - p_simulated_pa)


def estimate_primary_flow(
    heat_secondary_w: Floats, t_supply_c: Floats, t_return_c: Floats, cp_j_kg_k: Floats
) -> Floats:
    """Primary mass flow that carries the heat metered on the secondary side.

    Parameters
    ----------
    heat_secondary_w : (n,) heat taken up by the secondary water, positive
    t_supply_c, t_return_c : (n,) primary temperatures; below 3 K of difference there is no answer

    Returns
    -------
    (n,) kg/s, NaN without an answer
    """
    dt = t_supply_c - t_return_c
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(dt > 3.0, heat_secondary_w / (cp_j_kg_k * dt), np.nan)
