"""Roughness and heat loss of pipe groups: the network walked through its history, group by group a little
rougher or leakier of heat.

The boundary is the measured one (source temperatures, pressures and flows, station flows and return
temperatures); what is compared are the pressures and supply temperatures at the stations, and what comes back
to the sources. The engine's own transient steps carry the water, so delays are in it. Pressures and outlet
temperature of a source are read by meters too: their offsets are parameters of the fit, with a prior.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.calibration.fit import Readings, fit_groups
from twin.calibration.records import Records
from twin.compare import PointBook, Snapshot
from twin.compare.boundary import T_GROUND_C, assemble_boundary
from twin.heat import CompiledNetwork, SteadyBoundary, begin_transient, step_transient
from twin.heat.topology import SECTION
from twin.model.errors import EngineError
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUGHNESS_SIGMA, LOSS_SIGMA = 0.7, 0.3
"""What is believed of the logarithm of a group's factor: roughness within 0.5 to 2, heat loss within 0.75 to
1.35 of the survey (one standard deviation)."""
SOURCE_PA, SOURCE_K = 3e3, 0.2
FLOW_SHARE = 0.02
"""Meters of the sources, and all flow meters together (they share a make, and a table of densities)."""
NOISE_PA, OFFSET_PA, OFFSET_SHARE = 1.5e3, 8e3, 0.02
NOISE_K, OFFSET_K = 0.3, 0.2
"""Meters of the stations: least noise about their mean, and offset. The height of a pressure meter is known
to less than a metre; a flow meter reads wrong by 1 %, so that pressures are wrong by ``OFFSET_SHARE`` of what
is lost on the way."""
VALVE_SIGMA = 1.0
"""Of the logarithm of what open section valves lose: their Kv is a table's, not the valve's."""
LAW_ROUGHNESS, LAW_LOSS = 0.15, 0.04
"""How sure factors can be at best: 3 % of friction (law, fittings, bores) are 15 % of roughness."""
SMOOTH_S = 3600.0
"""Pressures and temperatures of the sources are means over so long: the noise of one meter would move all
stations alike."""
MEMORY_S = 3600.0
"""Errors of the model last about so long, so ten readings of an hour are not ten tests."""
LEAD_S = 6 * 3600.0
"""At the start of a stretch temperatures do not count for so long: the water in the pipes was a guess."""
LEAST_FLOW = 0.05
"""Below this share of its design flow the temperature at a station says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """A history ready to be walked: one boundary per record, and what was measured.

    ``warm`` (n,): whether temperatures count; ``keys`` (m,) and ``place`` (m,) of the columns: key of the
    point, and row of its station or source.
    """

    net: CompiledNetwork
    t: Floats
    stretches: tuple[slice, ...]
    boundaries: tuple[SteadyBoundary, ...]
    warm: NDArray[np.bool_]
    keys: tuple[str, ...]
    place: Ints
    measured: Floats


def prepare_walk(net: CompiledNetwork, book: PointBook, records: Records, smooth: bool = False) -> Walk:
    """Boundaries and measured columns of a history; ``smooth``: noise of the sources' meters taken off."""
    network, boundaries = net.network, []
    if not net.source_holds.any():
        raise EngineError("calibration: no source holds the pressure")
    for t, value in zip(records.t, records.value, strict=True):
        b = assemble_boundary(book, Snapshot(float(t), value), network)
        boundaries.append(
            SteadyBoundary(
                b.t_source_c, b.p_supply_pa, b.p_return_pa, b.flow_source_kg_s, b.flow_kg_s, b.t_return_c,
                t_ground_c=T_GROUND_C,
            )
        )  # fmt: skip
    if smooth:
        boundaries = _smooth(boundaries, records)
    stretches, warm = tuple(records.stretches()), np.zeros(len(records.t), bool)
    for part in stretches:
        warm[part] = records.t[part] >= records.t[part][0] + LEAD_S
    keys, place, columns = _columns(network, book, records)
    return Walk(
        net, records.t, stretches, tuple(boundaries), warm, keys, place, _leave_out(columns, keys, warm)
    )


