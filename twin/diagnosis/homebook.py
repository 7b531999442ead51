"""Where the meters of buildings and rooms stand: point numbers, found once per county."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.model.county import County

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class HomeBook:
    """Point numbers and station rows: of metered buildings ``flow``, ``warm``, ``cold``, ``row`` (n,) with
    their ids; of rooms ``room``, ``room_row`` (k,) with their ids."""

    building_ids: tuple[str, ...]
    flow: Ints
    warm: Ints
    cold: Ints
    row: Ints
    room_ids: tuple[str, ...]
    room: Ints
    room_row: Ints


def compile_homes(county: County) -> HomeBook:
    """Find the meters of buildings and rooms."""
    row = {s.id: i for i, s in enumerate(county.network.substations)}
    station = {b.id: row[b.substation_id] for b in county.buildings if b.substation_id in row}
    find = county.point_by_id.get
    metered = []
    for b in station:
        points = [find(f"{b}/{k}") for k in ("b_flow", "b_ts", "b_tr")]
        if all(p is not None for p in points):
            metered.append((b, [p.no for p in points if p is not None]))
    rooms = [
        (p.place_id, p.no, station[b])
        for p in county.points
        if p.key == "room_t" and (b := p.place_id.split(":")[0]) in station
    ]
    numbers = np.array([n for _, n in metered], np.int64).reshape(-1, 3)
    return HomeBook(
        tuple(b for b, _ in metered), numbers[:, 0], numbers[:, 1], numbers[:, 2],
        np.array([station[b] for b, _ in metered], np.int64),
        tuple(r for r, _, _ in rooms), np.array([n for _, n, _ in rooms], np.int64),
        np.array([i for _, _, i in rooms], np.int64),
    )  # fmt: skip
