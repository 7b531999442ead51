"""Signs: relations between measured values, and between measured and simulated ones.

Each is zero, or a habit of its own, while everything is whole; a fault moves some of them. ``station``
relations are pure functions of the values, so that moving one value shows what an error of its meter would
do (``patterns``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.compare import Comparison, doubt_water, spread_near
from twin.diagnosis.book import DiagnosisBook
from twin.heat import estimate_ua_w_k
from twin.heat.water import density_kg_m3, heat_capacity_j_kg_k

Floats = NDArray[np.float64]

STATION_SIGNS: dict[str, float] = {
    "supply": 0.20,  # measured minus simulated primary supply temperature, K
    "p_supply": 150.0,  # the same of the primary supply pressure, Pa
    "p_return": 150.0,  # and of the return pressure, Pa
    "heat_meter": 0.006,  # ln of metered over computed heat
    "balance": 0.008,  # ln of primary over secondary heat
    "conductance": 0.015,  # ln of the exchanger's conductance over what its survey value gives
    "curve": 0.30,  # secondary supply over its set-point, or over the compensation curve without one, K
    "valve": 0.015,  # ln of primary flow over what valve and pressures would pass
    "flow_2": 0.01,  # ln of secondary flow over design, at the pump's nominal speed
    "head_2": 4000.0,  # secondary pressure difference at nominal speed, Pa
    "hold_2": 4000.0,  # secondary return pressure, Pa
    "warm": 0.20,  # buildings' supply temperatures minus the station's, K
    "cold": 0.25,  # buildings' return temperatures minus the station's, K
    "make_up_2": 0.08,  # ln of secondary make-up over the secondary flow
    "power": 0.03,  # ln of electric power at nominal speed
    "pump": 0.05,  # running (1) or not (0)
}
"""Sign and the least standard deviation its mean over a few minutes is given."""
SOURCE_SIGNS: dict[str, float] = {
    "heat_meter": 0.006,  # ln of metered over computed heat
    "back": 0.25,  # measured minus simulated return temperature, K
    "outlet": 1.2,  # supply temperature, K
    "head": 8000.0,  # pressure difference, Pa; over the simulated one where no pressure is held
}
NETWORK_SIGNS: dict[str, float] = {
    "make_up": 0.0008,  # make-up as a share of the circulation
    "flow_gap": 0.0012,  # sources' less stations' flow as a share of the circulation
    "common_supply": 0.30,  # mean of all stations' ``supply``, K
    "common_p_supply": 250.0,  # mean of ``p_supply``, Pa
    "common_p_return": 250.0,  # mean of ``p_return``, Pa
}
COMMON = {"supply": "common_supply", "p_supply": "common_p_supply", "p_return": "common_p_return"}
"""Station signs that are told as differences from their mean, and where the mean goes."""
ALIKE, ENOUGH_ALIKE = "conductance", 6
"""A sign that is told as a difference from its median among at least so many stations: no law of exchangers
holds at every load, and not all of them foul in one afternoon."""

NOMINAL_HZ, SLOWEST_HZ = 42.0, 5.0
"""Speed of a circulation pump to which flow, head and power are related; below the other it stands."""
AT_LEAST = 0.06
"""A source below this share of the circulation is coming or going: its meters settle."""
LOST_SHARE, NEAR_SHARE = 0.15, 0.3
"""Doubt of a supply temperature per K lost on the way, and per K of difference nearby."""
FRONT_K = 2.5
"""Nodes around a station that differ by more have different waters."""
PLATE_DP_PA = 5e4
"""Pressure lost over exchanger and strainer at design flow; an engineering default."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where signs stand in one vector: station signs kind by kind, then source signs, then the network's."""

    n_station: int
    n_source: int

    @property
    def size(self) -> int:
        """Number of signs."""
        return len(STATION_SIGNS) * self.n_station + len(SOURCE_SIGNS) * self.n_source + len(NETWORK_SIGNS)

    def station(self, key: str) -> slice:
        """Rows of a station sign, one per station."""
        i = list(STATION_SIGNS).index(key) * self.n_station
        return slice(i, i + self.n_station)

    def source(self, key: str) -> slice:
        """Rows of a source sign."""
        i = len(STATION_SIGNS) * self.n_station + list(SOURCE_SIGNS).index(key) * self.n_source
        return slice(i, i + self.n_source)

    def network(self, key: str) -> int:
        """Row of a network sign."""
        return self.size - len(NETWORK_SIGNS) + list(NETWORK_SIGNS).index(key)

    def pressures(self) -> NDArray[np.bool_]:
        """Signs (size,) that are pressures of the network."""
        out = np.zeros(self.size, bool)
        for key in ("p_supply", "p_return"):
            out[self.station(key)] = out[self.network(COMMON[key])] = True
        return out

    def floors(self) -> Floats:
        """Least standard deviation of each sign, (size,)."""
        return np.concatenate(
            [
                np.repeat(list(STATION_SIGNS.values()), self.n_station),
                np.repeat(list(SOURCE_SIGNS.values()), self.n_source),
                list(NETWORK_SIGNS.values()),
            ]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """What the network should read: (n_station,) and (n_source,); NaN where it has no answer. ``head_pa``
    is 0 for a source that holds the pressure: its own is what the simulation starts from."""

    t_supply_c: Floats
    p_supply_pa: Floats
    p_return_pa: Floats
    t_back_c: Floats
    head_pa: Floats


def read_simulated(book: DiagnosisBook, c: Comparison, station_node: NDArray[np.int64],
                   source_node: NDArray[np.int64], holds: NDArray[np.bool_]) -> Simulated:  # fmt: skip
    """Take the comparison's answers at the stations and sources."""
    s = c.state
    t_supply = np.where(c.boundary.flow_kg_s > 0.05, s.t_supply_c[station_node], np.nan)
    # where two waters meet a small error of flow decides which one arrives: no temperature is simulated there
    t_supply[spread_near(s.t_supply_c, book.near) > FRONT_K] = np.nan
    head = np.where(holds, 0.0, s.p_supply_pa[source_node] - s.p_return_pa[source_node])
    return Simulated(
        t_supply, s.p_supply_pa[station_node], s.p_return_pa[station_node], s.t_return_c[source_node], head
    )


def doubt_signs(layout: Layout, book: DiagnosisBook, c: Comparison) -> Floats:
    """What the simulation itself is unsure of now, (size,): a station's supply temperature by a share of what
    the water lost on its way (flows and insulation are never quite known), of what flows nearby, and while
    its water is still what it began with, of that guess.
    """
    out = np.zeros(layout.size)
    t = c.state.t_supply_c
    lost = np.nanmax(c.boundary.t_source_c) - t[book.node]
    spread = spread_near(t, book.near)
    guess = doubt_water(None if c.memory is None else c.memory.young, c.t, 2 * t.size)[book.node]
    own = np.nan_to_num(LOST_SHARE * np.maximum(lost, 0.0) + NEAR_SHARE * spread)
    out[layout.station("supply")] = np.hypot(own, guess)
    return out


def relate_station(book: DiagnosisBook, v: dict[str, Floats], sim: Simulated, t_out_c: float) -> Floats:
    """Station signs that need no other station: (n_kind, n_station), NaN where a value is missing.

    Parameters
    ----------
    v : key -> (n_station,) measured values, SI; ``b_ts``, ``b_tr`` means of the buildings' meters
    """
    m1 = v["p1_flow"] * density_kg_m3(v["p1_tr"])
    m2 = v["s2_flow"] * density_kg_m3(v["s2_tr"])
    # a pump that was told another speed is not a fault; one that stands is
    speed = np.where(v["cp1_hz"] > SLOWEST_HZ, v["cp1_hz"] / NOMINAL_HZ, 1.0)
    cp1 = heat_capacity_j_kg_k((v["p1_ts"] + v["p1_tr"]) / 2)
    cp2 = heat_capacity_j_kg_k((v["s2_ts"] + v["s2_tr"]) / 2)
    heat_1 = m1 * cp1 * (v["p1_ts"] - v["p1_tr"])
    heat_2 = m2 * cp2 * (v["s2_ts"] - v["s2_tr"])
    hot, cold = v["p1_ts"] - v["s2_ts"], v["p1_tr"] - v["s2_tr"]
    with np.errstate(all="ignore"):
        mean_dt = np.where(np.abs(hot - cold) < 1e-3, hot, (hot - cold) / np.log(hot / cold))
        ua = np.sqrt(np.maximum(heat_1, 0) * np.maximum(heat_2, 0)) / mean_dt
        expected = estimate_ua_w_k(book.ua_w_k, m1, m2, book.flow_1_kg_s, book.flow_2_kg_s)
        over = (v["p1_ps"] - v["p1_pr"]) - PLATE_DP_PA * (m1 / book.flow_1_kg_s) ** 2
        passed = v["cv_pos"] * book.kv_m3_h * np.sqrt(np.maximum(over, 1e3) / 1e5)
        curve = np.array([np.interp(t_out_c, c[:, 0], c[:, 1]) if len(c) else np.nan for c in book.curves])
        told = v.get("s2_ts_sp", curve)
        curve = np.where(np.isfinite(told), told, curve)
        out = {
            "supply": v["p1_ts"] - sim.t_supply_c,
            "p_supply": v["p1_ps"] - sim.p_supply_pa,
            "p_return": v["p1_pr"] - sim.p_return_pa,
            "heat_meter": np.log(v["p1_heat"] / heat_1),
            "balance": np.log(heat_1 / heat_2),
            "conductance": np.log(ua / expected),
            "curve": v["s2_ts"] - curve,
            "valve": np.log(v["p1_flow"] * 3600.0 / passed),
            "flow_2": np.log(np.maximum(m2 / book.flow_2_kg_s / speed, 0.02)),
            "head_2": (v["s2_ps"] - v["s2_pr"]) / speed**2,
            "hold_2": v["s2_pr"],
            "warm": v["b_ts"] - v["s2_ts"],
            "cold": v["b_tr"] - v["s2_tr"],
            "make_up_2": np.log(np.maximum(v["mk_flow"], 1e-7) / np.maximum(v["s2_flow"], 1e-6)),
            "power": np.log(np.maximum(v["p_kw"], 1.0) / speed**3),
            "pump": v["cp1_run"],
        }
    table = np.stack([out[k] for k in STATION_SIGNS])
    return np.where(np.isfinite(table), table, np.nan)


def relate_source(v: dict[str, Floats], sim: Simulated) -> Floats:
    """Source signs (n_kind, n_source); NaN where a source stands or a value is missing."""
    m = v["src_flow"] * density_kg_m3(v["src_tr"])
    heat = m * heat_capacity_j_kg_k((v["src_ts"] + v["src_tr"]) / 2) * (v["src_ts"] - v["src_tr"])
    running = m > AT_LEAST * np.nansum(m)
    with np.errstate(all="ignore"):
        out = {
            "heat_meter": np.log(v["src_heat"] / heat),
            "back": v["src_tr"] - sim.t_back_c,
            "outlet": v["src_ts"],
            "head": v["src_ps"] - v["src_pr"] - sim.head_pa,
        }
    table = np.stack([np.where(running, out[k], np.nan) for k in SOURCE_SIGNS])
    return np.where(np.isfinite(table), table, np.nan)


def relate_network(stations: dict[str, Floats], sources: dict[str, Floats]) -> tuple[float, float, float]:
    """Make-up and flow gap as shares of the circulation, and the circulation (kg/s)."""
    out = np.nansum(sources["src_flow"] * density_kg_m3(sources["src_tr"]))
    taken = stations["p1_flow"] * density_kg_m3(stations["p1_tr"])
    gap = float(out - taken.sum()) if np.isfinite(taken).all() else float("nan")
    make_up = sources["src_mk"]
    known = np.isfinite(make_up)
    lost = float(990.0 * make_up[known].sum()) if known.any() else float("nan")
    if not out > 1.0:
        return float("nan"), float("nan"), 0.0
    return lost / float(out), gap / float(out), float(out)


def compose(layout: Layout, raw: Floats) -> Floats:
    """Tell pressures and supply temperatures as their mean and the differences from it.

    Parameters
    ----------
    raw : (size, ...) signs; the rows of the means hold what is added to all stations alike

    Returns
    -------
    the same shape, linear in ``raw``; NaN rows stay NaN and are left out of the means
    """
    out = raw.copy()
    together = raw[layout.station(ALIKE)]
    if together.ndim == 1 and np.isfinite(together).sum() >= ENOUGH_ALIKE:
        out[layout.station(ALIKE)] = together - np.nanmedian(together)
    for key, common in COMMON.items():
        rows, row = layout.station(key), layout.network(common)
        known = np.isfinite(raw[rows])
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, raw[rows], 0.0).sum(axis=0) / count
        out[rows] = raw[rows] - mean
        out[row] = np.where(known.any(axis=0), mean, np.nan)
    return out


def mean_of_buildings(value: Floats, meters: tuple[NDArray[np.int64], NDArray[np.int64]], n: int) -> Floats:
    """Mean of the buildings' meters per station (n,), NaN without one."""
    no, row = meters
    x = value[no]
    known = np.isfinite(x)
    count = np.bincount(row[known], minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = np.bincount(row[known], x[known], n) / count
    return mean
