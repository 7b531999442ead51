"""The county file as a table: layers, columns, units, types, defaults.

This table feeds the writer, the reader, the importer and the tables of ``docs/county-format.md``
(a test compares them). A column is named like the field of the record it fills.
"""

from dataclasses import dataclass
from typing import Any, Final

from twin.model.county import Building, Device, Feature, Place, Point
from twin.model.network import Node, Pipe, Pump, Source, Substation, Valve


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()

TERRAIN_LAYER = "terrain"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``kind``: text, float, int, bool, curve (JSON list of pairs), props (JSON object).

    ``default`` is used for an empty cell or an absent column; ``REQUIRED`` means there is none.
    ``derived`` says how the importer fills the column when the mapping leaves it out.
    """

    name: str
    kind: str
    unit: str
    text: str
    default: Any = REQUIRED
    derived: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer. ``geometry``: point (fields lon, lat), line (path), ring (``ring_field``), any (shape and
    path) or none. ``ring_optional``: a feature without a ring is legal."""

    name: str
    zh: str
    record: type
    geometry: str
    columns: tuple[Column, ...]
    ring_field: str = ""
    ring_optional: bool = False

    @property
    def gdal_type(self) -> str | None:
        """Geometry type of the layer in the GeoPackage."""
        return {"point": "Point", "line": "LineString", "ring": "Polygon", "any": "Unknown"}.get(
            self.geometry
        )


def _id(text: str) -> Column:
    return Column("id", "text", "", text, derived="numbered by row")


_NAME_EN = Column("name_en", "text", "", "English name", default="")

_PLACES = (
    _id("administrative code or own code"),
    Column("kind", "text", "", "county, township or community"),
    Column("name", "text", "", "Chinese name"),
    _NAME_EN,
    Column("parent_id", "text", "", "id of the place above; empty for the county", default=""),
    Column("lon", "float", "°", "longitude of the label", derived="inside the boundary"),
    Column("lat", "float", "°", "latitude of the label", derived="inside the boundary"),
)

_BUILDINGS = (
    _id("building id"),
    Column("name", "text", "", "name", default=""),
    Column("community_id", "text", "", "place of kind community", derived="the nearest community"),
    Column("use", "text", "", "residential, school, hospital, shop, ...", default="residential"),
    Column("ground_m", "float", "m", "ground height above sea level", derived="from the terrain"),
    Column("height_m", "float", "m", "height above ground", derived="3 m per floor"),
    Column("floors", "int", "", "floors above ground", derived="height / 3 m"),
    Column("year", "int", "", "year built, 0 = unknown", default=0),
    Column("heated", "bool", "", "fed by the heat network", derived="true when substation_id is given"),
    Column("area_m2", "float", "m²", "heated floor area", derived="footprint times floors"),
    Column("homes", "int", "", "number of homes", default=0),
    Column("substation_id", "text", "", "substation that feeds it", default=""),
    Column("design_heat_w", "float", "W", "design heat load", 0.0, derived="area times heat index"),
    Column("ua_w_k", "float", "W/K", "heat loss coefficient", 0.0, derived="design heat / design difference"),
    Column("capacity_j_k", "float", "J/K", "effective heat capacity", 0.0, derived="ua times 80 h"),
    Column("circuit_length_m", "float", "m", "length of its secondary circuit", 0.0, derived="2 x distance"),
    Column("circuit_flow_kg_s", "float", "kg/s", "design flow of that circuit", 0.0, derived="heat / 25 K"),
    Column("address", "text", "", "postal address, such as 建设路12号", default=""),
)

_NODES = (
    _id("node id"),
    Column("elevation_m", "float", "m", "pipe axis above sea level", derived="terrain minus 1.5 m"),
    Column("kind", "text", "", "junction, chamber, source or substation", default="junction"),
)

_PIPES = (
    _id("pipe id"),
    Column(
        "pair_id", "text", "", "id shared by the two pipes of a trench", derived="pipes with the same ends"
    ),
    Column("side", "text", "", "supply or return"),
    Column("from_node", "text", "", "node at the first position of the line", derived="by position"),
    Column("to_node", "text", "", "node at the last position of the line", derived="by position"),
    Column("length_m", "float", "m", "laid length", derived="drawn length"),
    Column("diameter_m", "float", "m", "inner diameter"),
    Column("roughness_m", "float", "m", "sand roughness", default=0.0005),
    Column("u_w_m_k", "float", "W/(m·K)", "heat loss per metre and kelvin to the ground", default=0.35),
    Column("zeta", "float", "", "sum of minor-loss coefficients", default=0.0),
    Column("depth_m", "float", "m", "depth of the axis below ground", default=1.5),
    Column("year", "int", "", "year laid, 0 = unknown", default=0),
)

_VALVES = (
    _id("valve id"),
    Column("pipe_id", "text", "", "pipe it sits in", derived="the nearest pipe"),
    Column("kind", "text", "", "section, check or control", default="section"),
    Column("kv_m3_h", "float", "m³/h", "flow at 1 bar when open"),
    Column("opening", "float", "", "0 (shut) to 1 (open)", default=1.0),
)

_PUMPS = (
    _id("pump id"),
    Column("place_id", "text", "", "source or substation it belongs to"),
    Column("kind", "text", "", "circulation, make_up, ...", default="circulation"),
    Column("dp0_pa", "float", "Pa", "rise at zero flow, full speed"),
    Column("c_pa_s2_m6", "float", "Pa·s²/m⁶", "fall of the rise with the squared flow"),
    Column("speed", "float", "", "speed, 1 = full", default=1.0),
    Column("rated_w", "float", "W", "rated electric power", default=0.0),
)

