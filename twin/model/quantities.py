"""The quantity table: the one truth about units, ranges and names.

Inside the program a value is always in ``si_unit`` (temperatures in °C). ``display = si * scale``.
"""

from dataclasses import dataclass

from twin.model.errors import InputError


@dataclass(frozen=True, slots=True)
class Quantity:
    """One physical quantity.

    ``low`` and ``high`` bound what is plausible at all, in ``si_unit``: outside, a reading is kept
    but marked bad. ``scale`` turns SI into the display unit by multiplication.
    """

    key: str
    si_unit: str
    display_unit: str
    scale: float
    decimals: int
    low: float
    high: float
    zh: str
    en: str


_ROWS = (
    # key, si, display, scale, decimals, low, high, zh, en
    ("temperature", "°C", "°C", 1.0, 1, -60.0, 200.0, "温度", "temperature"),
    ("temperature_difference", "K", "K", 1.0, 1, -200.0, 200.0, "温差", "temperature difference"),
    ("pressure", "Pa", "MPa", 1e-6, 3, -1.0e5, 4.0e6, "压力", "pressure"),
    ("pressure_difference", "Pa", "MPa", 1e-6, 3, -4.0e6, 4.0e6, "压差", "pressure difference"),
    ("volume_flow", "m³/s", "m³/h", 3600.0, 1, -10.0, 10.0, "流量", "volume flow"),
    ("mass_flow", "kg/s", "t/h", 3.6, 1, -10000.0, 10000.0, "质量流量", "mass flow"),
    ("volume", "m³", "m³", 1.0, 0, 0.0, 1.0e10, "累计流量", "volume"),
    ("power", "W", "MW", 1e-6, 2, -1.0e9, 5.0e9, "热功率", "heat power"),
    ("energy", "J", "GJ", 1e-9, 1, 0.0, 1.0e18, "热量", "heat energy"),
    ("electric_power", "W", "kW", 1e-3, 1, -1.0e7, 1.0e8, "电功率", "electric power"),
    ("electric_energy", "J", "kWh", 1.0 / 3.6e6, 0, 0.0, 1.0e17, "电量", "electric energy"),
    ("fraction", "1", "%", 100.0, 0, -0.01, 1.01, "比例", "fraction"),
    ("level", "m", "m", 1.0, 2, -10.0, 5000.0, "液位", "level"),
    ("frequency", "Hz", "Hz", 1.0, 1, 0.0, 100.0, "频率", "frequency"),
    ("current", "A", "A", 1.0, 1, 0.0, 5000.0, "电流", "current"),
    ("voltage", "V", "V", 1.0, 1, 0.0, 1000.0, "电压", "voltage"),
    ("vibration", "m/s", "mm/s", 1000.0, 1, 0.0, 0.1, "振动", "vibration"),
    ("humidity", "1", "%", 100.0, 0, 0.0, 1.0, "湿度", "humidity"),
    ("speed", "m/s", "m/s", 1.0, 1, -100.0, 100.0, "风速", "speed"),
    ("irradiance", "W/m²", "W/m²", 1.0, 0, 0.0, 1500.0, "太阳辐照", "irradiance"),
    ("rain", "m/s", "mm/h", 3.6e6, 1, 0.0, 1.0e-4, "雨强", "rain rate"),
    ("heat_index", "W/m²", "W/m²", 1.0, 1, 0.0, 300.0, "热指标", "heat index"),
    ("hardness", "mol/m³", "mmol/L", 1.0, 2, 0.0, 50.0, "硬度", "hardness"),
    ("length", "m", "m", 1.0, 1, 0.0, 1.0e7, "长度", "length"),
    ("area", "m²", "10⁴ m²", 1e-4, 2, 0.0, 1.0e10, "面积", "area"),
    ("state", "1", "", 1.0, 0, 0.0, 1.0, "状态", "state"),
    ("code", "1", "", 1.0, 0, -1.0e6, 1.0e9, "代码", "code"),
    ("count", "1", "", 1.0, 0, 0.0, 1.0e12, "数量", "count"),
    ("signal", "dBm", "dBm", 1.0, 0, -200.0, 50.0, "信号", "signal"),
    ("fuel_mass", "kg", "t", 1e-3, 1, 0.0, 1.0e12, "燃料", "fuel"),
    ("rain_depth", "m", "mm", 1000.0, 1, 0.0, 1.0e3, "雨量", "rain depth"),
    ("vehicle_speed", "m/s", "km/h", 3.6, 0, 0.0, 100.0, "车速", "vehicle speed"),
    ("vehicle_flow", "1/s", "veh/h", 3600.0, 0, 0.0, 10.0, "车流量", "vehicles per hour"),
    ("concentration", "1", "ppm", 1.0e6, 0, 0.0, 1.0, "浓度", "concentration"),
    ("angle", "°", "°", 1.0, 1, -360.0, 360.0, "角度", "angle"),
    ("illuminance", "lx", "lx", 1.0, 0, 0.0, 2.0e5, "照度", "illuminance"),
    ("duration", "s", "h", 1.0 / 3600.0, 1, 0.0, 1.0e10, "时长", "duration"),
    ("data_rate", "bit/s", "Mbit/s", 1e-6, 1, 0.0, 1.0e12, "码率", "data rate"),
)

