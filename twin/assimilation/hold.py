"""Which readings must not teach now: what findings speak of, and meters that nobody should believe."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.assimilation.layout import Layout

Bools = NDArray[np.bool_]

EVERYWHERE = frozenset({"leak", "draw", "blockage", "source_trip"})
"""Faults that move the whole network: nothing is learnt meanwhile."""
METERS = frozenset({"sensor_bias", "sensor_drift", "sensor_freeze"})
"""Faults of one meter: it is left out, and its place does not teach."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An open finding as the learner needs it: its kind, and its place (pipe, station, source, device or
    point id; ``*``: a whole gateway)."""

    kind: str
    place: str


def hold_readings(layout: Layout, doubts: Iterable[Doubt], home: Mapping[str, str]) -> Bools:
    """Readings (n_place, n_row) that must not teach.

    Parameters
    ----------
    home : station or source of a building or device id; others stand for themselves
    """
    held = np.zeros(layout.point.shape, bool)
    row = {p: i for i, p in enumerate(layout.places)}
    for d in doubts:
        if d.kind in EVERYWHERE or d.place.startswith("*"):
            held[:] = True
            return held
        place = d.place.split("/", maxsplit=1)[0].split(":", maxsplit=1)[0]
        at = row.get(home.get(place, place))
        if at is not None:
            held[at] = True
            if at >= len(layout.station_ids):  # what a source's meters say drives everything
                held[:] = True
    return held


def doubted_points(doubts: Iterable[Doubt]) -> frozenset[str]:
    """Ids of meters that are not to be believed."""
    return frozenset(d.place for d in doubts if d.kind in METERS)
