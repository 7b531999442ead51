"""The county as an airborne camera meets it: everything in local metres, with what can be seen of it."""

import zlib
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.strtree import STRtree

from twin.model.county import Building, County, Feature

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]
"""West, south, east, north, metres."""

SUN_AZIMUTH_DEG, SUN_ELEVATION_DEG = 214.0, 35.0
"""Where the sun stood at the flight, early on a winter's afternoon."""
TOWN_USES = frozenset(
    {"residence", "shop", "industry", "school", "office", "hospital", "market", "government",
     "bus_station", "stadium", "plant", "chimney", "cooling_tower", "station_house"}
)  # fmt: skip
COTTAGES = frozenset({"village", "old_town", "urban_village"})
_A_M, _E2 = 6378137.0, 0.00669437999014


def sun_vector() -> Floats:
    """Unit vector (east, north, up) towards the sun."""
    a, e = np.radians(SUN_AZIMUTH_DEG), np.radians(SUN_ELEVATION_DEG)
    return np.array([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])


SUN = sun_vector()
SHADOW = -SUN[:2] / SUN[2]
"""Where a metre of height throws its shadow, metres east and north."""


def pick(text: str, salt: int, count: int) -> int:
    """A whole number below ``count`` that belongs to a name for ever."""
    return zlib.crc32(f"{salt}/{text}".encode()) % count


@dataclass(frozen=True, slots=True)
class Plane:
    """Local metres about the county's centre, and the way to the earth-centred frame."""

    lon: float
    lat: float

    @property
    def metres_per_degree(self) -> tuple[float, float]:
        """East and north, by the radii of WGS 84 at the centre."""
        s2 = np.sin(np.radians(self.lat)) ** 2
        n = _A_M / np.sqrt(1.0 - _E2 * s2)
        m = _A_M * (1.0 - _E2) / (1.0 - _E2 * s2) ** 1.5
        return float(np.radians(n * np.cos(np.radians(self.lat)))), float(np.radians(m))

    def to_local(self, degrees: object) -> Floats:
        """(n, 2) degrees to metres."""
        east, north = self.metres_per_degree
        values = np.asarray(degrees, float).reshape(-1, 2)
        return np.asarray((values - np.array([self.lon, self.lat])) * np.array([east, north]))

    def to_degrees(self, xy: Floats) -> Floats:
        """(n, 2) metres to degrees."""
        east, north = self.metres_per_degree
        return np.asarray(xy / np.array([east, north]) + np.array([self.lon, self.lat]))


@dataclass(frozen=True, slots=True, eq=False)
class House:
    """A building: ``ring`` (n, 2) open, counter-clockwise; ``base_m`` above the sea."""

    row: int
    id: str
    use: str
    year: int
    floors: int
    height_m: float
    base_m: float
    ring: Floats
    shape: Polygon = field(repr=False)

    def number(self, salt: int, count: int) -> int:
        """A number of its own."""
        return pick(self.id, salt, count)


@dataclass(frozen=True, slots=True)
class Patch:
    """A piece of ground: land use, water, car park, square; ``xy`` its outline, or its line."""

    id: str
    use: str
    xy: Floats
    area_m2: float


@dataclass(frozen=True, slots=True)
class Street:
    """A road: ``kind`` its class."""

    id: str
    kind: str
    width_m: float
    xy: Floats


@dataclass(frozen=True)
class World:
    """All that is painted and built, with an index of each kind."""

    plane: Plane
    extent: Box
    seed: int
    county: County = field(repr=False)
    houses: list[House] = field(repr=False)
    patches: list[Patch] = field(repr=False)
    streets: list[Street] = field(repr=False)
    waters: list[Patch] = field(repr=False)
    tree_rows: list[tuple[Floats, float]] = field(repr=False)
    nodes: Floats = field(repr=False)
    _trees: dict[str, STRtree] = field(repr=False)

    def ground(self, xy: Floats) -> Floats:
        """Height of the ground above the sea at (n, 2) metres."""
        degrees = self.plane.to_degrees(xy)
        return np.asarray(self.county.terrain.height_at(degrees[:, 0], degrees[:, 1]))

    def near(self, kind: str, box: Box, room_m: float = 0.0) -> list[int]:
        """Rows of ``kind`` (houses, patches, streets, waters) that meet the box, in drawing order."""
        west, south, east, north = box
        area = shapely.box(west - room_m, south - room_m, east + room_m, north + room_m)
        return sorted(int(i) for i in self._trees[kind].query(area))

    def has_network(self, box: Box) -> bool:
        """Whether a node of the heat network lies in the box."""
        x, y = self.nodes[:, 0], self.nodes[:, 1]
        return bool(((x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3])).any())