QUANTITIES: dict[str, Quantity] = {row[0]: Quantity(*row) for row in _ROWS}

# Units that vendors send, as (quantity, SI = value * scale + offset).
VENDOR_UNITS: dict[str, tuple[float, float]] = {
    "": (1.0, 0.0),
    "1": (1.0, 0.0),
    "°C": (1.0, 0.0),
    "degC": (1.0, 0.0),
    "K": (1.0, -273.15),
    "degF": (5.0 / 9.0, -160.0 / 9.0),
    "Pa": (1.0, 0.0),
    "kPa": (1e3, 0.0),
    "MPa": (1e6, 0.0),
    "bar": (1e5, 0.0),
    "m3/h": (1.0 / 3600.0, 0.0),
    "m3/s": (1.0, 0.0),
    "L/h": (1.0 / 3.6e6, 0.0),
    "t/h": (1.0 / 3.6, 0.0),
    "kg/s": (1.0, 0.0),
    "m3": (1.0, 0.0),
    "W": (1.0, 0.0),
    "kW": (1e3, 0.0),
    "MW": (1e6, 0.0),
    "GJ/h": (1e9 / 3600.0, 0.0),
    "J": (1.0, 0.0),
    "GJ": (1e9, 0.0),
    "kWh": (3.6e6, 0.0),
    "MWh": (3.6e9, 0.0),
    "%": (0.01, 0.0),
    "m": (1.0, 0.0),
    "cm": (0.01, 0.0),
    "mm/s": (1e-3, 0.0),
    "m/s": (1.0, 0.0),
    "Hz": (1.0, 0.0),
    "A": (1.0, 0.0),
    "V": (1.0, 0.0),
    "W/m2": (1.0, 0.0),
    "mm/h": (1.0 / 3.6e6, 0.0),
    "mmol/L": (1.0, 0.0),
    "dBm": (1.0, 0.0),
    "t": (1e3, 0.0),
    "kg": (1.0, 0.0),
    # the same units as Chinese vendors write them, and those of the other applications
    "℃": (1.0, 0.0),
    "m³/h": (1.0 / 3600.0, 0.0),
    "m³": (1.0, 0.0),
    "L": (1e-3, 0.0),
    "L/s": (1e-3, 0.0),
    "hPa": (1e2, 0.0),
    "MJ": (1e6, 0.0),
    "mm": (1e-3, 0.0),
    "km/h": (1.0 / 3.6, 0.0),
    "veh/h": (1.0 / 3600.0, 0.0),
    "veh/min": (1.0 / 60.0, 0.0),
    "ppm": (1e-6, 0.0),
    "%LEL": (0.01, 0.0),
    "°": (1.0, 0.0),
    "deg": (1.0, 0.0),
    "lx": (1.0, 0.0),
    "s": (1.0, 0.0),
    "min": (60.0, 0.0),
    "h": (3600.0, 0.0),
    "mV": (1e-3, 0.0),
    "mA": (1e-3, 0.0),
    "kbit/s": (1e3, 0.0),
    "Mbit/s": (1e6, 0.0),
}


def find_quantity(key: str) -> Quantity:
    """Return the row of ``key``.

    Raises
    ------
    InputError : no such quantity; the text lists the legal keys
    """
    try:
        return QUANTITIES[key]
    except KeyError:
        raise InputError(f"unknown quantity {key!r}; one of: {', '.join(sorted(QUANTITIES))}") from None


def convert_to_si(value: float, unit: str) -> float:
    """Turn a vendor's value in ``unit`` (a key of ``VENDOR_UNITS``) into SI (°C for temperatures).

    Raises
    ------
    InputError : unknown unit; the text lists the legal ones
    """
    try:
        scale, offset = VENDOR_UNITS[unit]
    except KeyError:
        raise InputError(f"unknown unit {unit!r}; one of: {', '.join(sorted(VENDOR_UNITS))}") from None
    return value * scale + offset


def convert_from_si(value: float, unit: str) -> float:
    """Inverse of :func:`convert_to_si`."""
    scale, offset = VENDOR_UNITS[unit]
    return (value - offset) / scale
