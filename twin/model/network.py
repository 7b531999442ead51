"""The heat network as tables: nodes, pipes, valves, pumps, sources, substations.

A *node* is a chamber or junction of the trench; hydraulically it is two points, one per side. A *pipe* is
one pipe of one side (supply or return); the two pipes of a trench share ``pair_id``. Mass flow is positive
from ``from_node`` to ``to_node``. By custom both pipes of a pair are drawn source -> consumer, so the flow
of a return pipe is normally negative.
Pressures are gauge, in Pa. Lon/lat are WGS 84 (CGCS2000 is the same within a metre).
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Side(StrEnum):
    """Side of the network."""

    SUPPLY = "supply"
    RETURN = "return"


LonLat = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Node:
    """Chamber or junction. ``kind``: junction, chamber, source, substation."""

    id: str
    lon: float
    lat: float
    elevation_m: float
    kind: str = "junction"


@dataclass(frozen=True, slots=True)
class Pipe:
    """One pipe. ``diameter_m`` is the inner diameter, ``u_w_m_k`` the loss per metre and kelvin to
    the ground, ``zeta`` the sum of minor-loss coefficients, ``path`` the line between its nodes."""

    id: str
    pair_id: str
    side: Side
    from_node: str
    to_node: str
    length_m: float
    diameter_m: float
    roughness_m: float
    u_w_m_k: float
    zeta: float
    depth_m: float
    year: int
    path: tuple[LonLat, ...]


@dataclass(frozen=True, slots=True)
class Valve:
    """Valve in a pipe. ``kind``: section, check, control. ``opening`` 0 (shut) to 1 (open)."""

    id: str
    pipe_id: str
    kind: str
    kv_m3_h: float
    opening: float
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Pump:
    """Pump at a source or substation. Rise of pressure at full speed and volume flow q:
    ``dp_pa = dp0_pa - c_pa_s2_m6 * q**2`` (q in m³/s); affinity laws for other speeds."""

    id: str
    place_id: str
    kind: str
    dp0_pa: float
    c_pa_s2_m6: float
    speed: float
    rated_w: float


@dataclass(frozen=True, slots=True)
class Source:
    """Heat source. ``kind``: chp, boiler. It holds ``p_return_pa`` on its return side (gauge)."""

    id: str
    name: str
    name_en: str
    kind: str
    node_id: str
    lon: float
    lat: float
    capacity_w: float
    min_w: float
    ramp_w_s: float
    efficiency: float
    t_supply_design_c: float
    t_return_design_c: float
    p_supply_pa: float
    p_return_pa: float
    holds_pressure: bool = True


@dataclass(frozen=True, slots=True)
class Substation:
    """Heat station (换热站): plate exchanger, primary control valve, secondary pump.

    ``hx_ua_w_k`` is the design value of the exchanger; ``curve`` the 8-point compensation curve
    ((outdoor °C, secondary supply °C), rising outdoor temperature).
    """

    id: str
    name: str
    name_en: str
    node_id: str
    community_id: str
    lon: float
    lat: float
    area_m2: float
    design_heat_w: float
    design_flow_kg_s: float
    secondary_flow_kg_s: float
    hx_ua_w_k: float
    kv_m3_h: float
    t_secondary_supply_c: float
    t_secondary_return_c: float
    p_secondary_return_pa: float
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class HeatNetwork:
    """All tables of one heat network. Immutable; ids are unique per table."""

    nodes: tuple[Node, ...]
    pipes: tuple[Pipe, ...]
    valves: tuple[Valve, ...] = ()
    pumps: tuple[Pump, ...] = ()
    sources: tuple[Source, ...] = ()
    substations: tuple[Substation, ...] = ()
    node_index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "node_index", {n.id: i for i, n in enumerate(self.nodes)})
