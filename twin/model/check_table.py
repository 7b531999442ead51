"""Tables of what a county may hold: ranges per column, legal words, units per quantity, tolerances."""

from dataclasses import dataclass

# (layer, field): (low, high, unit), both ends allowed. A value of 0 in a year means "unknown".
RANGES: dict[tuple[str, str], tuple[float, float, str]] = {
    ("county", "design_outdoor_c"): (-60.0, 20.0, "°C"),
    ("county", "room_target_c"): (5.0, 30.0, "°C"),
    ("places", "lon"): (-180.0, 180.0, "°"),
    ("places", "lat"): (-90.0, 90.0, "°"),
    ("buildings", "ground_m"): (-430.0, 9000.0, "m"),
    ("buildings", "height_m"): (1.0, 1000.0, "m"),
    ("buildings", "floors"): (1, 200, ""),
    ("buildings", "year"): (0, 2100, ""),
    ("buildings", "area_m2"): (0.0, 2.0e6, "m²"),
    ("buildings", "homes"): (0, 20000, ""),
    ("buildings", "design_heat_w"): (0.0, 1.0e8, "W"),
    ("buildings", "ua_w_k"): (0.0, 1.0e7, "W/K"),
    ("buildings", "capacity_j_k"): (0.0, 1.0e13, "J/K"),
    ("buildings", "circuit_length_m"): (0.0, 2.0e4, "m"),
    ("buildings", "circuit_flow_kg_s"): (0.0, 1.0e3, "kg/s"),
    ("nodes", "lon"): (-180.0, 180.0, "°"),
    ("nodes", "lat"): (-90.0, 90.0, "°"),
    ("nodes", "elevation_m"): (-430.0, 9000.0, "m"),
    ("pipes", "length_m"): (0.01, 1.0e5, "m"),
    ("pipes", "diameter_m"): (0.01, 2.0, "m"),
    ("pipes", "roughness_m"): (1.0e-7, 0.01, "m"),
    ("pipes", "u_w_m_k"): (0.0, 20.0, "W/(m·K)"),
    ("pipes", "zeta"): (0.0, 1.0e4, ""),
    ("pipes", "depth_m"): (-30.0, 50.0, "m"),
    ("pipes", "year"): (0, 2100, ""),
    ("valves", "lon"): (-180.0, 180.0, "°"),
    ("valves", "lat"): (-90.0, 90.0, "°"),
    ("valves", "kv_m3_h"): (0.01, 1.0e6, "m³/h"),
    ("valves", "opening"): (0.0, 1.0, ""),
    ("pumps", "dp0_pa"): (1.0, 1.0e7, "Pa"),
    ("pumps", "c_pa_s2_m6"): (0.0, 1.0e15, "Pa·s²/m⁶"),
    ("pumps", "speed"): (0.0, 1.5, ""),
    ("pumps", "rated_w"): (0.0, 1.0e8, "W"),
    ("sources", "lon"): (-180.0, 180.0, "°"),
    ("sources", "lat"): (-90.0, 90.0, "°"),
    ("sources", "capacity_w"): (1.0e3, 1.0e10, "W"),
    ("sources", "min_w"): (0.0, 1.0e10, "W"),
    ("sources", "ramp_w_s"): (0.0, 1.0e8, "W/s"),
    ("sources", "efficiency"): (0.05, 8.0, ""),
    ("sources", "t_supply_design_c"): (20.0, 200.0, "°C"),
    ("sources", "t_return_design_c"): (5.0, 150.0, "°C"),
    ("sources", "p_supply_pa"): (0.0, 4.0e6, "Pa"),
    ("sources", "p_return_pa"): (0.0, 4.0e6, "Pa"),
    ("substations", "lon"): (-180.0, 180.0, "°"),
    ("substations", "lat"): (-90.0, 90.0, "°"),
    ("substations", "area_m2"): (0.0, 1.0e7, "m²"),
    ("substations", "design_heat_w"): (1.0e3, 1.0e9, "W"),
    ("substations", "design_flow_kg_s"): (1.0e-3, 5.0e3, "kg/s"),
    ("substations", "secondary_flow_kg_s"): (1.0e-3, 2.0e4, "kg/s"),
    ("substations", "hx_ua_w_k"): (1.0, 1.0e9, "W/K"),
    ("substations", "kv_m3_h"): (0.01, 1.0e5, "m³/h"),
    ("substations", "t_secondary_supply_c"): (20.0, 130.0, "°C"),
    ("substations", "t_secondary_return_c"): (5.0, 110.0, "°C"),
    ("substations", "p_secondary_return_pa"): (0.0, 2.5e6, "Pa"),
    ("points", "period_s"): (0.1, 1.0e7, "s"),
    ("points", "deadband"): (0.0, 1.0e18, ""),
    ("points", "low"): (-1.0e18, 1.0e18, ""),
    ("points", "high"): (-1.0e18, 1.0e18, ""),
    ("terrain", "height_m"): (-430.0, 9000.0, "m"),
}

