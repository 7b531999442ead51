"""What the plant's controllers were told: set-points that hold until something else is said."""

from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from twin.model.errors import InputError

Floats = NDArray[np.float64]

NOMINAL_HZ = 42.0
"""At which a circulation pump moves the design flow."""


@dataclass
class Orders:
    """(n_station,) ``valve`` opening by hand, NaN: automatic; ``shift_k`` of the compensation curve;
    ``pump_hz``. (n_source,) ``source_c`` fixed supply temperature, ``source_dp_pa`` fixed head of
    the source that holds the pressure, ``source_m3_s`` fixed flow of another; NaN: by the weather.
    (n_heated_building,) ``inlet``: what the balancing valve of a building lets through beside how it was
    surveyed; set by hand, by people who go there."""

    valve: Floats
    shift_k: Floats
    pump_hz: Floats
    source_c: Floats
    source_dp_pa: Floats
    source_m3_s: Floats
    inlet: Floats

    def by_hand(self) -> NDArray[np.bool_]:
        """(n_source,) true where anything is fixed."""
        told = np.stack([self.source_c, self.source_dp_pa, self.source_m3_s])
        fixed: NDArray[np.bool_] = np.any(np.isfinite(told), axis=0)
        return fixed

    def save(self) -> dict[str, Floats]:
        """As named arrays."""
        return {f"order_{k}": v for k, v in asdict(self).items()}

    def restore(self, saved: dict[str, Floats]) -> None:
        """Take what was saved and fits; a state of an earlier version has none."""
        for f in fields(self):
            kept = saved.get(f"order_{f.name}")
            if kept is not None and kept.shape == getattr(self, f.name).shape:
                setattr(self, f.name, kept)


def no_orders(n_station: int, n_source: int, n_building: int) -> Orders:
    """Everything automatic."""
    n, s = n_station, n_source
    temperature, head, flow = (np.full(s, np.nan) for _ in range(3))
    hz = np.full(n, NOMINAL_HZ)
    return Orders(np.full(n, np.nan), np.zeros(n), hz, temperature, head, flow, np.ones(n_building))


def obey(orders: Orders, key: str, row: int, value: float, shown: Floats) -> None:
    """Do what a set-point of a station or source says (SI).

    A valve opening puts the station to hand, a secondary temperature shifts its curve and puts it back to
    automatic, a source's temperature, head or flow fixes it; ``mode`` and ``src_auto`` go back or hold
    what is.
    ``shown``: what the point ``key`` (of all places) and, for the switches, valve or temperature show now.

    Raises
    ------
    InputError : the controller has no such set-point
    """
    if key == "cv_sp":
        orders.valve[row] = value
    elif key == "mode":
        orders.valve[row] = np.nan if value else shown[row]
    elif key == "s2_ts_sp":
        orders.shift_k[row] += value - shown[row]
        orders.valve[row] = np.nan
    elif key == "cp1_hz_sp":
        orders.pump_hz[row] = value
    elif key == "src_ts_sp":
        orders.source_c[row] = value
    elif key == "src_dp_sp":
        orders.source_dp_pa[row] = value
    elif key == "src_flow_sp":
        orders.source_m3_s[row] = value
    elif key == "src_auto":
        orders.source_c[row] = np.nan if value else shown[row]
        if value:
            orders.source_dp_pa[row] = orders.source_m3_s[row] = np.nan
    else:
        raise InputError(f"{key} is not a set-point of this controller")
