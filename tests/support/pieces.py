"""A broker, ingest and the dashboard over the tiny county: what a device meets on its way to a chart."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt

from ingest.county import save_county
from ingest.store.client import StoreClient
from tests.support.system import ROOT, free_port, run_mosquitto, wait_until
from tests.support.tiny import make_tiny_county
from twin.model.errors import StoreUnavailable

TOKEN = "token-of-a-test"


@dataclass
class Pieces:
    """Addresses of what runs; ``field`` is a device's connection to the broker."""

    data: Path
    url: str
    store: StoreClient
    field: mqtt.Client
    broker: int

    @property
    def county(self) -> Path:
        return self.data / "county"

    def say(self, topic: str, payload: str) -> None:
        self.field.publish(topic, payload, qos=1).wait_for_publish(120)


@contextmanager
def run_pieces(folder: Path, env: dict[str, str] | None = None) -> Iterator[Pieces]:
    """Start them, wait until they answer, stop them."""
    data, store, port = folder / "var", free_port(), free_port()
    data.mkdir(parents=True)
    save_county(make_tiny_county(), data / "county")
    client = StoreClient(f"quack:127.0.0.1:{store}", TOKEN)
    with run_mosquitto(folder / "broker") as broker:
        said = {k: v for k, v in os.environ.items() if not k.startswith("CT_")}
        said |= {
            "CT_DATA": str(data), "MQTT_URL": f"mqtt://127.0.0.1:{broker}", "CT_PORT": str(port),
            "CT_STORE_URI": f"quack:127.0.0.1:{store}", "CT_STORE_TOKEN": TOKEN, "CT_SCOUT_S": "0",
            **(env or {}),
        }  # fmt: skip
        log = (folder / "pieces.log").open("ab")
        started = [
            subprocess.Popen([sys.executable, "-m", m], cwd=ROOT, env=said, stdout=log, stderr=log)
            for m in ("ingest", "app.web")
        ]
        field = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _answers(url, started), 60, "the dashboard answers")
            wait_until(lambda: _connected(client), 60, "ingest is connected")
            field.connect("127.0.0.1", broker)
            field.loop_start()
            yield Pieces(data, url, client, field, broker)
        finally:
            for process in started:
                process.terminate()
            for process in started:
                try:
                    process.wait(120)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            field.disconnect()
            field.loop_stop()
            client.close()
            log.close()


def _answers(url: str, started: list["subprocess.Popen[bytes]"]) -> bool:
    assert all(p.poll() is None for p in started), "a process ended early"
    try:
        with urllib.request.urlopen(url + "/healthz", timeout=2) as r:
            return bool(r.status == 200)
    except OSError:
        return False


def _connected(client: StoreClient) -> bool:
    try:
        return client.stats().broker == "connected"
    except StoreUnavailable:
        return False
