"""What can be laid over the scene: boundaries, nodes, valves, room sensors, street lights."""

from itertools import pairwise
from typing import Any

import numpy as np

from app.scene.content import find_roads
from app.scene.frame import GroundMesh, LocalFrame
from twin.model.county import County

BORDER_LIFT_M = 6.0
NODE_LIFT_M = 3.0
BORDER_STEP_M = 150.0
"""Borders are draped over the ground in steps of this length."""
LAMP_STEP_M = 38.0
LAMP_HEIGHT_M = 8.0
LIT_ROADS = frozenset({"main", "secondary", "local", "expressway"})
KINDS = ("county", "township", "community")


def list_borders(county: County, frame: LocalFrame, mesh: GroundMesh) -> list[dict[str, Any]]:
    """Administrative places with their rings.

    Returns
    -------
    One table per place: ``id, kind, name, name_en, parent`` (row in this list, -1: none), ``ring``: closed,
    [x, y, z] in local metres, empty where none is known
    """
    places = [p for p in county.places if p.kind in KINDS]
    row = {p.id: k for k, p in enumerate(places)}
    rows = []
    for p in places:
        ring: list[list[float]] = []
        if len(p.boundary) >= 4:
            xy = _walk(frame.path_to_local(p.boundary), BORDER_STEP_M if p.kind != "county" else 400.0)
            z = mesh.height_at(xy) + BORDER_LIFT_M
            ring = np.column_stack([xy, z]).round(1).tolist()
        rows.append(
            {
                "id": p.id,
                "kind": p.kind,
                "name": p.name,
                "name_en": p.name_en,
                "parent": row.get(p.parent_id, -1),
                "ring": ring,
            }
        )
    return rows


def _walk(line: np.ndarray, step_m: float) -> np.ndarray:
    """Places along a line, at most ``step_m`` apart, its own vertices among them."""
    parts = []
    for a, b in pairwise(line):
        n = max(int(np.ceil(np.hypot(*(b - a)) / step_m)), 1)
        parts.append(a + (b - a) * (np.arange(n) / n)[:, None])
    return np.vstack([*parts, line[-1:]])


def list_overlays(county: County, frame: LocalFrame, mesh: GroundMesh) -> dict[str, dict[str, list[Any]]]:
    """Nodes, valves and room sensors, column by column; ``at`` is x, y, z of each, one after the other."""
    network = county.network
    sensed = {p.place_id.split(":")[0] for p in county.points if p.key == "room_t"}
    rows = [k for k, b in enumerate(county.buildings) if b.id in sensed and len(b.footprint) > 3]
    roofs = [np.mean(np.array(county.buildings[k].footprint[:-1]), axis=0) for k in rows]
    height = np.array([county.buildings[k].height_m for k in rows])
    return {
        "nodes": {
            "id": [n.id for n in network.nodes],
            "at": _places(frame, mesh, [(n.lon, n.lat) for n in network.nodes], NODE_LIFT_M),
        },
        "valves": {
            "id": [v.id for v in network.valves],
            "kind": [v.kind for v in network.valves],
            "pipe": [v.pipe_id for v in network.valves],
            "at": _places(frame, mesh, [(v.lon, v.lat) for v in network.valves], NODE_LIFT_M),
        },
        "sensors": {"row": rows, "at": _places(frame, mesh, [tuple(r) for r in roofs], height + 2.0)},
        "lamps": {"at": _lamps(county, frame, mesh)},
    }


def _places(
    frame: LocalFrame, mesh: GroundMesh, lonlat: list[tuple[float, ...]], lift_m: float | np.ndarray
) -> list[float]:
    if not lonlat:
        return []
    degrees = np.array(lonlat, float)
    xy = frame.to_local(degrees[:, 0], degrees[:, 1])
    return [float(v) for v in np.column_stack([xy, mesh.height_at(xy) + lift_m]).round(1).ravel()]


def _lamps(county: County, frame: LocalFrame, mesh: GroundMesh) -> list[float]:
    """Street lights along the streets of the town, on alternating sides."""
    parts = []
    for f in find_roads(county):
        if str(f.props.get("class")) not in LIT_ROADS:
            continue
        line = frame.path_to_local(f.path)
        step = np.hypot(*np.diff(line, axis=0).T)
        along = np.concatenate([[0.0], np.cumsum(step)])
        at = np.arange(LAMP_STEP_M / 2, along[-1], LAMP_STEP_M)
        if not at.size:
            continue
        xy = np.column_stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])])
        k = np.clip(np.searchsorted(along, at) - 1, 0, len(step) - 1)
        way = np.diff(line, axis=0)[k] / np.maximum(step[k], 1e-6)[:, None]
        side = np.where(np.arange(at.size) % 2 == 0, 1.0, -1.0) * 0.45 * float(f.props.get("width_m", 8.0))
        parts.append(xy + np.column_stack([-way[:, 1], way[:, 0]]) * side[:, None])
    if not parts:
        return []
    xy = np.vstack(parts)
    return [float(v) for v in np.column_stack([xy, mesh.height_at(xy) + LAMP_HEIGHT_M]).round(1).ravel()]
