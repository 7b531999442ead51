"""From a snapshot to what drives the simulation, with every stand-in named.

Flow meters sit in the return pipe (heat-meter custom): mass flow = volume flow x density at the return
temperature.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.compare.book import PointBook, pick
from twin.compare.crossed import SOURCE_PAIRS, STATION_PAIRS, find_crossed, put_right
from twin.compare.snapshot import Snapshot
from twin.compare.virtual import estimate_source_temperature
from twin.heat.water import density_kg_m3
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

T_GROUND_C = 6.0
"""Soil at pipe depth in a heating season of northern China; an engineering default."""
SECONDARY_SHARE = 1.0
"""Share of design secondary flow assumed when its meter is silent."""


@dataclass(frozen=True, slots=True)
class MeasuredBoundary:
    """What drives one comparison.

    Per source (n_source,): ``t_source_c``, ``p_supply_pa``, ``p_return_pa`` (gauge),
    ``flow_source_kg_s`` (NaN for the source that holds the pressure: its flow is an answer).
    Per substation (n_substation,): ``flow_kg_s`` primary, ``t_return_c`` first guess of the primary return,
    ``t_cold_c`` and ``flow_cold_kg_s`` of the secondary return. ``t_outdoor_c`` may be NaN.
    ``assumed``: ids of the points that were stood in for.
    """

    t_source_c: Floats
    p_supply_pa: Floats
    p_return_pa: Floats
    flow_source_kg_s: Floats
    flow_kg_s: Floats
    t_return_c: Floats
    t_cold_c: Floats
    flow_cold_kg_s: Floats
    t_outdoor_c: float
    t_ground_c: float
    assumed: tuple[str, ...]


class _StandIns:
    """Fills gaps and keeps the list of what was filled."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def fill(self, ids: tuple[str, ...], key: str, value: Floats, fallback: Floats) -> Floats:
        missing = ~np.isfinite(value)
        self.ids.extend(f"{ids[i]}/{key}" for i in np.flatnonzero(missing))
        return np.where(missing, fallback, value)


def _estimate_flow_kg_s(book: PointBook, snapshot: Snapshot, network: HeatNetwork) -> Floats:
    """Primary flow of stations whose meter is silent: design share of what the others draw."""
    design = np.array([s.design_flow_kg_s for s in network.substations])
    measured = book.read_station(snapshot.value, "p1_flow") * 985.0
    known = np.isfinite(measured)
    load = (
        float(measured[known].sum() / design[known].sum()) if known.any() and design[known].sum() > 0 else 0.6
    )
    return design * min(max(load, 0.0), 1.5)


def uncross(book: PointBook, value: Floats) -> Floats:
    """The values with crossed pairs of meters put right."""
    out = value.copy()
    for numbers, pairs, flows in (
        (book.source, SOURCE_PAIRS, {"sr": "src_flow"}),
        (book.station, STATION_PAIRS, {"p1": "p1_flow", "s2": "s2_flow"}),
    ):
        v = {k: pick(value, no) for k, no in numbers.items()}
        crossed = find_crossed(v, pairs, {k: v[f] for k, f in flows.items()})
        right = put_right(v, crossed, pairs)
        for supply, back in pairs:
            if supply in crossed:
                for key in (supply, back):
                    wrong = crossed[supply]
                    out[numbers[key][wrong]] = right[key][wrong]
    return out


class _Known:
    """Measured values, what stands in for them before any rule of thumb, and the list of what was filled."""

    def __init__(self, book: PointBook, value: Floats, virtual: Floats | None) -> None:
        self.book, self.value, self.gaps = book, value, _StandIns()
        self.virtual = np.full(value.size, np.nan) if virtual is None else virtual

    def source(self, key: str, otherwise: Floats) -> Floats:
        """Values of every source."""
        x = self.book.read_source(self.value, key)
        return self.gaps.fill(self.book.source_ids, key, x, self.said(self.book.source[key], otherwise))

    def said(self, numbers: Ints, otherwise: Floats) -> Floats:
        """What the network says of points, else a rule of thumb."""
        known = pick(self.virtual, numbers)
        return np.where(np.isfinite(known), known, otherwise)


