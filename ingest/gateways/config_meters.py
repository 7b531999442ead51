"""Meters and OPC UA servers in a gateway's file: what stands in a ``[[device]]`` beside Modbus."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.gateways import cjt188, mbus
from ingest.gateways.cjt188 import Dialect
from ingest.gateways.rows import number, one_of, read_rows, take
from twin.model.errors import ConfigError
from twin.model.quantities import VENDOR_UNITS

_UNIT = {
    "energy": "GJ", "energy_settled": "GJ", "power": "kW", "flow": "m3/h", "volume": "m3", "mass": "kg",
    "t_supply": "°C", "t_return": "°C", "t_outside": "°C", "dt": "°C", "hours": "h",
}  # fmt: skip
"""In which unit a quantity goes out unless told otherwise; it must be the unit of the point."""


@dataclass(frozen=True, slots=True)
class MeterValue:
    """One value of a meter that goes out under ``key`` in ``unit``; the rest tells which record it is."""

    key: str
    quantity: str
    unit: str
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    function: str = "instant"


@dataclass(frozen=True, slots=True)
class MBusDevice:
    """A meter by primary ``address``, or by ``secondary`` (8 digits)."""

    name: str
    period_s: float
    host: str
    port: int
    address: int
    secondary: str
    values: tuple[MeterValue, ...]


@dataclass(frozen=True, slots=True)
class Cjt188Device:
    """A heat meter; ``address``: 14 digits."""

    name: str
    period_s: float
    host: str
    port: int
    address: str
    meter_type: int
    dialect: Dialect
    values: tuple[MeterValue, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One node of an OPC UA server; ``value * scale + offset`` goes out under ``key``."""

    key: str
    node: str
    scale: float
    offset: float


@dataclass(frozen=True, slots=True)
class OpcUaDevice:
    """A server; ``security``: asyncua's text ``policy,mode,certificate,key[,server certificate]``."""

    name: str
    period_s: float
    url: str
    user: str
    password: str
    security: str
    nodes: tuple[Node, ...]


def read_mbus(where: str, name: str, period_s: float, row: Mapping[str, Any]) -> MBusDevice:
    """Raises ``ConfigError`` with the place."""
    secondary = row.get("secondary", "")
    if not isinstance(secondary, str) or (secondary and not (len(secondary) == 8 and secondary.isdecimal())):
        raise ConfigError(f'{where}: secondary = "24351689" is needed, 8 digits')
    return MBusDevice(
        name, period_s, take(where, row, "host", str), int(number(where, row, "port", 10_001, 1, 65_535)),
        int(number(where, row, "address", None if not secondary else 253, 0, 253)), secondary,
        read_rows(where, row, "value", lambda w, r: _read_value(w, r, mbus.QUANTITIES)),
    )  # fmt: skip


def read_cjt188(where: str, name: str, period_s: float, row: Mapping[str, Any]) -> Cjt188Device:
    """Raises ``ConfigError`` with the place."""
    address = take(where, row, "address", str)
    if len(address) != 14 or not address.isdecimal():
        raise ConfigError(f"{where}: address is {address!r}; the 14 digits of the meter are needed")
    unit_first = row.get("unit_first", False)
    if not isinstance(unit_first, bool):
        raise ConfigError(f"{where}: unit_first is true or false")
    order = one_of(where, "identifier", row.get("identifier", "901F"), tuple(cjt188.IDENTIFIERS))
    return Cjt188Device(
        name, period_s, take(where, row, "host", str), int(number(where, row, "port", 10_001, 1, 65_535)),
        address, int(number(where, row, "meter_type", 0x20, 0x20, 0x2F)), Dialect(order, unit_first),
        read_rows(where, row, "value", lambda w, r: _read_value(w, r, cjt188.QUANTITIES)),
    )  # fmt: skip


def read_opcua(where: str, name: str, period_s: float, row: Mapping[str, Any]) -> OpcUaDevice:
    """Raises ``ConfigError`` with the place."""
    url = take(where, row, "url", str)
    if not url.startswith("opc.tcp://"):
        raise ConfigError(f'{where}: write url = "opc.tcp://host:4840"')
    text = {k: row.get(k, "") for k in ("user", "password", "security")}
    if not all(isinstance(v, str) for v in text.values()):
        raise ConfigError(f"{where}: user, password and security are texts")
    return OpcUaDevice(name, period_s, url, **text, nodes=read_rows(where, row, "node", _read_node))


def _read_node(where: str, row: Mapping[str, Any]) -> Node:
    node = take(where, row, "node", str)
    if not any(node.startswith(p) or f";{p}" in node for p in ("i=", "s=", "g=", "b=")):
        raise ConfigError(f'{where}: node is {node!r}; write "ns=2;s=Station.T1" or "ns=2;i=1001"')
    return Node(
        take(where, row, "key", str), node, number(where, row, "scale", 1.0, -1e12, 1e12),
        number(where, row, "offset", 0.0, -1e12, 1e12),
    )  # fmt: skip


def _read_value(where: str, row: Mapping[str, Any], quantities: tuple[str, ...]) -> MeterValue:
    quantity = one_of(where, "quantity", row.get("quantity"), quantities)
    unit = row.get("unit", _UNIT[quantity])
    if unit not in VENDOR_UNITS:
        raise ConfigError(f"{where}: unit is {unit!r}; one of {', '.join(sorted(VENDOR_UNITS))}")
    storage, tariff, subunit = (
        int(number(where, row, k, 0, 0, 10_000)) for k in ("storage", "tariff", "subunit")
    )
    function = one_of(where, "function", row.get("function", "instant"), mbus.FUNCTIONS[:3])
    return MeterValue(take(where, row, "key", str), quantity, unit, storage, tariff, subunit, function)
