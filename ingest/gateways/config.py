"""What a gateway asks: a TOML file, checked as a whole before anything starts."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.gateways.modbus import FUNCTIONS, KINDS, ORDERS
from twin.model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Register:
    """One number: ``value = raw * scale + offset`` goes out under ``key``."""

    key: str
    table: str
    address: int
    kind: str
    order: str
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class PolledDevice:
    """One unit behind one address; ``name`` is the external id of a flat device of the county."""

    name: str
    host: str
    port: int
    unit: int
    period_s: float
    registers: tuple[Register, ...]


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
    host, _, port = _take(where, row, "listen", str).rpartition(":")
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
        token, devices = _take(place, r, "token", str), r.get("devices")
        if len(token) < 16 or not token.isascii() or " " in token:
            raise ConfigError(f"{place}: a token has at least 16 ASCII characters and no space")
        if not isinstance(devices, list) or not devices or not all(isinstance(d, str) for d in devices):
            raise ConfigError(f'{place}: devices = ["name", ...] is needed, or ["*"] for all')
        senders.append(Sender(_take(place, r, "name", str), token, tuple(devices)))
    if len({s.token for s in senders}) < len(senders):
        raise ConfigError(f"{where}: two senders have the same token")
    return (host.strip("[]"), int(port)), tuple(senders)


def _read_device(where: str, row: Any) -> PolledDevice:
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: a table is needed")
    name, host = _take(where, row, "name", str), _take(where, row, "host", str)
    where = f"{where} ({name})"
    if not name or any(c in name for c in "/+#"):
        raise ConfigError(f"{where}: the name goes into a topic, so it must not hold / + #")
    order = _one_of(where, "order", row.get("order", "ABCD"), ORDERS)
    registers = row.get("register")
    if not isinstance(registers, list) or not registers:
        raise ConfigError(f"{where}: at least one [[device.register]] is needed")
    return PolledDevice(
        name=name,
        host=host,
        port=int(_number(where, row, "port", 502, 1, 65_535)),
        unit=int(_number(where, row, "unit", 1, 0, 255)),
        period_s=_number(where, row, "period_s", 10.0, 0.2, 86_400),
        registers=tuple(
            _read_register(f"{where}, register {i}", r, order) for i, r in enumerate(registers, 1)
        ),
    )


def _read_register(where: str, row: Any, order: str) -> Register:
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: a table is needed")
    table = _one_of(where, "table", row.get("table", "holding"), tuple(FUNCTIONS))
    bits = table in ("coil", "discrete")
    kind = _one_of(where, "kind", row.get("kind", "bit" if bits else "i16"), tuple(KINDS))
    if (kind == "bit") != bits:
        raise ConfigError(
            f"{where}: {table} holds {'bits' if bits else 'numbers'}, kind {kind!r} does not fit"
        )
    return Register(
        key=_take(where, row, "key", str),
        table=table,
        address=int(_number(where, row, "address", None, 0, 65_536 - KINDS[kind])),
        kind=kind,
        order=_one_of(where, "order", row.get("order", order), ORDERS),
        scale=_number(where, row, "scale", 1.0, -1e12, 1e12),
        offset=_number(where, row, "offset", 0.0, -1e12, 1e12),
    )


def _take(where: str, row: Mapping[str, Any], key: str, kind: type) -> Any:
    value = row.get(key)
    if not isinstance(value, kind):
        raise ConfigError(f"{where}: {key} is missing or not a text")
    return value


def _one_of(where: str, key: str, value: object, legal: tuple[str, ...]) -> str:
    if value not in legal:
        raise ConfigError(f"{where}: {key} is {value!r}; one of {', '.join(legal)}")
    return str(value)


def _number(
    where: str, row: Mapping[str, Any], key: str, default: float | None, low: float, high: float
) -> float:
    value = row.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ConfigError(f"{where}: {key} is {value!r}; a number from {low:g} to {high:g} is needed")
    return float(value)