DIALECTS = (
    "flat", "thingsboard", "sparkplug", "homie", "chirpstack", "huawei", "aliyun", "ngsi-ld", "csv", "mapped",
)  # fmt: skip
"""Names of the adapters; a test of ingest holds them together."""
WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("places", "kind"): ("county", "township", "community"),
    ("nodes", "kind"): ("junction", "chamber", "source", "substation"),
    ("pipes", "side"): ("supply", "return"),
    ("valves", "kind"): ("section", "check", "control"),
    ("sources", "kind"): ("chp", "boiler"),
    ("devices", "dialect"): DIALECTS,
    ("features", "shape"): ("point", "line", "polygon"),
}

PARENT_KIND = {"township": "county", "community": "township"}

_DIMENSIONLESS = ("fraction", "humidity", "state", "code", "count")

# Which quantities a vendor's unit can carry.
UNIT_CARRIES: dict[str, tuple[str, ...]] = {
    "": _DIMENSIONLESS,
    "1": _DIMENSIONLESS,
    "%": ("fraction", "humidity"),
    **dict.fromkeys(("°C", "degC", "K", "degF"), ("temperature",)),
    **dict.fromkeys(("Pa", "kPa", "MPa", "bar"), ("pressure", "pressure_difference")),
    **dict.fromkeys(("m3/h", "m3/s", "L/h"), ("volume_flow",)),
    **dict.fromkeys(("t/h", "kg/s"), ("mass_flow",)),
    "m3": ("volume",),
    **dict.fromkeys(("W", "kW", "MW"), ("power", "electric_power")),
    "GJ/h": ("power",),
    **dict.fromkeys(("J", "GJ", "kWh", "MWh"), ("energy", "electric_energy")),
    **dict.fromkeys(("m", "cm"), ("level", "length")),
    "mm/s": ("speed", "vibration"),
    "m/s": ("speed", "vibration", "vehicle_speed"),
    "mm/h": ("rain",),
    "Hz": ("frequency",),
    "A": ("current",),
    "V": ("voltage",),
    "W/m2": ("irradiance", "heat_index"),
    "mmol/L": ("hardness",),
    "dBm": ("signal",),
    **dict.fromkeys(("t", "kg"), ("fuel_mass",)),
    "℃": ("temperature",),
    **dict.fromkeys(("m³/h", "L/s"), ("volume_flow",)),
    **dict.fromkeys(("m³", "L"), ("volume",)),
    "hPa": ("pressure", "pressure_difference"),
    "MJ": ("energy", "electric_energy"),
    "mm": ("level", "length", "rain_depth"),
    "km/h": ("speed", "vehicle_speed"),
    **dict.fromkeys(("veh/h", "veh/min"), ("vehicle_flow",)),
    "ppm": ("concentration",),
    "%LEL": ("fraction",),
    **dict.fromkeys(("°", "deg"), ("angle",)),
    "lx": ("illuminance",),
    **dict.fromkeys(("s", "min", "h"), ("duration",)),
    "mV": ("voltage",),
    "mA": ("current",),
    **dict.fromkeys(("kbit/s", "Mbit/s"), ("data_rate",)),
}


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """Tolerances. ``end_m``: pipe end to its node; ``length_ratio``: given to drawn length, with
    ``length_slack_m`` always forgiven; ``valve_m``: valve to its pipe; ``height_m``: node to terrain;
    ``county_km``: farthest place from the centre; ``area_ratio``: station to the sum of its buildings."""

    end_m: float = 1.0
    length_ratio: float = 0.25
    length_slack_m: float = 5.0
    valve_m: float = 20.0
    height_m: float = 30.0
    county_km: float = 200.0
    area_ratio: float = 0.25