def _smooth(boundaries: Sequence[SteadyBoundary], records: Records) -> list[SteadyBoundary]:
    """Running means of what the sources' meters say, within stretches."""
    out = list(boundaries)
    for part in records.stretches():
        rows, step_s = boundaries[part], float(np.median(np.diff(records.t[part])))
        reach = int(0.5 * SMOOTH_S / step_s)
        t, supply, back = (
            _running_mean(np.stack([getattr(b, name) for b in rows]), reach)
            for name in ("t_source_c", "p_supply_pa", "p_return_pa")
        )
        for i, b in enumerate(rows):
            out[part.start + i] = replace(b, t_source_c=t[i], p_supply_pa=supply[i], p_return_pa=back[i])
    return out


def _running_mean(x: Floats, reach: int) -> Floats:
    """Means over ``reach`` rows before and after, fewer at the ends (n, k)."""
    total = np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    at = np.arange(len(x))
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(x))
    mean: Floats = (total[high] - total[low]) / (high - low)[:, None]
    return mean


def _columns(network: HeatNetwork, book: PointBook, records: Records) -> tuple[tuple[str, ...], Ints, Floats]:
    keys, place, columns = [], [], []
    for key in ("p1_ps", "p1_pr", "p1_ts"):
        for row, no in enumerate(book.station[key]):
            keys.append(key)
            place.append(row)
            columns.append(records.column(int(no)))
    for row, no in enumerate(book.source["src_tr"]):
        keys.append("src_tr")
        place.append(row)
        columns.append(records.column(int(no)))
    return tuple(keys), np.array(place, dtype=np.int64), np.stack(columns, axis=1)


def _leave_out(columns: Floats, keys: tuple[str, ...], warm: NDArray[np.bool_]) -> Floats:
    """Temperatures are no evidence while the water in the pipes is a guess."""
    out = columns.copy()
    hot = np.array([k in ("p1_ts", "src_tr") for k in keys])
    out[np.ix_(~warm, hot)] = np.nan
    return out


def walk_network(
    w: Walk, roughness: Floats | None = None, loss: Floats | None = None, source_k: Floats | None = None,
    flow: float = 1.0, valves: float = 1.0,
) -> Floats:  # fmt: skip
    """Simulate the history.

    Parameters
    ----------
    roughness, loss : (n_pipe,) factors on survey values; None: as surveyed
    source_k : (n_source,) what the outlets are warmer than measured; None: as measured
    flow : factor on all measured flows
    valves : factor on what section valves lose

    Returns
    -------
    (n, m) as ``w.measured``; NaN where there is no answer
    """
    out = np.full(w.measured.shape, np.nan)
    opening = w.net.valve_opening * np.where(w.net.valve_kind == SECTION, valves**-0.5, 1.0)
    for part in w.stretches:
        state = None
        for i in range(part.start, part.stop):
            b = replace(w.boundaries[i], roughness_factor=roughness, u_factor=loss, valve_opening=opening)
            b = b if source_k is None else replace(b, t_source_c=b.t_source_c + source_k)
            if flow != 1.0:
                b = replace(b, flow_kg_s=flow * b.flow_kg_s, source_flow_kg_s=flow * b.source_flow_kg_s)
            try:
                if state is None:
                    state, now = begin_transient(w.net, b)
                else:
                    state, now, _ = step_transient(w.net, b, state, float(w.t[i] - w.t[i - 1]))
            except EngineError:
                continue
            if now.converged:
                out[i] = _read(w, now.t_supply_c, now.t_return_c, now.p_supply_pa, now.p_return_pa, b)
    return out


def _read(w: Walk, t_s: Floats, t_r: Floats, p_s: Floats, p_r: Floats, b: SteadyBoundary) -> Floats:
    at, source = w.net.station_node, w.net.source_node
    flowing = b.flow_kg_s > LEAST_FLOW * w.net.station_design_kg_s
    running = np.nan_to_num(b.source_flow_kg_s, nan=np.inf) > 0.0
    return np.concatenate(
        [p_s[at], p_r[at], np.where(flowing, t_s[at], np.nan), np.where(running, t_r[source], np.nan)]
    )


@dataclass(frozen=True, slots=True, eq=False)
class PipeFit:
    """``groups`` in order; logarithms of factors and their standard deviations (n_group,) each; the same of
    what section valves lose."""

    groups: tuple[str, ...]
    roughness: Floats
    roughness_sigma: Floats
    loss: Floats
    loss_sigma: Floats
    valves: float
    valves_sigma: float


