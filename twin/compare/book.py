"""Where each measured point stands: row numbers by station and source, found once per county."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.model.county import County
from twin.model.network import HeatNetwork, Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STATION_KEYS = (
    "p1_ts", "p1_tr", "p1_ps", "p1_pr", "p1_flow", "p1_heat", "s2_ts", "s2_tr", "s2_flow",
)  # fmt: skip
HOPS = 2
"""Pipes within which water of another temperature may reach a station any minute."""
SOURCE_KEYS = ("src_ts", "src_tr", "src_ps", "src_pr", "src_flow", "src_heat")


@dataclass(frozen=True, slots=True)
class PointBook:
    """Point numbers by key; -1 where the county has no such point.

    ``station[key]``: (n_substation,), ``source[key]``: (n_source,), ``outdoor``: (n,) all ``t_out`` points.
    ``station_ids``, ``source_ids``: names in the same order. ``near``: per station the nodes within ``HOPS``
    supply pipes.
    """

    station_ids: tuple[str, ...]
    source_ids: tuple[str, ...]
    station: dict[str, Ints]
    source: dict[str, Ints]
    outdoor: Ints
    near: tuple[Ints, ...]

    def read_station(self, value: Floats, key: str) -> Floats:
        """Values of ``key`` per substation from a snapshot's ``value``; NaN where missing."""
        return pick(value, self.station[key])

    def read_source(self, value: Floats, key: str) -> Floats:
        """Values of ``key`` per source from a snapshot's ``value``; NaN where missing."""
        return pick(value, self.source[key])


def pick(value: Floats, no: Ints) -> Floats:
    """Values of the points ``no``, NaN where there is no point (-1)."""
    out = np.full(no.shape, np.nan)
    known = no >= 0
    out[known] = value[no[known]]
    return out


def compile_points(county: County) -> PointBook:
    """Find the points that the comparison needs."""

    def numbers(ids: tuple[str, ...], key: str) -> Ints:
        found = (county.point_by_id.get(f"{i}/{key}") for i in ids)
        return np.array([-1 if p is None else p.no for p in found], dtype=np.int64)

    stations = tuple(s.id for s in county.network.substations)
    sources = tuple(s.id for s in county.network.sources)
    return PointBook(
        station_ids=stations,
        source_ids=sources,
        station={key: numbers(stations, key) for key in STATION_KEYS},
        source={key: numbers(sources, key) for key in SOURCE_KEYS},
        outdoor=np.array([p.no for p in county.points if p.key == "t_out"], dtype=np.int64),
        near=find_near(county.network),
    )


def find_near(network: HeatNetwork, hops: int = HOPS) -> tuple[Ints, ...]:
    """Per substation the nodes that at most ``hops`` supply pipes lead to, itself included."""
    beside: dict[int, set[int]] = {}
    for p in network.pipes:
        if p.side == Side.SUPPLY:
            a, b = network.node_index[p.from_node], network.node_index[p.to_node]
            beside.setdefault(a, set()).add(b)
            beside.setdefault(b, set()).add(a)
    out = []
    for s in network.substations:
        found = {network.node_index[s.node_id]}
        for _ in range(hops):
            found |= {k for node in found for k in beside.get(node, ())}
        out.append(np.array(sorted(found), dtype=np.int64))
    return tuple(out)


def spread_near(t_supply_c: Floats, near: tuple[Ints, ...]) -> Floats:
    """Difference between the warmest and the coldest water near each station (n_station,), K.

    Where two waters meet, a small error of flow decides which one arrives.
    """
    out = np.zeros(len(near))
    for i, nodes in enumerate(near):
        x = t_supply_c[nodes]
        x = x[np.isfinite(x)]
        out[i] = x.max() - x.min() if x.size else 0.0
    return out