def _house(row: int, b: Building, plane: Plane, county: County) -> House | None:
    if len(b.footprint) < 4:
        return None
    ring = plane.to_local(b.footprint)[:-1]
    shape = shapely.geometry.polygon.orient(Polygon(ring))
    if not shape.is_valid or shape.area < 4.0:
        return None
    ring = np.asarray(shape.exterior.coords)[:-1]
    degrees = plane.to_degrees(ring)
    base = float(county.terrain.height_at(degrees[:, 0], degrees[:, 1]).min())
    return House(row, b.id, b.use, b.year, b.floors, max(b.height_m, 2.5), base, ring, shape)


def _use(feature: Feature) -> str:
    same = {"forest": "wood", "farmland": "field", "sports": "pitch"}
    use = str(feature.props.get("use", feature.layer))
    return same.get(use, use)


def _patch(feature: Feature, plane: Plane) -> Patch:
    xy = plane.to_local(feature.path)
    area = Polygon(xy).area if feature.shape == "polygon" and len(xy) > 3 else 0.0
    return Patch(feature.id, _use(feature), xy, area)


ROAD_ORDER = {"lane": 0, "village": 1, "local": 2, "county": 3, "secondary": 4, "main": 5, "rail": 6, "expressway": 7}  # fmt: skip


def make_world(county: County) -> World:
    """Lay out ``county`` for the survey."""
    plane = Plane(*county.meta.center)
    t = county.terrain
    n_lat, n_lon = t.height_m.shape
    corners = plane.to_local(
        [(t.lon0, t.lat0), (t.lon0 + t.dlon * (n_lon - 1), t.lat0 + t.dlat * (n_lat - 1))]
    )
    extent = (*(float(v) for v in corners[0]), *(float(v) for v in corners[1]))
    houses = [h for i, b in enumerate(county.buildings) if (h := _house(i, b, plane, county))]
    ground: list[Patch] = []
    waters: list[Patch] = []
    rows: list[tuple[Floats, float]] = []
    for f in county.features:
        if f.layer == "tree_row" and len(f.path) > 1:
            rows.append((plane.to_local(f.path), float(f.props.get("spacing_m", 11.0))))
        elif f.layer == "river" and f.shape != "point" and not f.id.endswith("C"):
            waters.append(_patch(f, plane))
        elif f.layer in ("landuse", "carpark", "square") and f.shape == "polygon":
            patch = _patch(f, plane)
            (waters if patch.use in ("water", "reservoir", "pond") else ground).append(patch)
    ground.sort(key=lambda p: (-p.area_m2, p.id))
    streets = [
        Street(
            f.id,
            str(f.props.get("class", "local")),
            float(f.props.get("width_m", 8.0)),
            plane.to_local(f.path),
        )
        for f in county.features
        if f.layer == "road" and len(f.path) > 1
    ]
    streets.sort(key=lambda s: (ROAD_ORDER.get(s.kind, 2), s.width_m, s.id))
    nodes = plane.to_local([(n.lon, n.lat) for n in county.network.nodes])
    index = {
        "houses": STRtree([h.shape for h in houses]),
        "shadows": STRtree([_shadow_box(h) for h in houses]),
        "patches": STRtree([_hull(p.xy) for p in ground]),
        "waters": STRtree([_hull(p.xy) for p in waters]),
        "streets": STRtree([shapely.LineString(s.xy).buffer(s.width_m, quad_segs=2) for s in streets]),
    }
    return World(
        plane, extent, county.meta.seed or 0, county, houses, ground, streets, waters, rows, nodes, index  # type: ignore[arg-type]
    )  # fmt: skip


def _hull(xy: Floats) -> Polygon:
    """The outline where it is sound, else what surrounds it."""
    if len(xy) > 3 and (xy[0] == xy[-1]).all():
        shape = Polygon(xy)
        if shape.is_valid:
            return shape
    return shapely.convex_hull(shapely.multipoints(xy)).buffer(12.0)


def _shadow_box(house: House) -> Polygon:
    cast = house.ring + SHADOW * house.height_m
    return shapely.convex_hull(shapely.multipoints(np.vstack([house.ring, cast])))
