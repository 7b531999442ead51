"""From the county's tables to arrays in the scene's frame: roads, buildings, shadows, pipes, stations.

Pure: a county in, numbers out. Heights come from the ground mesh, so that everything stands on the picture.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from app.scene.buffers import join_ragged, repeat_per_vertex
from app.scene.frame import Floats, GroundMesh, LocalFrame
from app.scene.texts import SCENE_TEXTS
from twin.model.county import Building, County, Feature
from twin.model.network import Side

SUN_AZIMUTH_DEG = 238.0
"""Where the light comes from, clockwise from north: low in the south-west, so fronts facing a viewer
in the south are lit and the shadows fall away from them."""
SUN_ELEVATION_DEG = 42.0
WATER_USES = ("water", "reservoir", "pond")
WATER_LIFT_M, WATER_STEP_M = 0.4, 60.0
ROAD_LIFT_M = 0.6
SHADOW_LIFT_M = 0.9
PIPE_LIFT_M = 2.0
MARKER_LIFT_M = 46.0
"""Markers hang this far above the roofs of an ordinary block, on a stem down to the ground."""
DRAWN_WIDTH_PER_DIAMETER = 9.0
"""Pipes are drawn this much wider than they are; true width would be half a pixel."""

Indices = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines: ``vertices`` (n, 3) local metres, ``starts`` (k + 1,), ``width_m`` (n,) per vertex,
    ``row`` (k,) which row of the county's table each line is."""

    vertices: NDArray[np.float32]
    starts: Indices
    width_m: NDArray[np.float32]
    row: Indices


@dataclass(frozen=True, slots=True)
class Polygons:
    """Rings without holes, closed, clockwise. ``elevation_m`` (n,) wall height per vertex."""

    vertices: NDArray[np.float32]
    starts: Indices
    elevation_m: NDArray[np.float32]
    row: Indices


def sun_direction() -> Floats:
    """Unit vector (east, north, up) from the ground towards the sun."""
    azimuth, elevation = np.radians(SUN_AZIMUTH_DEG), np.radians(SUN_ELEVATION_DEG)
    return np.array(
        [np.sin(azimuth) * np.cos(elevation), np.cos(azimuth) * np.cos(elevation), np.sin(elevation)]
    )


def _as_lines(parts: list[Floats], widths_m: list[float], rows: list[int]) -> Lines:
    vertices, starts = join_ragged(parts, 3)
    width = repeat_per_vertex(np.asarray(widths_m, np.float32), starts)
    return Lines(vertices, starts, width, np.asarray(rows, np.uint32))


def _clockwise(ring: Floats) -> Floats:
    """Closed, clockwise ring without repeated vertices, from any ring of (n, 2)."""
    if np.allclose(ring[0], ring[-1]):
        ring = ring[:-1]
    x, y = ring[:, 0], ring[:, 1]
    area2 = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    ordered = ring[::-1] if area2 > 0.0 else ring
    return np.vstack([ordered, ordered[:1]])


def find_roads(county: County) -> list[Feature]:
    """Roads in the order they are drawn: lanes, the others by width, rails and expressways on top."""
    roads = [f for f in county.features if f.layer == "road" and f.shape == "line" and len(f.path) > 1]
    over = {"lane": -1, "rail": 1, "expressway": 2}
    roads.sort(key=lambda f: (over.get(str(f.props.get("class")), 0), float(f.props.get("width_m", 8.0))))
    return roads


def make_roads(county: County, frame: LocalFrame, mesh: GroundMesh) -> Lines:
    """Roads draped over the ground; ``row`` is the position in ``find_roads``."""
    roads = find_roads(county)
    widths = [float(f.props.get("width_m", 8.0)) for f in roads]
    parts = [
        _over_edges(mesh.drape(frame.path_to_local(f.path), ROAD_LIFT_M), w, mesh)
        for f, w in zip(roads, widths, strict=True)
    ]
    return _as_lines(parts, widths, list(range(len(roads))))


def _over_edges(line: Floats, width_m: float, mesh: GroundMesh) -> Floats:
    """A ribbon is level across: lift it where its upper edge would lie in the slope."""
    way = np.gradient(line[:, :2], axis=0)
    way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]
    side = np.column_stack([-way[:, 1], way[:, 0]]) * (width_m / 2)
    edges = np.maximum(mesh.height_at(line[:, :2] + side), mesh.height_at(line[:, :2] - side))
    return np.column_stack([line[:, :2], np.maximum(line[:, 2], edges + ROAD_LIFT_M)])


def make_trees(county: County, frame: LocalFrame, mesh: GroundMesh) -> NDArray[np.float32]:
    """Foot of every tree of the rows along streets and banks, (n, 3) local metres."""
    rows = [f for f in county.features if f.layer == "tree_row" and len(f.path) > 1]
    spots = [place_trees(frame.path_to_local(f.path), f) for f in rows]
    xy = np.concatenate(spots) if spots else np.zeros((0, 2))
    return np.column_stack([xy, mesh.height_at(xy) if len(xy) else xy[:, 0]]).astype(np.float32)


