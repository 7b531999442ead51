"""What a gateway asks: a TOML file, checked as a whole before anything starts."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.gateways.config_meters import (
    Cjt188Device,
    MBusDevice,
    OpcUaDevice,
    read_cjt188,
    read_mbus,
    read_opcua,
)
from ingest.gateways.modbus import FUNCTIONS, KINDS, ORDERS
from ingest.gateways.rows import number, one_of, read_rows, take
from twin.model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Register:
    """One number: ``value = raw * scale + offset`` goes out under ``key``; ``writable``: takes commands."""

    key: str
    table: str
    address: int
    kind: str
    order: str
    scale: float = 1.0
    offset: float = 0.0
    writable: bool = False


@dataclass(frozen=True, slots=True)
class ModbusDevice:
    """One unit behind one address; ``name`` is the external id of a flat device of the county."""

    name: str
    period_s: float
    host: str
    port: int
    unit: int
    registers: tuple[Register, ...]


PolledDevice = ModbusDevice | MBusDevice | Cjt188Device | OpcUaDevice


@dataclass(frozen=True, slots=True)
class Sender:
    """Who may push over HTTP, and for which devices (``*``: all; ``ngsi-ld``: notifications)."""

    name: str
    token: str
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a gateway does; ``listen`` is None when it takes nothing over HTTP."""

    devices: tuple[PolledDevice, ...]
    listen: tuple[str, int] | None
    senders: tuple[Sender, ...]


def read_config(file: Path) -> Gateway:
    """Read and check a gateway's file (docs/gateways.md).

    Raises
    ------
    ConfigError : names the place and what may stand there
    """
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as e:
        raise ConfigError(f"{file}: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{file}: {e}") from e
    rows = table.get("device", [])
    if not isinstance(rows, list) or not (rows or "http" in table):
        raise ConfigError(f"{file}: at least one [[device]], or [http], is needed")
    listen, senders = _read_http(f"{file}, http", table["http"]) if "http" in table else (None, ())
    devices = tuple(_read_device(f"{file}, device {i}", row) for i, row in enumerate(rows, 1))
    names = [d.name for d in devices]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ConfigError(f"{file}: {', '.join(twice)} stands there twice")
    return Gateway(devices, listen, senders)


def _read_http(where: str, row: Any) -> tuple[tuple[str, int], tuple[Sender, ...]]:
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: a table is needed")
    host, _, port = take(where, row, "listen", str).rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) < 65_536:
        raise ConfigError(f'{where}: write listen = "127.0.0.1:8090"')
    rows = row.get("sender")
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f"{where}: at least one [[http.sender]] is needed")
    senders = []
    for i, r in enumerate(rows, 1):
        place = f"{where}, sender {i}"
        if not isinstance(r, dict):
            raise ConfigError(f"{place}: a table is needed")
        token, devices = take(place, r, "token", str), r.get("devices")
        if len(token) < 16 or not token.isascii() or " " in token:
            raise ConfigError(f"{place}: a token has at least 16 ASCII characters and no space")
        if not isinstance(devices, list) or not devices or not all(isinstance(d, str) for d in devices):
            raise ConfigError(f'{place}: devices = ["name", ...] is needed, or ["*"] for all')
        senders.append(Sender(take(place, r, "name", str), token, tuple(devices)))
    if len({s.token for s in senders}) < len(senders):
        raise ConfigError(f"{where}: two senders have the same token")
    return (host.strip("[]"), int(port)), tuple(senders)


def _read_device(where: str, row: Any) -> PolledDevice:
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: a table is needed")
    name = take(where, row, "name", str)
    where = f"{where} ({name})"
    if not name or any(c in name for c in "/+#"):
        raise ConfigError(f"{where}: the name goes into a topic, so it must not hold / + #")
    period_s = number(where, row, "period_s", 10.0, 0.2, 86_400)
    protocol = one_of(where, "protocol", row.get("protocol", "modbus"), tuple(_READ))
    return _READ[protocol](where, name, period_s, row)


def _read_modbus(where: str, name: str, period_s: float, row: Mapping[str, Any]) -> ModbusDevice:
    order = one_of(where, "order", row.get("order", "ABCD"), ORDERS)
    return ModbusDevice(
        name=name,
        period_s=period_s,
        host=take(where, row, "host", str),
        port=int(number(where, row, "port", 502, 1, 65_535)),
        unit=int(number(where, row, "unit", 1, 0, 255)),
        registers=read_rows(where, row, "register", lambda w, r: _read_register(w, r, order)),
    )


def _read_register(where: str, row: Mapping[str, Any], order: str) -> Register:
    table = one_of(where, "table", row.get("table", "holding"), tuple(FUNCTIONS))
    bits = table in ("coil", "discrete")
    kind = one_of(where, "kind", row.get("kind", "bit" if bits else "i16"), tuple(KINDS))
    if (kind == "bit") != bits:
        raise ConfigError(
            f"{where}: {table} holds {'bits' if bits else 'numbers'}, kind {kind!r} does not fit"
        )
    writable = row.get("writable", False)
    if not isinstance(writable, bool) or (writable and table not in ("holding", "coil")):
        raise ConfigError(f"{where}: writable is true or false, and true for holding and coil only")
    return Register(
        key=take(where, row, "key", str),
        table=table,
        address=int(number(where, row, "address", None, 0, 65_536 - KINDS[kind])),
        kind=kind,
        order=one_of(where, "order", row.get("order", order), ORDERS),
        scale=number(where, row, "scale", 1.0, -1e12, 1e12),
        offset=number(where, row, "offset", 0.0, -1e12, 1e12),
        writable=writable,
    )


_READ: dict[str, Callable[[str, str, float, Mapping[str, Any]], PolledDevice]] = {
    "modbus": _read_modbus,
    "mbus": read_mbus,
    "cjt188": read_cjt188,
    "opcua": read_opcua,
}
