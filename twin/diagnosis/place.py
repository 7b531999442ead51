"""Where in the network a fault is: likelihood over all pipes, from everything seen since it began.

A leak of some per cent is not small for the branch it is in: friction goes with the square of the flow. So
the linear answer of the pressures is corrected by what each pipe's law adds at the flow that the leak draws
through it.
"""

import numpy as np
from numpy.typing import NDArray

from twin.diagnosis.explain import Candidate
from twin.diagnosis.patterns import Patterns, conductances, respond
from twin.diagnosis.signs import Layout
from twin.heat import CompiledNetwork, SteadyState

Floats = NDArray[np.float64]

ZONE = 0.8
"""Probability that the suspected pipes gather."""
MOST = 160
"""At most so many pipes are named."""
TRUST = 0.5
"""Share of the likelihood that counts: what the simulation gets wrong is wrong at many stations alike."""
UNSURE, UNSURE_LOST, ROUNDS = 0.15, 0.1, 4
"""Share to which a pattern of pressures is known, and one of water that is made up for (one standard
deviation); rounds until size and weights agree."""
STILL_KG_S = 0.2


def draw_leaks(
    net: CompiledNetwork, layout: Layout, state: SteadyState, circulation: float, size_kg_s: float
) -> Floats:
    """Signs (n_sign, n_pipe) that a leak of ``size_kg_s`` in each pipe would move, not linearised.

    The leak is drawn half at either end of the pipe, flows through the stations as they are.
    """
    n, n_s = net.n_pipe, layout.n_station
    x = respond(net, state, np.arange(net.n_point))
    g = conductances(net, state)
    drawn = 0.5 * (x[:, net.start] + x[:, net.end])  # (n_point, n_pipe) per kg/s put in
    more = -size_kg_s * g[:, None] * (drawn[net.start] - drawn[net.end])  # flow it adds to each pipe
    m = np.nan_to_num(state.mass_flow_kg_s)
    slow = np.abs(m) < STILL_KG_S
    resistance = 1.0 / (2.0 * g * np.maximum(np.abs(m), STILL_KG_S))
    m_ = m[:, None]
    extra = (m_ + more) * np.abs(m_ + more) - m_ * np.abs(m_) - 2.0 * np.abs(m_) * more
    extra = np.where(slow[:, None], 0.0, resistance[:, None] * extra)  # Pa, against from -> to
    at = np.concatenate([net.station_node, net.n_node + net.station_node])
    moved = -size_kg_s * drawn[at] + (x[at][:, net.start] - x[at][:, net.end]) @ (g[:, None] * extra)
    table = np.zeros((layout.size, n))
    table[layout.station("p_supply")], table[layout.station("p_return")] = moved[:n_s], moved[n_s:]
    table[layout.network("make_up")] = size_kg_s / circulation
    table[layout.network("flow_gap")] = (net.start < net.n_node) * size_kg_s / circulation
    return table


def columns_of(patterns: Patterns, kind: str) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Table, unit and places of one kind."""
    mine = np.flatnonzero(np.array([k == kind for k in patterns.kind]))
    return patterns.table[:, mine], patterns.unit[mine], tuple(patterns.place[j] for j in mine)


def weigh_places(
    table: Floats, mean: Floats, sigma: Floats, unsure: Floats | float = UNSURE
) -> tuple[Floats, Floats]:
    """Logarithm of the likelihood of every pipe, and the size (in units of its column) that fits it best.

    What a pattern says is itself known to a share only (``unsure``, (n_sign,)): pipes are rougher or smoother
    than surveyed. So what a fault moves far counts by its ratios, and what it does not move counts in full.
    """
    known = np.isfinite(sigma) & (sigma > 0) & np.isfinite(mean) & table.any(axis=1)
    a, y = table[known], mean[known][:, None]
    noise = np.square(sigma[known])[:, None]
    v = np.broadcast_to(noise, a.shape)
    share = np.square(np.broadcast_to(unsure, known.shape)[known])[:, None]
    size = np.zeros(table.shape[1])
    for _ in range(ROUNDS):
        square = np.sum(np.square(a) / v, axis=0)
        size = np.sum(a * y / v, axis=0) / np.maximum(square, 1e-12)
        v = noise + share * np.square(size * a)
    missed = np.sum(np.square(y - size * a) / v + np.log(v / noise), axis=0)
    gain = 0.5 * (np.sum(np.square(y) / noise) - missed)
    return np.where(size > 0.0, gain, -np.inf), size


def doubt_patterns(layout: Layout) -> Floats:
    """(n_sign,) share to which the patterns of faults in pipes are known."""
    out = np.full(layout.size, UNSURE)
    out[[layout.network("make_up"), layout.network("flow_gap")]] = UNSURE_LOST
    return out


def score_places(
    table: Floats, unit: Floats, mean: Floats, sigma: Floats, unsure: Floats | float = UNSURE
) -> tuple[Floats, Floats]:
    """How much every pipe explains, as a logarithm of its probability, and the size of the fault there.

    Parameters
    ----------
    table : (n_sign, n_pipe) signs a fault of size ``unit`` (n_pipe,) moves
    mean, sigma : (n_sign,) what was seen and its standard deviation; infinite where nothing is known
    unsure : (n_sign,) see :func:`doubt_patterns`
    """
    gain, size = weigh_places(table, mean, sigma, unsure)
    return TRUST * gain, size * unit


def name_zone(kind: str, places: tuple[str, ...], size: Floats, chance: Floats) -> tuple[Candidate, ...]:
    """The pipes that together hold a fault of ``kind`` with probability ``ZONE``, most probable first."""
    order = np.argsort(-chance, kind="stable")
    many = min(int(np.searchsorted(np.cumsum(chance[order]), ZONE)) + 1, MOST)
    return tuple(Candidate(kind, places[j], float(size[j]), float(chance[j])) for j in order[:many])
