"""Door plates: every building gets an address, by the nearest named street, odd on its left and even on its right;
in the villages by the village."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from shapely.strtree import STRtree

from ingest.demo.county.frame import Frame
from ingest.demo.county.streets import Street
from twin.model.county import Building, Place

REACH_M = 260.0
"""A building further than this from every named street belongs to its village."""
_NAMED = ("main", "secondary", "local")


def give_addresses(
    buildings: Sequence[Building], streets: Sequence[Street], places: Sequence[Place], frame: Frame
) -> list[Building]:
    """The buildings with ``address``: 人民路12号 in the town, 马家湾村7号 outside of it; no two are the same."""
    named = [s for s in streets if s.name and s.kind in _NAMED]
    middles = np.array([np.mean([frame.metres(*p) for p in b.footprint[:-1]], axis=0) for b in buildings])
    dots = shapely.points(middles)
    found = STRtree([s.shape for s in named]).query_nearest(dots, max_distance=REACH_M, all_matches=False)
    street_of = dict(zip(found[0].tolist(), found[1].tolist(), strict=True))
    community = {p.id: p.name for p in places}
    sides: dict[tuple[str, int], list[tuple[float, int]]] = defaultdict(list)
    villages: Counter[str] = Counter()
    out = [""] * len(buildings)
    for row, b in enumerate(buildings):
        if row in street_of:
            street = named[street_of[row]]
            along, left = _place(street, middles[row])
            sides[street.name, left].append((along, row))
        else:
            name = community.get(b.community_id, "")
            villages[name] += 1
            out[row] = f"{name}{villages[name]}号"
    for (name, left), rows in sides.items():
        for k, (_, row) in enumerate(sorted(rows), 1):
            out[row] = f"{name}{2 * k - left}号"
    return [replace(b, address=a) for b, a in zip(buildings, out, strict=True)]


def _place(street: Street, at: np.ndarray) -> tuple[float, int]:
    """Distance along the street, and 1 on its left, 0 on its right."""
    line = street.shape
    along = float(line.project(shapely.points(at)))
    a = line.interpolate(max(along - 2.0, 0.0))
    b = line.interpolate(min(along + 2.0, line.length))
    cross = (b.x - a.x) * (at[1] - a.y) - (b.y - a.y) * (at[0] - a.x)
    return along, int(cross > 0.0)
