"""One comparison: boundary, one step of the network, value and uncertainty of every simulated point."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.compare.book import PointBook, spread_near
from twin.compare.boundary import MeasuredBoundary, assemble_boundary, uncross
from twin.compare.correction import Correction, correct_boundary
from twin.compare.snapshot import Snapshot
from twin.compare.standin import StandIn, leave_out
from twin.compare.virtual import (
    estimate_primary_flow,
    estimate_source_pressure,
    estimate_source_temperature,
)
from twin.compare.young import Young, doubt_water, fill_by_meters
from twin.heat import (
    CompiledNetwork,
    SteadyBoundary,
    SteadyState,
    TransientState,
    begin_transient,
    estimate_ua_w_k,
    solve_exchanger,
    solve_steady,
    step_transient,
)
from twin.heat.water import density_kg_m3, heat_capacity_j_kg_k
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Begin = Callable[[MeasuredBoundary, TransientState, SteadyState], tuple[TransientState, Young]]

LONGEST_STEP_S = 900.0
"""After a longer pause the water in the pipes is forgotten and a steady state starts anew."""
FIRST_STEP_S = 1.0
"""A simulation that begins makes a step as short as this, so that all of its state belongs together."""
MIN_FLOW_KG_S = 0.05
"""Below this a pipe end stands still and its steady temperature says nothing."""

# Standard uncertainty (1 sigma) of simulated minus measured: (absolute SI, relative). Sensor and model
# together, for an engine with survey values; engineering defaults until calibration replaces them.
SIGMA: dict[str, tuple[float, float]] = {
    "p1_ts": (1.2, 0.0),
    "p1_tr": (2.0, 0.0),
    "p1_ps": (1.5e4, 0.0),
    "p1_pr": (1.5e4, 0.0),
    "p1_flow": (2e-4, 0.06),
    "p1_heat": (3e4, 0.06),
    "s2_ts": (1.5, 0.0),
    "src_ts": (1.0, 0.0),
    "src_tr": (1.5, 0.0),
    "src_ps": (1.5e4, 0.0),
    "src_pr": (1.5e4, 0.0),
    "src_flow": (1e-3, 0.04),
    "src_heat": (2e5, 0.05),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Result for one moment.

    ``point_no``, ``value``, ``sigma``, ``measured``: (n,) one row per simulated point that has an answer,
    SI, ``measured`` NaN where there is none. ``status``: "ok", "assumed:<ids>" or "failed:<why>".
    """

    t: float
    status: str
    point_no: Ints
    value: Floats
    sigma: Floats
    measured: Floats
    state: SteadyState
    boundary: MeasuredBoundary
    memory: "Memory | None"


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What goes from one comparison to the next: the water in the pipes, what the stations returned, and what
    was guessed of the water at the beginning."""

    transient: TransientState
    t_return_c: Floats
    t: float
    young: Young | None = None


def _advance(
    net: CompiledNetwork,
    network: HeatNetwork,
    b: MeasuredBoundary,
    memory: Memory | None,
    t: float,
    correction: Correction | None,
    begin: Begin,
) -> tuple[SteadyState, Memory | None, Floats, Floats]:
    """Bring the network to ``t``; without a memory (or after too long a pause) from a steady state, put right
    by the thermometers (``begin``).

    Returns the state, the memory for the next time, and per substation primary return and secondary supply
    temperatures (°C).
    """
    if memory is not None and 0.0 < t - memory.t <= LONGEST_STEP_S:
        boundary = as_steady(b, memory.t_return_c, correction)
        transient, state, _ = step_transient(net, boundary, memory.transient, t - memory.t)
        t_return, t_warm = exchange_heat(network, b, state.t_supply_c, correction)
        return state, _keep(transient, state, t_return, t, memory.young), t_return, t_warm
    t_return = b.t_return_c if memory is None else memory.t_return_c
    young: Young | None = None
    for last in (False, True):  # twice: the first supply temperatures give the return temperatures
        boundary = as_steady(b, t_return, correction)
        state = solve_steady(net, boundary)
        if not state.converged:
            return state, None, *exchange_heat(network, b, state.t_supply_c, correction)
        if last:
            begun, state = begin_transient(net, boundary)
            begun, young = begin(b, begun, state)
            transient, state, _ = step_transient(net, boundary, begun, FIRST_STEP_S)
        t_return, t_warm = exchange_heat(network, b, state.t_supply_c, correction)
    return state, _keep(transient, state, t_return, t, young), t_return, t_warm


def _keep(
    transient: TransientState, state: SteadyState, t_return: Floats, t: float, young: Young | None
) -> Memory | None:
    """The memory of a state that is one; a guess that has gone by is forgotten."""
    if not state.converged:
        return None
    gone = young is None or not doubt_water(young, t, young.age_s.size).any()
    return Memory(transient, t_return, t, None if gone else young)


def as_steady(
    b: MeasuredBoundary, t_return_c: Floats, correction: Correction | None = None
) -> SteadyBoundary:
    """What drives the engine, with primary return temperatures (n_station,) as given."""
    return SteadyBoundary(
        t_source_c=b.t_source_c,
        p_supply_pa=b.p_supply_pa,
        p_return_pa=b.p_return_pa,
        source_flow_kg_s=b.flow_source_kg_s,
        flow_kg_s=b.flow_kg_s,
        t_return_c=t_return_c,
        t_ground_c=b.t_ground_c,
        roughness_factor=None if correction is None else correction.roughness_factor,
        u_factor=None if correction is None else correction.u_factor,
        valve_opening=None if correction is None else correction.valve_opening,
    )


def exchange_heat(
    network: HeatNetwork,
    b: MeasuredBoundary,
    t_supply_c: Floats,
    correction: Correction | None = None,
    share: float = 1.0,
) -> tuple[Floats, Floats]:
    """Primary return and secondary supply temperatures of every substation.

    Parameters
    ----------
    t_supply_c : (n_node,) of the primary supply, NaN where nothing flows
    share : factor on all conductances
    """
    stations = network.substations
    at = np.array([network.node_index[s.node_id] for s in stations], dtype=np.int64)
    learnt = 1.0 if correction is None else correction.ua_factor
    ua = estimate_ua_w_k(
        share * learnt * np.array([s.hx_ua_w_k for s in stations]),
        b.flow_kg_s,
        b.flow_cold_kg_s,
        np.array([s.design_flow_kg_s for s in stations]),
        np.array([s.secondary_flow_kg_s for s in stations]),
    )
    t_hot = np.where(np.isfinite(t_supply_c[at]), t_supply_c[at], b.t_cold_c)
    t_out, t_warm, _ = solve_exchanger(t_hot, b.flow_kg_s, b.t_cold_c, b.flow_cold_kg_s, ua)
    return np.where(b.flow_kg_s > MIN_FLOW_KG_S, t_out, b.t_return_c), t_warm


def _station_values(
    network: HeatNetwork, book: PointBook, snapshot: Snapshot, b: MeasuredBoundary,
    state: SteadyState, t_return: Floats, t_warm: Floats,
) -> dict[str, Floats]:  # fmt: skip
    at = np.array([network.node_index[s.node_id] for s in network.substations], dtype=np.int64)
    t_supply = state.t_supply_c[at]
    flowing = b.flow_kg_s > MIN_FLOW_KG_S
    cp = heat_capacity_j_kg_k(np.where(flowing, (t_supply + t_return) / 2, 60.0))

    s2_ts, p1_tr = book.read_station(snapshot.value, "s2_ts"), book.read_station(snapshot.value, "p1_tr")
    heat_2 = b.flow_cold_kg_s * heat_capacity_j_kg_k(b.t_cold_c) * (s2_ts - b.t_cold_c)
    t_back = np.where(np.isfinite(p1_tr), p1_tr, t_return)
    flow = estimate_primary_flow(heat_2, t_supply, t_back, cp)

    def when(running: NDArray[np.bool_], x: Floats) -> Floats:
        return np.where(running, x, np.nan)

    return {
        "p1_ts": when(flowing, t_supply),
        "p1_tr": when(flowing, t_return),
        "p1_ps": state.p_supply_pa[at],
        "p1_pr": state.p_return_pa[at],
        "p1_flow": flow / density_kg_m3(t_back),
        "p1_heat": when(flowing, b.flow_kg_s * cp * (t_supply - t_return)),
        "s2_ts": when(flowing & (b.flow_cold_kg_s > MIN_FLOW_KG_S), t_warm),
    }


def _source_values(
    network: HeatNetwork, book: PointBook, snapshot: Snapshot, b: MeasuredBoundary, state: SteadyState
) -> dict[str, Floats]:
    v = snapshot.value
    stations = np.array([network.node_index[s.node_id] for s in network.substations], dtype=np.int64)
    at = np.array([network.node_index[s.node_id] for s in network.sources], dtype=np.int64)
    holds = np.array([s.holds_pressure for s in network.sources])
    running = state.source_flow_kg_s > MIN_FLOW_KG_S
    t_back = state.t_return_c[at]
    t_source = estimate_source_temperature(
        b.t_source_c, state.t_supply_c[stations], book.read_station(v, "p1_ts"), b.t_ground_c
    )
    p_supply = estimate_source_pressure(
        state.p_supply_pa[at], state.p_supply_pa[stations], book.read_station(v, "p1_ps")
    )
    p_return = estimate_source_pressure(
        state.p_return_pa[at], state.p_return_pa[stations], book.read_station(v, "p1_pr")
    )

    def when(x: Floats) -> Floats:
        return np.where(running, x, np.nan)

    return {
        "src_ts": when(t_source),
        "src_tr": when(t_back),
        "src_ps": np.where(holds, p_supply, state.p_supply_pa[at]),
        "src_pr": np.where(holds, p_return, state.p_return_pa[at]),
        "src_flow": np.where(holds & running, state.source_flow_kg_s / density_kg_m3(t_back), np.nan),
        "src_heat": when(state.source_heat_w),
    }


def _water_sigmas(
    network: HeatNetwork, book: PointBook, b: MeasuredBoundary, state: SteadyState, values: dict[str, Floats],
    doubt_k: Floats,
) -> dict[str, Floats]:  # fmt: skip
    """What the water itself adds to the uncertainty of values. Of stations: waters of other temperatures
    nearby, any of which may arrive (the standard deviation of an even distribution over their range), and
    water that is a guess (``doubt_k`` (2 n_node,)). Of sources: water that is a guess."""
    at = np.array([network.node_index[s.node_id] for s in network.substations], dtype=np.int64)
    front_k = np.hypot(spread_near(state.t_supply_c, book.near) / np.sqrt(12.0), doubt_k[at])
    source = np.array([network.node_index[s.node_id] for s in network.sources], dtype=np.int64)
    back_k = doubt_k[len(network.nodes) + source]
    drop_k = np.maximum(np.nan_to_num(state.t_supply_c[at] - values["p1_tr"], nan=40.0), 5.0)
    return {
        "p1_ts": front_k,
        "p1_tr": 0.5 * front_k,
        "s2_ts": 0.5 * front_k,
        "p1_heat": np.nan_to_num(b.flow_kg_s) * 4190.0 * front_k,
        "p1_flow": np.nan_to_num(values["p1_flow"]) * front_k / drop_k,
        "src_ts": np.full(source.size, np.median(doubt_k[at]) if at.size else 0.0),
        "src_tr": back_k,
        "src_heat": np.nan_to_num(state.source_flow_kg_s) * 4190.0 * back_k,
    }


def compare_network(
    net: CompiledNetwork,
    network: HeatNetwork,
    book: PointBook,
    snapshot: Snapshot,
    memory: Memory | None = None,
    correction: Correction | None = None,
    stand_in: StandIn | None = None,
) -> Comparison:
    """Simulate the moment of ``snapshot`` and put every simulated point beside its measurement.

    Parameters
    ----------
    net, network, book : compiled once per county
    snapshot : usable measurements, see :func:`twin.compare.snapshot.make_snapshot`
    memory : ``Comparison.memory`` of the moment before; without it a steady state is assumed
    correction : what was learnt while running (``twin.assimilation``); None: the county as described
    stand_in : meters that are not to be believed, and what stands in for them and for silent ones

    Returns
    -------
    Comparison; when the engine did not converge it has no point rows and says so in ``status``
    """
    measured, snapshot = snapshot.value, leave_out(snapshot, stand_in)
    b = assemble_boundary(book, snapshot, network, None if stand_in is None else stand_in.virtual)
    b = correct_boundary(b, correction)
    thermometers = _as_believed(uncross(book, snapshot.value), correction)

    def begin(b: MeasuredBoundary, begun: TransientState, state: SteadyState) -> tuple[TransientState, Young]:
        return fill_by_meters(net, network, book, thermometers, b, begun, state, snapshot.t)

    state, kept, t_return, t_warm = _advance(net, network, b, memory, snapshot.t, correction, begin)
    if not state.converged:
        why = "; ".join(str(f) for f in state.findings) or "no convergence"
        none = np.empty(0)
        return Comparison(
            snapshot.t, f"failed:{why}", np.empty(0, np.int64), none, none, none, state, b, None
        )
    doubt = doubt_water(None if kept is None else kept.young, snapshot.t, net.n_point)
    point_no, value, sigma = _simulate_points(
        network, book, snapshot, b, state, (t_return, t_warm), correction, doubt
    )
    return Comparison(
        t=snapshot.t,
        status=f"assumed:{','.join(b.assumed)}" if b.assumed else "ok",
        point_no=point_no,
        value=value,
        sigma=sigma,
        measured=measured[point_no],
        state=state,
        boundary=b,
        memory=kept,
    )


def _as_believed(value: Floats, correction: Correction | None) -> Floats:
    """What points show (n_point,), less what was learnt that they show over the simulation."""
    if correction is None:
        return value
    return (value - correction.offset) / (1.0 + correction.share)


def _as_seen(usual: Floats, seen: Floats, surer: float) -> Floats:
    """Uncertainties (n,) as far as they were seen to be smaller than is usual."""
    return np.where(np.isfinite(seen), np.clip(seen, surer * usual, usual), usual)


def _simulate_points(
    network: HeatNetwork, book: PointBook, snapshot: Snapshot, b: MeasuredBoundary, state: SteadyState,
    outlets: tuple[Floats, Floats], correction: Correction | None, doubt_k: Floats,
) -> tuple[Ints, Floats, Floats]:  # fmt: skip
    """Number, value and standard uncertainty of every point with an answer (n,); ``outlets``: temperatures
    of the exchangers' primary returns and secondary supplies (n_station,)."""
    no, value, sigma = [], [], []
    stations = _station_values(network, book, snapshot, b, state, *outlets)
    sources = _source_values(network, book, snapshot, b, state)
    fronts = _water_sigmas(network, book, b, state, stations, doubt_k)
    for table, numbers in ((stations, book.station), (sources, book.source)):
        for key, simulated in table.items():
            known = (numbers[key] >= 0) & np.isfinite(simulated)
            at, x = numbers[key][known], simulated[known]
            absolute, relative = SIGMA[key]
            own = np.hypot(absolute, relative * x)
            front = fronts[key][known] if key in fronts else np.zeros(at.size)
            if correction is not None:
                own = _as_seen(
                    own, correction.spread[at] * (np.abs(x) if relative else 1.0), correction.surer
                )
                x = x * (1.0 + correction.share[at]) + correction.offset[at]
            no.append(at)
            value.append(x)
            sigma.append(np.hypot(own, front))
    return np.concatenate(no), np.concatenate(value), np.concatenate(sigma)
