import json
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Browser, Playwright

from ingest.county import load_county
from tests.support.system import CHROMIUM_ARGS, System, run_mosquitto, wait_until
from twin.model.county import County, Point
from twin.model.quantities import find_quantity


class Field:
    """A second voice on the broker: values of one flat-dialect station, each one acknowledged."""

    def __init__(self, port: int, county: County) -> None:
        self.county = county
        self.device = next(d for d in county.devices if d.dialect == "flat" and d.kind != "source")
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id="e2e-field", protocol=mqtt.MQTTv5
        )
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def point(self, key: str) -> Point:
        return next(p for p in self.county.points if p.device_id == self.device.id and p.key == key)

    def say(self, key: str, value_si: float, t: float | None = None) -> None:
        """Publish one value; returns when the broker has acknowledged it."""
        from twin.model.quantities import convert_from_si

        p = self.point(key)
        payload = {"ts": int((t or time.time()) * 1000), p.external_key: convert_from_si(value_si, p.unit)}
        self.send(f"heat/{self.device.external_id}/data", json.dumps(payload).encode())

    def send(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, qos=1).wait_for_publish(120)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="package")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with run_mosquitto(tmp_path_factory.mktemp("broker")) as port:
        yield port


@pytest.fixture(scope="package")
def system(broker: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    data: Path = tmp_path_factory.mktemp("e2e") / "var"
    system = System(data, env={"MQTT_URL": f"mqtt://127.0.0.1:{broker}", "CT_DEMO_BACKFILL_H": "1"})
    system.start()
    system.wait_ready()
    yield system
    if system.process is not None:
        assert system.stop() == 0


@pytest.fixture(scope="package")
def county(system: System) -> County:
    return load_county(system.data / "county")


@pytest.fixture(scope="package")
def field(broker: int, county: County) -> Iterator[Field]:
    field = Field(broker, county)
    yield field
    field.close()


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
    yield browser
    browser.close()


def display(point: Point, value_si: float) -> str:
    """The text a page shows for a value, after ``app.format``'s rules (true minus sign)."""
    q = find_quantity(point.quantity)
    return f"{value_si * q.scale:.{q.decimals}f}".replace("-", "\N{MINUS SIGN}")


__all__ = ["Field", "display", "wait_until"]