def place_trees(line: Floats, row: Feature) -> Floats:
    """Places (n, 2) along a row of trees by its ``spacing_m``."""
    spacing = float(row.props.get("spacing_m", 12.0))
    step = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(step)])
    at = np.arange(spacing / 2, along[-1], spacing)
    return np.column_stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])])


def make_pipes(county: County, frame: LocalFrame, mesh: GroundMesh, side: Side) -> Lines:
    """Pipes of one side, on the ground, always drawn from ``from_node`` to ``to_node``; thin ones first.

    ``row`` is the position in ``county.network.pipes``.
    """
    rows = [i for i, p in enumerate(county.network.pipes) if p.side is side and len(p.path) > 1]
    rows.sort(key=lambda i: county.network.pipes[i].diameter_m)
    pipes = [county.network.pipes[i] for i in rows]
    parts = [mesh.drape(frame.path_to_local(p.path), PIPE_LIFT_M) for p in pipes]
    widths = [float(np.clip(p.diameter_m * DRAWN_WIDTH_PER_DIAMETER, 1.4, 9.0)) for p in pipes]
    return _as_lines(parts, widths, rows)


def find_true_pipes(county: County, pipes: Lines) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Metres (k,) by which each of ``pipes`` truly lies under its drawn line; inner diameters (k,), m."""
    rows = [county.network.pipes[i] for i in pipes.row]
    drop = np.array([PIPE_LIFT_M + p.depth_m for p in rows], np.float32)
    return drop, np.array([p.diameter_m for p in rows], np.float32)


def _rings(county: County, frame: LocalFrame) -> list[tuple[int, Building, Floats]]:
    return [
        (i, b, _clockwise(frame.path_to_local(b.footprint)))
        for i, b in enumerate(county.buildings)
        if len(b.footprint) >= 4
    ]


def make_buildings(county: County, frame: LocalFrame, mesh: GroundMesh) -> Polygons:
    """Buildings from the lowest ground under them up to their roof; ``row`` in ``county.buildings``."""
    parts, heights, rows = [], [], []
    for i, building, ring in _rings(county, frame):
        ground = mesh.height_at(ring)
        base = float(ground.min()) - 0.5
        parts.append(np.column_stack([ring, np.full(len(ring), base)]))
        heights.append(float(ground.mean()) - base + max(building.height_m, 2.5))
        rows.append(i)
    vertices, starts = join_ragged(parts, 3)
    elevation = repeat_per_vertex(np.asarray(heights, np.float32), starts)
    return Polygons(vertices, starts, elevation, np.asarray(rows, np.uint32))


def make_waters(county: County, frame: LocalFrame, mesh: GroundMesh) -> Polygons:
    """Rivers, lakes and ponds a hand above their bed; streams, which are lines, by their width."""
    parts = []
    rivers = {f.id for f in county.features if f.layer == "river" and f.shape == "polygon"}
    for f in county.features:
        if not is_water(f) or len(f.path) < 2 or f.id.removesuffix("C") in rivers - {f.id}:
            continue  # a river's middle line has its river
        line = frame.path_to_local(f.path)
        if f.shape == "polygon" and len(line) > 3:
            shape = shapely.Polygon(line)
        else:
            shape = shapely.LineString(line).buffer(float(f.props.get("width_m", 10.0)) / 2, quad_segs=2)
        for part in shapely.get_parts(shape if shape.is_valid else shape.buffer(0)):
            ring = _clockwise(shapely.get_coordinates(shapely.segmentize(part.exterior, WATER_STEP_M)))
            parts.append(np.column_stack([ring, mesh.height_at(ring) + WATER_LIFT_M]))
    vertices, starts = join_ragged(parts, 3)
    return Polygons(
        vertices, starts, np.zeros(len(vertices), np.float32), np.arange(len(parts), dtype=np.uint32)
    )


def is_water(feature: Feature) -> bool:
    """River, lake or pond."""
    return feature.layer == "river" or feature.props.get("use") in WATER_USES


def make_shadows(county: County, frame: LocalFrame, mesh: GroundMesh) -> Polygons:
    """Shadows that the buildings cast on the ground, merged so that none darkens another.

    A merged shadow with holes loses them; at the size of a yard that cannot be seen.
    """
    sun = sun_direction()
    away = -sun[:2] / sun[2]
    hulls = []
    for _, building, ring in _rings(county, frame):
        cast = ring + away * min(building.height_m, 60.0)
        hulls.append(shapely.convex_hull(shapely.multipoints(np.vstack([ring, cast]))))
    merged = shapely.get_parts(shapely.union_all(shapely.simplify(hulls, 0.3))) if hulls else []
    parts = []
    for polygon in merged:
        if polygon.geom_type != "Polygon" or polygon.area < 4.0:
            continue
        ring = _clockwise(shapely.get_coordinates(polygon.exterior))
        parts.append(np.column_stack([ring, mesh.height_at(ring) + SHADOW_LIFT_M]))
    vertices, starts = join_ragged(parts, 3)
    return Polygons(
        vertices, starts, np.zeros(len(vertices), np.float32), np.arange(len(parts), dtype=np.uint32)
    )


def list_places(county: County, frame: LocalFrame, mesh: GroundMesh) -> list[dict[str, Any]]:
    """Sources and substations as the scene's markers.

    Returns
    -------
    One table per place: ``id, kind, name, name_en, short, short_en``, ``ground`` and ``top`` (x, y, z in
    local metres), ``lonlat``, ``node`` (row in the node table), ``area_m2``, ``points`` (key -> point no)
    """
    point_nos: dict[str, dict[str, int]] = {}
    for point in county.points:
        point_nos.setdefault(point.place_id, {})[point.key] = point.no
    rows: list[dict[str, Any]] = []
    network = county.network
    word, word_en = SCENE_TEXTS["scene.station_word"]
    for kind, places in (("source", network.sources), ("station", network.substations)):
        for place in places:
            xy = frame.path_to_local([(place.lon, place.lat)])
            z = float(mesh.height_at(xy)[0])
            x, y = (round(float(v), 2) for v in xy[0])
            wanted = ("src_ts", "src_tr", "src_flow", "src_heat", "p1_ts", "p1_tr", "p1_flow", "p1_heat")
            nos = point_nos.get(place.id, {})
            rows.append(
                {
                    "id": place.id,
                    "kind": kind,
                    "name": place.name,
                    "name_en": place.name_en,
                    "short": shorten(place.name, word),
                    "short_en": shorten(place.name_en, word_en),
                    "ground": [x, y, round(z, 2)],
                    "top": [x, y, round(z + MARKER_LIFT_M, 2)],
                    "lonlat": [place.lon, place.lat],
                    "node": network.node_index.get(place.node_id, -1),
                    "area_m2": getattr(place, "area_m2", 0.0),
                    "points": {key: nos[key] for key in wanted if key in nos},
                }
            )
    return rows


def shorten(name: str, word: str) -> str:
    """A station's name without the word station: beside its marker 安和苑 is enough."""
    short = name.removesuffix(word).strip()
    return short if len(short) > 1 else name


