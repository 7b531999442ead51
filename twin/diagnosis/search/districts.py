"""Parts of the network that section valves can shut off together, for a test by the make-up.

Between its valves a network falls into segments that cannot be divided further. A district is a few segments
in one piece; the valves on its border shut it off. In a tree one section's valves do, in loops it takes more.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from twin.diagnosis.search.kit import Kit
from twin.diagnosis.search.trench import Trench
from twin.heat import CompiledNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STARTS, GROWN = 24, 24
"""Districts are grown from so many segments, by at most so many more."""


@dataclass(frozen=True, slots=True)
class Segments:
    """``chance`` and ``stations`` of every segment, ``fed`` those with a source; ``doors``: per segment the
    valved sections that lead out of it with the segment behind."""

    chance: list[float]
    stations: list[int]
    fed: set[int]
    doors: list[dict[int, int]]


def find_segments(net: CompiledNetwork, trench: Trench, chance: Floats) -> Segments:
    """Divide the network at its section valves; ``chance`` (n_pipe,) of the leak."""
    open_ = trench.valve_end < 0
    a, b = trench.ends[open_].T
    joined = csr_array((np.ones(a.size), (a, b)), shape=(net.n_node, net.n_node))
    n, part = connected_components(joined, directed=False)
    rows = np.arange(len(trench.pair_ids))
    far = np.where(open_, 0, 1 - trench.valve_end)
    body = part[trench.ends[rows, far]]  # a section lies on the side of its valves that is away from them
    here = part[trench.ends[rows, np.maximum(trench.valve_end, 0)]]
    own = np.array([chance[trench.supply[k]] + chance[trench.back[k]] for k in rows])
    doors: list[dict[int, int]] = [{} for _ in range(n)]
    for k in np.flatnonzero(~open_ & (here != body)):
        doors[here[k]][int(k)] = int(body[k])
        doors[body[k]][int(k)] = int(here[k])
    return Segments(
        np.bincount(body, own, minlength=n).tolist(),
        np.bincount(part[net.station_node], minlength=n).tolist(),
        set(part[net.source_node].tolist()),
        doors,
    )


def list_districts(net: CompiledNetwork, trench: Trench, chance: Floats, kit: Kit) -> list[tuple[int, ...]]:
    """Sets of sections (numbers) whose valves are worth shutting together, the best first."""
    seg = find_segments(net, trench, chance)
    found: dict[tuple[int, ...], float] = {}
    for start in np.argsort(-np.array(seg.chance), kind="stable")[:STARTS].tolist():
        if start in seg.fed:
            continue
        for border, worth in _grow(seg, start, kit):
            found[border] = max(found.get(border, 0.0), worth)
    return sorted(found, key=lambda k: -found[k])


def _grow(seg: Segments, start: int, kit: Kit) -> list[tuple[tuple[int, ...], float]]:
    """From one segment on, always the neighbour that leaves the district most worth a test."""
    inside = {start}
    border = set(seg.doors[start])
    p, stations = seg.chance[start], seg.stations[start]
    out = []
    for _ in range(GROWN):
        if border and len(border) <= kit.most_shut and stations <= kit.most_cut:
            out.append((tuple(sorted(border)), _worth(p, len(border), kit)))
        best: tuple[float, int, set[int]] | None = None
        for next_ in {to for k in border for to in _across(seg, k, inside)} - seg.fed:
            if stations + seg.stations[next_] > kit.most_cut:
                continue
            after = border ^ set(seg.doors[next_])
            worth = _worth(p + seg.chance[next_], max(len(after), 1), kit)
            if best is None or worth > best[0]:
                best = worth, next_, after
        if best is None:
            break
        _, next_, border = best
        inside.add(next_)
        p, stations = p + seg.chance[next_], stations + seg.stations[next_]
    return out


def _across(seg: Segments, door: int, inside: set[int]) -> list[int]:
    return [to for i in inside for k, to in seg.doors[i].items() if k == door and to not in inside]


def _worth(p: float, shut: int, kit: Kit) -> float:
    """Nats about in or out, per minute of the crew."""
    p = min(max(p, 1e-9), 1.0 - 1e-9)
    return float(-(p * np.log(p) + (1.0 - p) * np.log(1.0 - p))) / kit.shut_min(shut)