_SOURCES = (
    _id("source id"),
    Column("name", "text", "", "Chinese name"),
    _NAME_EN,
    Column("kind", "text", "", "chp or boiler", default="boiler"),
    Column("node_id", "text", "", "node it feeds", derived="the nearest node"),
    Column("capacity_w", "float", "W", "largest heat output"),
    Column("min_w", "float", "W", "smallest stable heat output", default=0.0),
    Column("ramp_w_s", "float", "W/s", "fastest change of output", default=1.0e4),
    Column("efficiency", "float", "", "heat out per fuel in", default=0.9),
    Column("t_supply_design_c", "float", "°C", "design supply temperature", default=110.0),
    Column("t_return_design_c", "float", "°C", "design return temperature", default=60.0),
    Column("p_supply_pa", "float", "Pa", "gauge pressure of its supply side", default=8.0e5),
    Column("p_return_pa", "float", "Pa", "gauge pressure of its return side", default=3.0e5),
    Column("holds_pressure", "bool", "", "it holds p_return_pa", derived="true for the largest source"),
)

_SUBSTATIONS = (
    _id("substation id"),
    Column("name", "text", "", "Chinese name"),
    _NAME_EN,
    Column("node_id", "text", "", "node it hangs on", derived="the nearest node"),
    Column("community_id", "text", "", "place of kind community", derived="the nearest community"),
    Column("area_m2", "float", "m²", "heated floor area", derived="sum of its buildings"),
    Column("design_heat_w", "float", "W", "design heat load", derived="area times heat index"),
    Column("design_flow_kg_s", "float", "kg/s", "primary design flow", derived="heat / 50 K"),
    Column("secondary_flow_kg_s", "float", "kg/s", "secondary design flow", derived="heat / 25 K"),
    Column("hx_ua_w_k", "float", "W/K", "exchanger at design", derived="heat / mean difference"),
    Column("kv_m3_h", "float", "m³/h", "primary control valve, open", derived="1.5 x design flow at 1 bar"),
    Column("t_secondary_supply_c", "float", "°C", "secondary design supply", default=75.0),
    Column("t_secondary_return_c", "float", "°C", "secondary design return", default=50.0),
    Column("p_secondary_return_pa", "float", "Pa", "gauge set pressure, secondary return", default=3.5e5),
    Column("curve", "curve", "°C, °C", "compensation curve, outdoor to supply", derived="radiator equation"),
)

_DEVICES = (
    _id("device id"),
    Column("kind", "text", "", "rtu, plc, room, weather, ...", default="rtu"),
    Column("name", "text", "", "name", default=""),
    Column("place_id", "text", "", "station, source, building or feature"),
    Column("dialect", "text", "", "name of an adapter (see docs/adapters.md)"),
    Column("external_id", "text", "", "its name on the wire"),
    Column("vendor", "text", "", "maker", default=""),
)

_POINTS = (
    Column("no", "int", "", "position in the table, from 0; never changes", derived="in order"),
    Column("id", "text", "", "place_id/key", derived="place_id/key"),
    Column("device_id", "text", "", "device that sends it"),
    Column("place_id", "text", "", "what is measured", derived="place of the device"),
    Column("key", "text", "", "point kind, e.g. p1_ts"),
    Column("quantity", "text", "", "quantity, e.g. temperature", derived="from the point kind"),
    Column("external_key", "text", "", "its name in the message", derived="the key"),
    Column("unit", "text", "", "unit in the message"),
    Column("period_s", "float", "s", "sampling period", derived="from the point kind"),
    Column("deadband", "float", "SI", "send-on-change step", derived="from the point kind"),
    Column("low", "float", "SI", "lowest value the sensor can give", derived="from the point kind"),
    Column("high", "float", "SI", "highest value the sensor can give", derived="from the point kind"),
    Column("simulated", "bool", "", "the twin gives a value beside it", False, derived="from the point kind"),
)

_FEATURES = (
    _id("feature id"),
    Column("layer", "text", "", "road, river, landuse, carpark, junction, river_gauge, camera, square, ..."),
    Column("name", "text", "", "name", default=""),
    Column("props", "props", "", "flat JSON object of text and numbers", default={}),
)

LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        Layer("places", "行政地点", Place, "ring", _PLACES, "boundary", ring_optional=True),
        Layer("buildings", "建筑", Building, "ring", _BUILDINGS, "footprint"),
        Layer("nodes", "管网节点", Node, "point", _NODES),
        Layer("pipes", "管段", Pipe, "line", _PIPES),
        Layer("valves", "阀门", Valve, "point", _VALVES),
        Layer("pumps", "水泵", Pump, "none", _PUMPS),
        Layer("sources", "热源", Source, "point", _SOURCES),
        Layer("substations", "换热站", Substation, "point", _SUBSTATIONS),
        Layer("devices", "设备", Device, "none", _DEVICES),
        Layer("points", "测点", Point, "none", _POINTS),
        Layer("features", "其他要素", Feature, "any", _FEATURES),
    )
}

# layer ``terrain``: one point per grid height, read by row and column
TERRAIN_COLUMNS = (
    Column("row", "int", "", "0 is the southern edge"),
    Column("col", "int", "", "0 is the western edge"),
    Column("height_m", "float", "m", "ground height above sea level"),
)
