"""Where a finding lies: the station or source the pages select, and what the scene flies to and lights."""

import math
from dataclasses import dataclass

import numpy as np

from ingest.store.finding_api import TwinFinding
from twin.diagnosis.kinds import FAULTS
from twin.model.county import County
from twin.model.network import Pipe

DIG = 0.3
"""A single pipe is named as the place from this probability on."""


@dataclass(frozen=True, slots=True)
class Spot:
    """What the scene shows. ``kind``: ``building``, ``pipes`` or ``places`` (stations and sources)."""

    kind: str
    ids: tuple[str, ...]

    def __str__(self) -> str:
        """As a page carries it in ``data-spot``: kind and ids, apart by spaces."""
        return " ".join((self.kind, *self.ids)) if self.ids else ""

    @property
    def building(self) -> str:
        """The building, "" where it is none."""
        return self.ids[0] if self.kind == "building" else ""


def find_spot(county: County, f: TwinFinding) -> Spot:
    """The finest place a finding names: a building, the pipes it may be in, a station or source.

    Rooms, meters and devices of a building are shown as that building; of uneven buildings the one that is
    furthest off. A pipe alone only when it is likely enough to dig there, else all that hold the fault.
    """
    sort = FAULTS[f.kind].place
    if sort == "pipe":
        return Spot("pipes", _pipes(f))
    buildings = {b.id for b in county.buildings}
    heads = _building_heads(county, f)
    inside = next((h for h in heads if h in buildings), "")
    if inside:
        return Spot("building", (inside,))
    if sort == "device" and f.place.startswith("*"):
        return Spot("places", tuple(silent_stations(county, f)))
    place = select_place(county, f)
    return Spot("places", (place,) if place else ())


def _building_heads(county: County, f: TwinFinding) -> list[str]:
    """Ids that may be buildings: of the finding's own place, for uneven buildings of its rivals' meters."""
    if f.kind == "imbalance":
        return [s.place.split("/")[0] for s in f.suspects if s.kind == "sensor_bias"]
    place = f.place
    if FAULTS[f.kind].place == "device":
        place = next((d.place_id for d in county.devices if d.id == f.place), "")
    return [place.split("/")[0].partition(":")[0]]


def _pipes(f: TwinFinding) -> tuple[str, ...]:
    """The pipe if it is likely enough, else all that are suspected, the likeliest first."""
    rows = [s for s in f.suspects if FAULTS[s.kind].place == "pipe"]
    if not rows or rows[0].probability >= DIG:
        return (f.place,)
    return tuple(dict.fromkeys([f.place, *(s.place for s in rows)]))


def select_place(county: County, f: TwinFinding) -> str:
    """Station or source that the pages select for a finding; "" where it has none."""
    sort = FAULTS[f.kind].place
    if sort == "pipe":
        return nearest_station(county, f.place)
    if sort == "device":
        at = next((d.place_id for d in county.devices if d.id == f.place), "")
    else:
        at = f.place.split("/")[0]
    place = _station_of(county, at)
    known = {s.id for s in county.network.substations} | {s.id for s in county.network.sources}
    return place if place in known else ""


def _station_of(county: County, place: str) -> str:
    """Station that heats a building or room; stations and sources are their own."""
    building = place.partition(":")[0]
    return next((b.substation_id or "" for b in county.buildings if b.id == building), place)


def nearest_station(county: County, pipe_id: str) -> str:
    """The station closest to the middle of a pipe, "" without one."""
    pipe = find_pipe(county, pipe_id)
    stations = county.network.substations
    if pipe is None or not stations:
        return ""
    index, nodes = county.network.node_index, county.network.nodes
    a, b = nodes[index[pipe.from_node]], nodes[index[pipe.to_node]]
    lon, lat = (a.lon + b.lon) / 2, (a.lat + b.lat) / 2
    shrink = math.cos(math.radians(lat))
    away = [math.hypot((s.lon - lon) * shrink, s.lat - lat) for s in stations]
    return stations[int(np.argmin(away))].id


def find_pipe(county: County, pipe_id: str) -> Pipe | None:
    """The pipe of an id."""
    return next((p for p in county.network.pipes if p.id == pipe_id), None)


def silent_devices(county: County, place: str) -> tuple[str, ...]:
    """Devices of a finding: one, or all of a gateway (``*dialect``)."""
    if place.startswith("*"):
        return tuple(d.id for d in county.devices if d.dialect == place[1:])
    return (place,)


def silent_stations(county: County, f: TwinFinding) -> list[str]:
    """Stations that a silent gateway hides, in the order of their table."""
    if f.kind != "gateway_offline":
        return []
    silent = set(silent_devices(county, f.place))
    places = {d.place_id for d in county.devices if d.id in silent}
    return [s.id for s in county.network.substations if s.id in places]
