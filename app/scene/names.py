"""Names on the map: townships, villages, streets, waters, places: quiet words under the live labels."""

from typing import Any

import numpy as np

from app.scene.frame import Floats, GroundMesh, LocalFrame
from twin.model.county import County, Feature

STREET_RANK = {"expressway": 2, "main": 2, "county": 3, "secondary": 3, "rail": 3, "local": 4}
NAME_LIFT_M = 4.0
SPOTS_PER_STREET = 5
REACH_M = 70.0
"""Half length of the stretch of street whose direction its name takes."""
_AREAS = {"reservoir": 2, "square": 3}


def list_names(county: County, frame: LocalFrame, mesh: GroundMesh) -> list[dict[str, Any]]:
    """Names with their places.

    Returns
    -------
    One table per name: ``kind`` (township, village, street, water, place), ``name``, ``name_en``, ``rank``
    (1 is shown first), and ``spots``: places that will do, in order; a spot is one point [x, y, z], or two
    for a name that lies along them, local metres
    """
    return [*_admin(county, frame, mesh), *_streets(county, frame, mesh), *_areas(county, frame, mesh)]


def _admin(county: County, frame: LocalFrame, mesh: GroundMesh) -> list[dict[str, Any]]:
    seats = {(round(p.lon, 5), round(p.lat, 5)) for p in county.places if p.kind == "township"}
    rows = []
    for place in county.places:
        if place.kind not in ("township", "community"):
            continue
        village = place.kind == "community"
        if village and (round(place.lon, 5), round(place.lat, 5)) in seats:
            continue
        spot = _lift(frame.path_to_local([(place.lon, place.lat)]), mesh)
        rows.append(
            _name(
                "village" if village else "township", place.name, place.name_en, 2 if village else 1, [spot]
            )
        )
    return rows


def _streets(county: County, frame: LocalFrame, mesh: GroundMesh) -> list[dict[str, Any]]:
    longest: dict[str, tuple[float, Feature, Floats]] = {}
    for f in county.features:
        street = f.layer == "road" and f.props.get("class", "secondary") in STREET_RANK
        if f.shape != "line" or not f.name or not (street or f.layer == "river"):
            continue
        line = frame.path_to_local(f.path)
        length = float(np.hypot(*np.diff(line, axis=0).T).sum())
        if length > longest.get(f.name, (0.0,))[0]:
            longest[f.name] = (length, f, line)
    rows = []
    for length, f, line in longest.values():
        if length < 3 * REACH_M:
            continue
        name = f.name.removesuffix("中线")
        water = f.layer == "river"
        rank = 1 if water else STREET_RANK[str(f.props.get("class", "secondary"))]
        spots = [
            [*_lift(_at(line, at * length - REACH_M), mesh), *_lift(_at(line, at * length + REACH_M), mesh)]
            for at in (0.5, 0.3, 0.7, 0.15, 0.85)[:SPOTS_PER_STREET]
        ]
        rows.append(_name("water" if water else "street", name, "", rank, spots))
    return rows


def _areas(county: County, frame: LocalFrame, mesh: GroundMesh) -> list[dict[str, Any]]:
    rows = []
    for f in county.features:
        use = str(f.props.get("use", f.layer))
        if use in _AREAS and f.name and f.shape == "polygon":
            middle = frame.path_to_local(f.path[:-1]).mean(axis=0, keepdims=True)
            kind = "water" if use == "reservoir" else "place"
            rows.append(_name(kind, f.name, "", _AREAS[use], [_lift(middle, mesh)]))
    return rows


def _name(kind: str, name: str, name_en: str, rank: int, spots: list[list[float]]) -> dict[str, Any]:
    return {"kind": kind, "name": name, "name_en": name_en, "rank": rank, "spots": spots}


def _at(line: Floats, along_m: float) -> Floats:
    """Place (1, 2) at a distance along a line."""
    step = np.hypot(*np.diff(line, axis=0).T)
    s = np.concatenate([[0.0], np.cumsum(step)])
    at = np.clip(along_m, 0.0, s[-1])
    return np.array([[np.interp(at, s, line[:, 0]), np.interp(at, s, line[:, 1])]])


def _lift(xy: Floats, mesh: GroundMesh) -> list[float]:
    z = float(mesh.height_at(xy)[0]) + NAME_LIFT_M
    return [round(float(xy[0, 0]), 1), round(float(xy[0, 1]), 1), round(z, 1)]