def fit_pipes(w: Walk, group_of: dict[str, str], rounds: int = 3) -> PipeFit:
    """Fit roughness and heat loss of every pipe group to a history.

    Friction is learnt from pressures alone: temperatures depend on it too, where waters meet, but so steeply
    that they would pretend to know it well. Heat loss is learnt from temperatures, with the friction found.

    Parameters
    ----------
    group_of : group by pipe id (:func:`twin.calibration.groups.group_pipes`)
    """
    groups = tuple(sorted(set(group_of.values())))
    row = {g: i for i, g in enumerate(groups)}
    of = np.array([row[group_of[p.id]] for p in w.net.network.pipes], dtype=np.int64)
    n, n_source = len(groups), len(w.net.source_node)
    supply = np.array([k == "p1_ps" for k in w.keys])
    back = np.array([k == "p1_pr" for k in w.keys])

    def pressures(x: Floats) -> Floats:
        rough, (of_supply, of_return, flow, valves) = x[0, :n], x[0, n:]
        out = walk_network(
            w, np.exp(rough)[of], flow=1.0 + FLOW_SHARE * float(flow), valves=float(np.exp(valves))
        )
        out[:, ~(supply | back)] = np.nan
        moved: Floats = out + SOURCE_PA * (of_supply * supply + of_return * back)
        return moved

    one, readings = np.zeros(len(w.keys), np.int64), _weigh(w)
    prior = np.concatenate([np.full(n, ROUGHNESS_SIGMA), np.ones(3), [VALVE_SIGMA]])
    step = np.concatenate([np.full(n, 0.3), np.ones(3), [0.5]])
    friction = fit_groups(pressures, readings, one, prior, step, rounds)
    rough, valves = np.exp(friction.x[0, :n])[of], float(np.exp(friction.x[0, -1]))

    def temperatures(x: Floats) -> Floats:
        loss, kelvin, flow = x[0, :n], x[0, n:-1], 1.0 + FLOW_SHARE * float(x[0, -1])
        out = walk_network(w, rough, np.exp(loss)[of], SOURCE_K * kelvin, flow, valves)
        out[:, supply | back] = np.nan
        return out

    prior = np.concatenate([np.full(n, LOSS_SIGMA), np.ones(n_source + 1)])
    step = np.concatenate([np.full(n, 0.2), np.ones(n_source + 1)])
    heat = fit_groups(temperatures, readings, one, prior, step, rounds - 1)
    return PipeFit(
        groups, friction.x[0, :n], np.hypot(friction.sigma[0, :n], LAW_ROUGHNESS),
        heat.x[0, :n], np.hypot(heat.sigma[0, :n], LAW_LOSS),
        float(friction.x[0, -1]), float(friction.sigma[0, -1]),
    )  # fmt: skip


def _weigh(w: Walk) -> Readings:
    """How far each column may be trusted.

    The noise of a column is what its residuals with survey values scatter in time (where waters of two
    sources meet that is kelvins). A temperature that scatters so may be off by as much all the time.
    """
    hot = np.array([k in ("p1_ts", "src_tr") for k in w.keys])
    held = {"p1_ps": _held(w, "p_supply_pa"), "p1_pr": _held(w, "p_return_pa")}
    miss = w.measured - walk_network(w)
    noise, lost = np.where(hot, NOISE_K, NOISE_PA), np.zeros(len(w.keys))
    for j, key in enumerate(w.keys):
        known = np.isfinite(miss[:, j])
        if known.any():
            x = miss[known, j]
            noise[j] = max(noise[j], 1.48 * float(np.median(np.abs(x - np.median(x)))))
            lost[j] = float(np.median(np.abs(held[key] - w.measured[:, j])[known])) if key in held else 0.0
    step_s = float(np.median(np.diff(w.t)))
    return Readings(
        measured=w.measured,
        noise=noise,
        offset=np.where(hot, np.hypot(OFFSET_K, noise), np.hypot(OFFSET_PA, OFFSET_SHARE * lost)),
        memory=max(MEMORY_S / step_s, 1.0),
    )


def _held(w: Walk, name: str) -> Floats:
    at = int(np.flatnonzero(w.net.source_holds)[0])
    return np.array([getattr(b, name)[at] for b in w.boundaries], dtype=np.float64)