def list_buildings(county: County) -> dict[str, list[Any]]:
    """What a hover card says of a building, column by column, in the order of ``county.buildings``."""
    stations = {s.id: i for i, s in enumerate(county.network.substations)}
    homes = [p.id for p in county.places if p.kind in ("county", "township", "community")]
    places = {p: k for k, p in enumerate(homes)}
    rows = county.buildings
    return {
        "id": [b.id for b in rows],
        "name": [b.name for b in rows],
        "use": [b.use for b in rows],
        "floors": [b.floors for b in rows],
        "year": [b.year for b in rows],
        "homes": [b.homes for b in rows],
        "area_m2": [round(b.area_m2) for b in rows],
        "heated": [int(b.heated) for b in rows],
        "station": [stations.get(b.substation_id, -1) for b in rows],
        "place": [places.get(b.community_id, -1) for b in rows],
        "load_w": [round(b.design_heat_w) if b.heated else 0 for b in rows],
        "heat_index": [round(b.design_heat_w / b.area_m2, 1) if b.heated and b.area_m2 else 0 for b in rows],
    }


PITCH_DEG = 48.0
OVERVIEW_PITCH_DEG = 60.0
ROOM_ABOVE = 0.13
OVERVIEW_ROOM_ABOVE = 0.40
"""Share of the picture's height above the network: for labels, and on the overview for the hills."""


def find_focus(county: County, frame: LocalFrame, mesh: GroundMesh) -> dict[str, dict[str, Any]]:
    """What the first view of a page must show: the hull of the network; on the overview the valley around it.

    Returns
    -------
    For ``network`` and ``overview``: ``hull``: list of (x, y, z) local metres; ``bearing``: degrees that lay
    the long axis across the screen, within -40..40, so that north stays roughly up; ``pitch``: degrees from
    above; ``above``: share of the height kept free above the hull
    """
    if county.network.nodes:
        degrees = np.array([(n.lon, n.lat) for n in county.network.nodes])
    else:
        degrees = np.array([county.meta.center])
    xy = frame.to_local(degrees[:, 0], degrees[:, 1])
    hull = xy
    bearing = 0.0
    if len(xy) > 2:
        ring = shapely.get_coordinates(shapely.convex_hull(shapely.multipoints(xy)))
        hull = ring[:-1] if len(ring) > 3 else ring
        _, _, axes = np.linalg.svd(xy - xy.mean(axis=0), full_matrices=False)
        angle = float(np.degrees(np.arctan2(axes[0, 1], axes[0, 0])))
        angle = (angle + 90.0) % 180.0 - 90.0
        bearing = float(np.clip(-angle, -40.0, 40.0))
    points = np.column_stack([hull, mesh.height_at(hull)]).round(1).tolist()
    views = {"network": (PITCH_DEG, ROOM_ABOVE), "overview": (OVERVIEW_PITCH_DEG, OVERVIEW_ROOM_ABOVE)}
    return {
        name: {"hull": points, "bearing": round(bearing, 1), "pitch": pitch, "above": above}
        for name, (pitch, above) in views.items()
    }
