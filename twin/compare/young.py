"""Water that nobody saw enter: a simulation that begins anew fills its pipes by what the thermometers say.

A steady state fills every pipe as if the sources had always been as warm as now. What is in a pipe came in
when it passed the source, so what differs is a matter of age: water as old reads alike at every station. The
stations tell how far water of their age is from steady, and the return at the sources tells it of what comes
back. What is left of the guess is doubted until the network has been flushed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.compare.book import PointBook
from twin.compare.boundary import MeasuredBoundary
from twin.heat import CompiledNetwork, SteadyState, TransientState, resume_transient
from twin.heat.thermal import STILL_KG_S, cut_circles, order_points
from twin.heat.water import density_kg_m3
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEIGHBOURS = 5
"""Stations next in age of which the median is taken: a thermometer that is wrong misleads nobody."""
OLDEST_S = 12 * 3600.0
SLOW_S, COOLED_K = 8 * 3600.0, 5.0
"""Water older than this hardly flows; it may have cooled by so much beside the others."""
FASTEST_K_S, JUMP_K = 8.0 / 3600.0, 0.3
"""No source changes faster: what is further off than its age allows is not the water but a thermometer."""
LEAST_K, LEFT_SHARE = 0.8, 0.3
"""Standard uncertainty of guessed water: at least this, and this share of what had to be put right."""
GOING, GONE = 0.8, 1.6
"""The guess leaves a point while this many times its age goes by: ways of unlike lengths meet there."""


@dataclass(frozen=True, slots=True, eq=False)
class Young:
    """The guess that a simulation began with at ``t`` (s since 1970). Per point (2 n_node,), supply first:
    ``age_s`` of the water since it left a source or a station, ``guess_k`` its standard uncertainty."""

    t: float
    age_s: Floats
    guess_k: Floats


def doubt_water(young: Young | None, t: float, n_point: int) -> Floats:
    """Standard uncertainty of the temperature at every point (n_point,) from guessed water, K; zero once it
    has gone by."""
    if young is None:
        return np.zeros(n_point)
    left = (GONE * young.age_s - (t - young.t)) / np.maximum((GONE - GOING) * young.age_s, 1.0)
    return young.guess_k * np.clip(left, 0.0, 1.0)


def fill_by_meters(
    net: CompiledNetwork, network: HeatNetwork, book: PointBook, value: Floats, b: MeasuredBoundary,
    begun: TransientState, state: SteadyState, t: float,
) -> tuple[TransientState, Young]:  # fmt: skip
    """Put the water of a steady state right by what stations and sources read.

    Parameters
    ----------
    value : (n_point of the county,) what thermometers show, less what is known to be their error
    begun, state : from :func:`twin.heat.begin_transient` for the boundary of the moment

    Returns
    -------
    the network to go on from, and what is doubted of it
    """
    n, m = net.n_node, state.mass_flow_kg_s
    age = _ages(net, m, density_kg_m3(np.nan_to_num(state.t_pipe_c, nan=b.t_ground_c)))
    station = np.array([network.node_index[s.node_id] for s in network.substations], dtype=np.int64)
    source = np.array([network.node_index[s.node_id] for s in network.sources], dtype=np.int64)
    flows = b.flow_kg_s > STILL_KG_S
    off = np.where(flows, book.read_station(value, "p1_ts") - state.t_supply_c[station], np.nan)
    supply, scatter = _by_age(age[station], off, age[:n])
    runs = state.source_flow_kg_s > STILL_KG_S
    back = np.where(runs, book.read_source(value, "src_tr") - state.t_return_c[source], np.nan)
    returns = _towards_sources(age[n:], age[n + source], back)
    off_point = np.concatenate([supply, returns])
    t_point = np.concatenate([state.t_supply_c, state.t_return_c]) + off_point
    t_pipe = state.t_pipe_c + 0.5 * (off_point[net.start] + off_point[net.end])
    guess = np.sqrt(LEAST_K**2 + scatter**2 + (LEFT_SHARE * off_point) ** 2)
    slow = age > SLOW_S
    for side in (slice(0, n), slice(n, 2 * n)):
        t_point[side] = _keep_warm(t_point[side], slow[side])
    by_ends = 0.5 * (t_point[net.start] + t_point[net.end])
    t_pipe = np.where(slow[net.start] | slow[net.end], np.maximum(t_pipe, by_ends), t_pipe)
    begun = resume_transient(net, begun, t_point, t_pipe, m, b.t_ground_c)
    return begun, Young(t, age, np.where(slow, np.maximum(guess, COOLED_K), guess))


def _keep_warm(t_c: Floats, slow: Bools) -> Floats:
    """Water that hardly flows has not cooled as far as a steady state would have it: an insulated pipe takes
    days for that, and there is no hour in which nothing changes."""
    known = np.isfinite(t_c) & ~slow
    if not known.any():
        return t_c
    kept: Floats = np.where(slow, np.fmax(t_c, float(np.median(t_c[known])) - COOLED_K), t_c)
    return kept


def _ages(net: CompiledNetwork, m: Floats, rho: Floats) -> Floats:
    """Time since the water at every point (n_point,) left a source or a station, s; waters that meet are
    taken together. ``OLDEST_S`` where nothing flows."""
    size = np.abs(m)
    flows = size > STILL_KG_S
    stay = rho * np.pi / 4.0 * net.diameter_m**2 * net.length_m / np.maximum(size, STILL_KG_S)
    up, down = np.where(m >= 0.0, net.start, net.end), np.where(m >= 0.0, net.end, net.start)
    order, n_sorted, first, outgoing = order_points(net.start, net.end, m, net.n_point)
    leaves = np.bincount(up, np.where(flows, size, 0.0), net.n_point)
    comes = np.bincount(down, np.where(flows, size, 0.0), net.n_point)
    fresh = np.maximum(leaves - comes, 0.0)  # from outside, of no age
    total = np.maximum(comes + fresh, STILL_KG_S)
    if n_sorted < net.n_point:
        before = flows & np.isin(up, order[:n_sorted])
        known: Floats = np.bincount(down, np.where(before, size, 0.0), net.n_point).astype(np.float64)
        cut_circles(order, n_sorted, first, outgoing, net.start, net.end, m, fresh, known)
    carried, age = np.zeros(net.n_point), np.zeros(net.n_point)
    for i in order:  # what comes round a circle later is left out
        age[i] = min(carried[i] / total[i], OLDEST_S)
        for k in outgoing[first[i] : first[i + 1]]:
            carried[down[k]] += size[k] * (age[i] + stay[k])
    return np.where(comes + fresh > STILL_KG_S, age, OLDEST_S)


def _by_age(age_s: Floats, off_k: Floats, at_s: Floats) -> tuple[Floats, float]:
    """What stations of ages ``age_s`` are off, told for other ages ``at_s``: the median of the next ones in
    age, nothing at the source; and how far single stations lie beside it (1 sigma)."""
    known = np.flatnonzero(np.isfinite(off_k))
    if known.size == 0:
        return np.zeros(at_s.size), 0.0
    known = known[np.argsort(age_s[known])]
    half = NEIGHBOURS // 2
    smooth = np.array([np.median(off_k[known[max(i - half, 0) : i + half + 1]]) for i in range(known.size)])
    scatter = 1.48 * float(np.median(np.abs(off_k[known] - smooth)))
    told: Floats = np.interp(at_s, np.concatenate([[0.0], age_s[known]]), np.concatenate([[0.0], smooth]))
    return told, scatter


def _towards_sources(age_s: Floats, source_s: Floats, off_k: Floats) -> Floats:
    """What the return is off (n_node,): nothing where it leaves the stations, at the age of the sources'
    what their thermometers say."""
    known = np.isfinite(off_k) & (source_s > 0.0)
    if not known.any():
        return np.zeros(age_s.size)
    per_s = float(np.clip(np.median(off_k[known] / source_s[known]), -FASTEST_K_S, FASTEST_K_S))
    longest = float(source_s[known].max())
    told: Floats = per_s * np.minimum(age_s, longest)
    return told
