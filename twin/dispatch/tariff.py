"""What heat, electricity and comfort cost, in money or in carbon; engineering defaults, set by the county.

Defaults: heat from the power plant 30 yuan/GJ, from the gas boiler 85 yuan/GJ, electricity by three
periods of the day as provinces set them; carbon of heat from a coal-fired plant by the energy method, of
natural gas by
its carbon content, of electricity by the national grid factor. None of them is a fact of a particular county.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twin.model.errors import InputError
from twin.model.network import Source

Floats = NDArray[np.float64]
Objective = Literal["money", "carbon"]
OBJECTIVES: tuple[Objective, ...] = ("money", "carbon")
GJ_PER_MWH = 3.6
CARBON_YUAN_T = 1000.0
"""So much weighs a tonne of carbon dioxide when carbon is what counts: far above money, so that comfort keeps
its place in the same unit."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices. ``*_yuan_gj`` heat at the outlet of a source by its kind; ``el_*`` electricity, yuan/kWh, the
    hours of the day of the peak and valley periods; ``*_kg_*`` carbon dioxide; ``cold_yuan_k_h``,
    ``hot_yuan_k_h``: per home, kelvin and hour below ``room_low_c`` or above ``room_high_c``. ``objective``:
    what is to be least, money or carbon dioxide."""

    chp_yuan_gj: float = 30.0
    boiler_yuan_gj: float = 85.0
    el_peak_yuan_kwh: float = 0.85
    el_flat_yuan_kwh: float = 0.58
    el_valley_yuan_kwh: float = 0.31
    el_peak_hours: tuple[int, ...] = (8, 9, 10, 17, 18, 19, 20, 21)
    el_valley_hours: tuple[int, ...] = (23, 0, 1, 2, 3, 4, 5, 6)
    chp_kg_gj: float = 65.0
    boiler_kg_gj: float = 61.0
    el_kg_kwh: float = 0.56
    cold_yuan_k_h: float = 0.75
    hot_yuan_k_h: float = 0.02
    room_low_c: float = 18.0
    room_high_c: float = 22.0
    lowest_hz: float = 30.0
    highest_supply_c: float = 75.0
    objective: Objective = "money"

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == "objective":
                if value not in OBJECTIVES:
                    raise InputError(f"tariff objective: one of {', '.join(OBJECTIVES)}, not {value!r}")
            elif f.name.endswith("_hours"):
                if not all(isinstance(h, int) and 0 <= h <= 23 for h in value):
                    raise InputError(f"tariff {f.name}: give whole hours from 0 to 23, not {value!r}")
            elif not (isinstance(value, int | float) and np.isfinite(value) and value >= 0.0):
                raise InputError(f"tariff {f.name}: give a number of at least 0, not {value!r}")
        if not self.room_low_c < self.room_high_c:
            raise InputError("tariff room_low_c must be below room_high_c")
        if not 20.0 <= self.lowest_hz <= 50.0:
            raise InputError("tariff lowest_hz: give 20 to 50 Hz")


def heat_yuan_mwh(tariff: Tariff, sources: tuple[Source, ...], objective: Objective) -> Floats:
    """What a MWh of heat costs per source (n_source,), in yuan (or the yuan of its carbon)."""
    money = {"chp": tariff.chp_yuan_gj}
    carbon = {"chp": tariff.chp_kg_gj}
    if objective == "carbon":
        per = [carbon.get(s.kind, tariff.boiler_kg_gj) / 1000.0 * CARBON_YUAN_T for s in sources]
    else:
        per = [money.get(s.kind, tariff.boiler_yuan_gj) for s in sources]
    return GJ_PER_MWH * np.array(per)


def electricity_yuan_mwh(tariff: Tariff, t: Floats, timezone: str, objective: Objective) -> Floats:
    """What a MWh of electricity costs at the times ``t`` (s since 1970 UTC), same shape."""
    if objective == "carbon":
        return np.full(len(t), tariff.el_kg_kwh * CARBON_YUAN_T)
    zone = ZoneInfo(timezone)
    hour = [datetime.fromtimestamp(x, zone).hour for x in t.tolist()]
    price = [
        tariff.el_peak_yuan_kwh if h in tariff.el_peak_hours
        else tariff.el_valley_yuan_kwh if h in tariff.el_valley_hours
        else tariff.el_flat_yuan_kwh
        for h in hour
    ]  # fmt: skip
    return 1000.0 * np.array(price)
