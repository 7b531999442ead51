"""Which MQTT broker serves this run."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.supervisor.ports import pick_port
from ingest.settings import parse_mqtt_url
from twin.model.errors import ConfigError

BrokerKind = Literal["auto", "mosquitto", "embedded"]
USUAL_PORT = 1883
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where packages put mosquitto outside the search path of an ordinary user."""


@dataclass(frozen=True, slots=True)
class BrokerChoice:
    """``command`` is empty when the broker is somebody else's."""

    kind: Literal["external", "mosquitto", "embedded"]
    url: str
    command: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is, where it is; never with a password."""
        parts = parse_mqtt_url(self.url)
        return f"{self.kind} broker at {parts.host}:{parts.port}"


def find_mosquitto(env: Mapping[str, str]) -> str | None:
    """Return the path of mosquitto, or None."""
    path = os.pathsep.join((env.get("PATH", os.defpath), *SYSTEM_FOLDERS))
    return shutil.which("mosquitto", path=path)


def choose_broker(wanted: str, env: Mapping[str, str], folder: Path | None) -> BrokerChoice:
    """Choose the broker: the one of ``MQTT_URL``, else mosquitto, else the embedded one.

    Parameters
    ----------
    wanted : ``auto``, ``mosquitto`` or ``embedded``; ``MQTT_URL`` wins over it
    folder : where our mosquitto keeps its configuration and what it must remember; None only looks

    Raises
    ------
    ConfigError : ``MQTT_URL`` is not such a URL, ``wanted`` is unknown, or mosquitto is wanted and not here
    """
    if url := env.get("MQTT_URL"):
        parse_mqtt_url(url)
        return BrokerChoice("external", url)
    if wanted not in ("auto", "mosquitto", "embedded"):
        raise ConfigError(f"CT_BROKER is {wanted!r}; give auto, mosquitto or embedded")
    mosquitto = None if wanted == "embedded" else find_mosquitto(env)
    if mosquitto is None and wanted == "mosquitto":
        raise ConfigError("mosquitto is not installed: sudo apt-get install mosquitto, or --broker embedded.")
    port = pick_port(USUAL_PORT)
    url = f"mqtt://127.0.0.1:{port}"
    if mosquitto is None:
        return BrokerChoice("embedded", url, (sys.executable, "-m", "ingest.broker"))
    if folder is None:
        return BrokerChoice("mosquitto", url, (mosquitto,))
    from ingest.broker import write_mosquitto_conf

    folder.mkdir(parents=True, exist_ok=True)
    return BrokerChoice("mosquitto", url, (mosquitto, "-c", str(write_mosquitto_conf(folder, port))))