def assemble_boundary(
    book: PointBook, snapshot: Snapshot, network: HeatNetwork, virtual: Floats | None = None
) -> MeasuredBoundary:
    """Take the boundary from the snapshot; stand in for what is missing and say so.

    Parameters
    ----------
    virtual : (n_point,) what the rest of the network said a moment ago that each point should read, SI, NaN
        where nothing; it stands in before any rule of thumb does
    """
    v = uncross(book, snapshot.value)
    known = _Known(book, v, virtual)
    t_source, p_supply, p_return, flow_source = _assemble_sources(known, network)
    flow, t_return, t_cold, flow_cold = _assemble_stations(known, Snapshot(snapshot.t, v), network)
    outdoor = v[book.outdoor]
    outdoor = outdoor[np.isfinite(outdoor)]
    answers = {f"{s.id}/src_flow" for s in network.sources if s.holds_pressure}
    return MeasuredBoundary(
        t_source_c=t_source,
        p_supply_pa=p_supply,
        p_return_pa=p_return,
        flow_source_kg_s=flow_source,
        flow_kg_s=np.maximum(flow, 0.0),
        t_return_c=t_return,
        t_cold_c=t_cold,
        flow_cold_kg_s=np.maximum(flow_cold, 0.0),
        t_outdoor_c=float(np.median(outdoor)) if outdoor.size else float("nan"),
        t_ground_c=T_GROUND_C,
        assumed=tuple(i for i in known.gaps.ids if i not in answers),
    )


def _assemble_sources(known: _Known, network: HeatNetwork) -> tuple[Floats, Floats, Floats, Floats]:
    """Supply temperatures, both pressures, and flows (NaN where the source holds the pressure)."""
    book, v, sources = known.book, known.value, network.sources
    t_design = np.array([s.t_supply_design_c for s in sources])
    # the network's own answer comes hours late here, and would swing: stations beside the design do not
    seen = estimate_source_temperature(
        t_design, np.full(len(book.station_ids), t_design.max()), book.read_station(v, "p1_ts"), T_GROUND_C
    )
    ids, t_source = book.source_ids, book.read_source(v, "src_ts")
    t_source = known.gaps.fill(ids, "src_ts", t_source, np.where(np.isfinite(seen), seen, t_design))
    p_supply = known.source("src_ps", np.array([s.p_supply_pa for s in sources]))
    p_return = known.source("src_pr", np.array([s.p_return_pa for s in sources]))
    t_back = np.nan_to_num(book.read_source(v, "src_tr"), nan=_coldest_return(network))
    flow = book.read_source(v, "src_flow") * density_kg_m3(t_back)
    holds = np.array([s.holds_pressure for s in sources])
    flow = np.where(holds, np.nan, known.gaps.fill(ids, "src_flow", flow, np.where(holds, np.nan, 0.0)))
    return t_source, p_supply, p_return, flow


def _assemble_stations(
    known: _Known, snapshot: Snapshot, network: HeatNetwork
) -> tuple[Floats, Floats, Floats, Floats]:
    """Primary flows and return temperatures, secondary return temperatures and flows."""
    book, v, stations, gaps = known.book, known.value, network.substations, known.gaps
    ids, n = book.station_ids, len(network.substations)
    t_return = book.read_station(v, "p1_tr")
    otherwise = known.said(book.station["p1_tr"], np.full(n, _coldest_return(network)))
    t_return = np.where(np.isfinite(t_return), t_return, otherwise)
    usual = _estimate_flow_kg_s(book, snapshot, network)
    usual = known.said(book.station["p1_flow"], usual / 985.0) * 985.0
    flow = gaps.fill(ids, "p1_flow", book.read_station(v, "p1_flow") * density_kg_m3(t_return), usual)
    t_cold = gaps.fill(
        ids, "s2_tr", book.read_station(v, "s2_tr"), np.array([s.t_secondary_return_c for s in stations])
    )
    cold = book.read_station(v, "s2_flow") * density_kg_m3(t_cold)
    share = SECONDARY_SHARE * np.array([s.secondary_flow_kg_s for s in stations])
    return flow, t_return, t_cold, gaps.fill(ids, "s2_flow", cold, share)


def _coldest_return(network: HeatNetwork) -> float:
    return float(min(s.t_return_design_c for s in network.sources))
