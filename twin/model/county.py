"""The county: places, buildings, devices, points, features, terrain and the heat network.

Places form one tree: county > township > community > building or station > device > point.
Lon/lat are WGS 84 degrees; heights are metres above sea level unless named ``height_m`` (above ground).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.model.network import HeatNetwork, LonLat


@dataclass(frozen=True, slots=True)
class CountyMeta:
    """What ``county.toml`` says. ``demo`` makes every page say 演示数据."""

    adcode: str
    name: str
    name_en: str
    center: LonLat
    design_outdoor_c: float
    room_target_c: float = 18.0
    season_start: str = "11-01"
    season_end: str = "03-31"
    timezone: str = "Asia/Shanghai"
    demo: bool = False
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Administrative place. ``kind``: county, township, community. ``boundary``: closed ring or empty."""

    id: str
    kind: str
    name: str
    name_en: str
    parent_id: str
    lon: float
    lat: float
    boundary: tuple[LonLat, ...] = ()


@dataclass(frozen=True, slots=True)
class Building:
    """One building; ``footprint`` is a closed ring. Heated buildings name their substation.

    ``ua_w_k`` total heat loss coefficient, ``capacity_j_k`` effective heat capacity (the design values
    a survey would give), ``circuit_*``: the lumped secondary circuit that feeds it. ``address``: the postal
    one, as on the door plate, such as 建设路12号; empty where it is not known. Factors on what is usual,
    never in a county's files but learnt by calibration: ``gain_factor`` on what people and sun bring,
    ``wind_factor`` on what wind takes, ``air_factor`` on the part of the capacity that follows the air.
    """

    id: str
    name: str
    community_id: str
    use: str
    footprint: tuple[LonLat, ...]
    ground_m: float
    height_m: float
    floors: int
    year: int
    heated: bool
    area_m2: float
    homes: int
    substation_id: str = ""
    design_heat_w: float = 0.0
    ua_w_k: float = 0.0
    capacity_j_k: float = 0.0
    circuit_length_m: float = 0.0
    circuit_flow_kg_s: float = 0.0
    address: str = ""
    gain_factor: float = 1.0
    wind_factor: float = 1.0
    air_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Device:
    """Something that sends messages. ``place_id`` is a station, source, building or feature.
    ``dialect``: name of an adapter, such as flat or sparkplug. ``external_id``: what the vendor calls it
    on the wire."""

    id: str
    kind: str
    name: str
    place_id: str
    dialect: str
    external_id: str
    vendor: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One measured number. ``no`` is its position in ``County.points`` and its key in the store;
    it never changes once given. ``external_key`` and ``unit`` are the vendor's (see ``VENDOR_UNITS``)."""

    no: int
    id: str
    device_id: str
    place_id: str
    key: str
    quantity: str
    external_key: str
    unit: str
    period_s: float
    deadband: float
    low: float
    high: float
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Feature:
    """A plain feature for the scene and later applications.

    ``layer``: road, river, landuse, carpark, junction, river_gauge, camera, square, weather_station.
    ``shape``: point, line, polygon; ``path``: its vertices (closed ring for a polygon).
    ``props``: flat table of text and numbers.
    """

    id: str
    layer: str
    name: str
    shape: str
    path: tuple[LonLat, ...]
    props: dict[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terrain:
    """Regular grid of ground heights. ``height_m``: (n_lat, n_lon), row 0 is the southern edge."""

    lon0: float
    lat0: float
    dlon: float
    dlat: float
    height_m: NDArray[np.float64]

    def height_at(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bilinear ground height in metres at ``lon``, ``lat`` (same shape); clamped to the edge."""
        n_lat, n_lon = self.height_m.shape
        x = np.clip((np.asarray(lon, float) - self.lon0) / self.dlon, 0.0, n_lon - 1.000001)
        y = np.clip((np.asarray(lat, float) - self.lat0) / self.dlat, 0.0, n_lat - 1.000001)
        i, j = y.astype(int), x.astype(int)
        fy, fx = y - i, x - j
        z = self.height_m
        low = z[i, j] * (1 - fx) + z[i, j + 1] * fx
        high = z[i + 1, j] * (1 - fx) + z[i + 1, j + 1] * fx
        height: NDArray[np.float64] = low * (1 - fy) + high * fy
        return height

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Terrain):
            return NotImplemented
        mine = (self.lon0, self.lat0, self.dlon, self.dlat)
        theirs = (other.lon0, other.lat0, other.dlon, other.dlat)
        return mine == theirs and np.array_equal(self.height_m, other.height_m)


@dataclass(frozen=True, slots=True)
class County:
    """Everything known about one county before the first message arrives."""

    meta: CountyMeta
    places: tuple[Place, ...]
    buildings: tuple[Building, ...]
    network: HeatNetwork
    devices: tuple[Device, ...]
    points: tuple[Point, ...]
    features: tuple[Feature, ...]
    terrain: Terrain
    point_by_id: dict[str, Point] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "point_by_id", {p.id: p for p in self.points})
