"""Settings of every process, from the environment; the supervisor sets what is not given.

=================  =======================================  ==========================
variable           meaning                                  default
=================  =======================================  ==========================
CT_DATA            data folder                              ``var``
CT_COUNTY          county folder                            ``$CT_DATA/county``
MQTT_URL           broker, ``mqtt://user:pass@host:port``   started by the supervisor
CT_STORE_URI       where the store listens                  ``quack:127.0.0.1:9494``
CT_STORE_TOKEN     its token                                made by the supervisor
CT_HOST            address the dashboard listens on         ``127.0.0.1``
CT_PORT            its port                                 ``8050``
CT_FRAME_ANCESTORS who may embed ``/embed``, space apart    ``'self'``
CT_LANG            first language, ``zh`` or ``en``         ``zh``
CT_KEEP_RAW_DAYS   days that readings are kept              ``730``
CT_KEEP_METER_DAYS days that meter counters are kept        ``2200``
CT_LAKE            catalogue past one machine (PostgreSQL)  none
CT_LAKE_DATA       folder or bucket of its Parquet files    none
CT_LAKE_S3         ``https://KEY:SECRET@host:port/region``  none
CT_WORKER          number of this ingest and of all         ``1/1``
CT_SHELF_MB        disk for what a vendor sends too much    ``2048``
CT_SCOUT_S         from one look for strangers to the next  ``300``, 0: none
CT_COMMANDS        approval: ``second``, ``one``, ``off``   ``second``
=================  =======================================  ==========================
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import unquote, urlsplit

from twin.model.errors import ConfigError

CommandRule = Literal["second", "one", "off"]
"""Who lets a command through: a second account, whoever asks for it, nobody."""
COMMAND_RULES: tuple[CommandRule, ...] = get_args(CommandRule)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the store keeps readings, in days; sums by hour and day stay for ever, and so do commands."""

    raw_days: int = 730
    meter_days: int = 2200


@dataclass(frozen=True, slots=True)
class Lake:
    """A store past one machine: ``catalog`` as libpq writes it, ``data`` where the Parquet files are,
    ``number`` of this ingest worker from 1 to ``workers``; ``s3``: the server, when ``data`` is a bucket."""

    catalog: str
    data: str
    number: int = 1
    workers: int = 1
    s3: "S3 | None" = None


@dataclass(frozen=True, slots=True)
class S3:
    """A server of S3-compatible storage; ``endpoint`` is host:port."""

    endpoint: str
    key: str
    secret: str
    region: str
    tls: bool


SHORTEST = Retention(30, 1827)
"""A month of readings to work with; metering records longer than five years, as the rules demand."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One frozen record; see the module's table."""

    data: Path
    county: Path
    mqtt_url: str
    store_uri: str
    store_token: str
    host: str
    port: int
    frame_ancestors: str
    lang: str
    retention: Retention = Retention()
    lake: Lake | None = None
    commands: CommandRule = "second"
    shelf_bytes: int = 2_048_000_000
    """Of messages that wait on disk because their vendor sent more than its share; 0: none."""
    scout_s: float = 300.0
    """From one look for devices that nobody described to the next; 0: none."""

    @property
    def store_file(self) -> Path:
        """The DuckDB file; only ingest opens it."""
        return self.data / "store" / "county.duckdb"

    @property
    def documents(self) -> Path:
        """Files of documents and photos; the dashboard brings them, ingest removes what no row names."""
        return self.data / "documents"

    @property
    def credentials(self) -> Path:
        """Accounts of the devices at the broker, and certificates."""
        return self.data / "credentials"

    @property
    def status_file(self) -> Path:
        """What the supervisor says of its processes (JSON, replaced atomically every second)."""
        return self.data / "run" / "status.json"

    @property
    def truth_file(self) -> Path:
        """Hidden truth of the demo field (faults, parameters), JSON lines; never read by the twin."""
        return self.data / "demo" / "truth.jsonl"


