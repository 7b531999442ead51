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


def _uncross(book: PointBook, value: Floats) -> Floats:
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


def assemble_boundary(book: PointBook, snapshot: Snapshot, network: HeatNetwork) -> MeasuredBoundary:
    """Take the boundary from the snapshot; stand in for what is missing and say so."""
    v, gaps = _uncross(book, snapshot.value), _StandIns()
    snapshot = Snapshot(snapshot.t, v)
    sources, stations = network.sources, network.substations
    src, sub = book.source_ids, book.station_ids

    t_return_design = np.array([s.t_return_design_c for s in sources])
    t_supply_design = np.array([s.t_supply_design_c for s in sources])
    seen = estimate_source_temperature(
        t_supply_design, np.full(len(sub), t_supply_design.max()), book.read_station(v, "p1_ts"), T_GROUND_C
    )
    t_source = gaps.fill(
        src, "src_ts", book.read_source(v, "src_ts"), np.where(np.isfinite(seen), seen, t_supply_design)
    )
    t_source_return = np.nan_to_num(book.read_source(v, "src_tr"), nan=float(t_return_design.min()))
    p_supply = gaps.fill(
        src, "src_ps", book.read_source(v, "src_ps"), np.array([s.p_supply_pa for s in sources])
    )
    p_return = gaps.fill(
        src, "src_pr", book.read_source(v, "src_pr"), np.array([s.p_return_pa for s in sources])
    )
    holds = np.array([s.holds_pressure for s in sources])
    flow_source = book.read_source(v, "src_flow") * density_kg_m3(t_source_return)
    flow_source = np.where(
        holds, np.nan, gaps.fill(src, "src_flow", flow_source, np.where(holds, np.nan, 0.0))
    )

    t_return = np.where(
        np.isfinite(book.read_station(v, "p1_tr")),
        book.read_station(v, "p1_tr"),
        float(t_return_design.min()),
    )
    flow_fallback = _estimate_flow_kg_s(book, snapshot, network)
    flow = gaps.fill(sub, "p1_flow", book.read_station(v, "p1_flow") * density_kg_m3(t_return), flow_fallback)
    t_cold = gaps.fill(
        sub, "s2_tr", book.read_station(v, "s2_tr"), np.array([s.t_secondary_return_c for s in stations])
    )
    flow_cold = gaps.fill(
        sub,
        "s2_flow",
        book.read_station(v, "s2_flow") * density_kg_m3(t_cold),
        SECONDARY_SHARE * np.array([s.secondary_flow_kg_s for s in stations]),
    )
    outdoor = v[book.outdoor]
    outdoor = outdoor[np.isfinite(outdoor)]
    held = tuple(i for i in gaps.ids if not (i.endswith("/src_flow") and holds[src.index(i.split("/")[0])]))
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
        assumed=held,
    )