@dataclass(frozen=True, slots=True)
class Broker:
    """Parts of ``MQTT_URL``."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool


def parse_mqtt_url(url: str) -> Broker:
    """Split ``mqtt://user:pass@host:port`` (``mqtts`` for TLS).

    Raises
    ------
    ConfigError : not such a URL
    """
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ConfigError(f"MQTT_URL {url!r}: write it as mqtt://user:password@host:1883 (mqtts:// for TLS)")
    tls = parts.scheme == "mqtts"
    try:
        port = parts.port or (8883 if tls else 1883)
    except ValueError as e:
        raise ConfigError(f"MQTT_URL: the port is not a number from 1 to 65535 ({e})") from e
    user = unquote(parts.username) if parts.username else None
    return Broker(parts.hostname, port, user, unquote(parts.password) if parts.password else None, tls)


def read_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; pure in ``env`` (default: the process environment).

    Raises
    ------
    ConfigError : a value cannot be used; the text names the variable and the mend
    """
    env = os.environ if env is None else env
    data = Path(env.get("CT_DATA", "var")).absolute()
    port_text = env.get("CT_PORT", "8050")
    if not port_text.isdigit() or not 0 < int(port_text) < 65536:
        raise ConfigError(f"CT_PORT is {port_text!r}; give a number from 1 to 65535")
    lang = env.get("CT_LANG", "zh")
    if lang not in ("zh", "en"):
        raise ConfigError(f"CT_LANG is {lang!r}; give zh or en")
    shelf = env.get("CT_SHELF_MB", "2048")
    if not shelf.isdigit() or len(shelf) > 9:
        raise ConfigError(f"CT_SHELF_MB is {shelf!r}; give a number of megabytes, 0 for none")
    scout = env.get("CT_SCOUT_S", "300")
    if not scout.isdigit() or len(scout) > 6:
        raise ConfigError(f"CT_SCOUT_S is {scout!r}; give a number of seconds, 0 for none")
    rule = env.get("CT_COMMANDS", "second")
    if rule not in COMMAND_RULES:
        raise ConfigError(f"CT_COMMANDS is {rule!r}; give {', '.join(COMMAND_RULES)}")
    return Settings(
        data=data,
        county=Path(env.get("CT_COUNTY", str(data / "county"))).absolute(),
        mqtt_url=env.get("MQTT_URL", "mqtt://127.0.0.1:1883"),
        store_uri=env.get("CT_STORE_URI", "quack:127.0.0.1:9494"),
        store_token=env.get("CT_STORE_TOKEN", ""),
        host=env.get("CT_HOST", "127.0.0.1"),
        port=int(port_text),
        frame_ancestors=env.get("CT_FRAME_ANCESTORS", "'self'"),
        lang=lang,
        retention=Retention(
            _read_days(env, "CT_KEEP_RAW_DAYS", Retention().raw_days, SHORTEST.raw_days),
            _read_days(env, "CT_KEEP_METER_DAYS", Retention().meter_days, SHORTEST.meter_days),
        ),
        lake=_read_lake(env),
        commands=rule,
        shelf_bytes=1_000_000 * int(shelf),
        scout_s=float(scout),
    )


def _read_days(env: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = env.get(name, str(default))
    if not text.isdigit() or not least <= int(text) <= 36_500:
        raise ConfigError(f"{name} is {text!r}; give a number of days from {least} to 36500")
    return int(text)


def _read_lake(env: Mapping[str, str]) -> Lake | None:
    number, _, workers = env.get("CT_WORKER", "1/1").partition("/")
    if not (number.isdigit() and workers.isdigit() and 1 <= int(number) <= int(workers) <= 64):
        raise ConfigError(f"CT_WORKER is {env['CT_WORKER']!r}; write 2/3 for the second of three")
    catalog, data = env.get("CT_LAKE", ""), env.get("CT_LAKE_DATA", "")
    if not catalog:
        if int(workers) > 1:
            raise ConfigError("CT_WORKER speaks of several workers: they need CT_LAKE and CT_LAKE_DATA")
        return None
    if not data:
        raise ConfigError("CT_LAKE_DATA is not set: give the folder or bucket for the files of CT_LAKE")
    return Lake(catalog, data, int(number), int(workers), _read_s3(env, data))


def _read_s3(env: Mapping[str, str], data: str) -> S3 | None:
    if not data.startswith("s3://"):
        return None
    parts = urlsplit(env.get("CT_LAKE_S3", ""))
    key, secret = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme not in ("http", "https") or not (parts.hostname and key and secret):
        raise ConfigError(
            "CT_LAKE_DATA is a bucket: CT_LAKE_S3 must name its server as https://KEY:SECRET@host:port/region"
        )
    endpoint = parts.netloc.rpartition("@")[2]
    return S3(endpoint, key, secret, parts.path.strip("/") or "us-east-1", parts.scheme == "https")
