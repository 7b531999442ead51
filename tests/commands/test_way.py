"""The whole way: request, Mosquitto, ingest as a process, the simulated field, and back."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt.enums import MQTTProtocolVersion

from ingest.demo.devices.dialects import EDGE
from ingest.demo.devices.faults import read_fault
from ingest.demo.devices.field import Field
from ingest.demo.devices.obedience import LISTEN
from ingest.demo.devices.voice import Voice, open_voice
from ingest.settings import parse_mqtt_url
from ingest.store.client import StoreClient
from ingest.store.command_api import Command
from tests.ingest.test_delivery import running_ingest
from tests.ingest.test_worker import is_connected
from tests.support.system import run_mosquitto, wait_until
from tests.support.tiny import make_tiny_county

SPEED = 10.0


@contextmanager
def living_field(folder: Path, broker: int) -> Iterator[Field]:
    """The demo devices of the tiny county, ten times faster, without the bad manners of real gateways."""
    voices: dict[str, Voice] = {}
    county = make_tiny_county()
    field = Field(
        county, 3, "normal", folder / "truth.jsonl", lambda voice, topic, p: voices[voice].say(topic, p)
    )
    field.manners.skew_s = dict.fromkeys(field.manners.skew_s, 0.0)
    field.manners.drop_out = lambda now, dt_s: None  # type: ignore[method-assign]
    began = time.time()
    field.plant.settle(began)
    field.start(began)
    url = parse_mqtt_url(f"mqtt://127.0.0.1:{broker}")
    v5, group = MQTTProtocolVersion.MQTTv5, county.meta.adcode
    edge = (f"spBv1.0/{group}/NCMD/+", f"spBv1.0/{group}/DCMD/{EDGE}/+")
    voices["json"] = open_voice(url, v5, "json", LISTEN)
    voices["edge"] = open_voice(url, v5, "edge", edge, field.edge.death())
    wait_until(lambda: all(v.up.is_set() for v in voices.values()), 10, "the devices are connected")
    stop = threading.Event()

    def live() -> None:
        field.birth(began)
        while not stop.wait(0.1):
            now = began + SPEED * (time.time() - began)
            for voice in voices.values():
                while not voice.inbox.empty():
                    field.hear(*voice.inbox.get(), now)
            field.tick(now)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield field
    finally:
        stop.set()
        thread.join()
        for voice in voices.values():
            voice.close()


@contextmanager
def connected(client: StoreClient) -> Iterator[StoreClient]:
    wait_until(lambda: is_connected(client), 45, "ingest is connected")
    yield client


def find(client: StoreClient, no: int) -> Command | None:
    return next((c for c in client.commands() if c.no == no), None)


def become(client: StoreClient, no: int, *states: str) -> Command:
    def there() -> Command | None:
        c = find(client, no)
        return c if c is not None and c.state in states else None

    found = wait_until(there, 40, f"the command is {' or '.join(states)}; it is {find(client, no)}")
    assert isinstance(found, Command)
    return found


def test_a_set_point_moves_the_field_in_every_dialect_and_is_read_back(tmp_path: Path) -> None:
    with (
        run_mosquitto(tmp_path / "mosquitto") as broker,
        running_ingest(tmp_path, broker) as site,
        connected(site.client) as client,
        living_field(tmp_path, broker) as field,
    ):
        points = field.county.point_by_id
        wanted = {"S01/cp1_hz_sp": 36.0, "S02/cp1_hz_sp": 38.0, "SRC2/src_ts_sp": 0.0}  # one per dialect

        def known() -> bool:
            return set(client.latest().point_no.tolist()) >= {points[k].no for k in wanted}

        wait_until(known, 40, "the field has said what it holds")
        t = client.latest()
        now = dict(zip(t.point_no.tolist(), t.value.tolist(), strict=True))
        wanted["SRC2/src_ts_sp"] = now[points["SRC2/src_ts_sp"].no] + 5.0
        numbers = {k: client.request_command(points[k].no, v, "li", "trial") for k, v in wanted.items()}
        refused = client.request_command(points["S01/cv_sp"].no, 1.5, "li", "too much")
        for no in numbers.values():
            become(client, no, "waiting")
            client.decide_command(no, "approve", "wang")
        for key, no in numbers.items():
            done = become(client, no, "done", "refused", "timed_out", "differs")
            assert done.state == "done", done
            assert abs(done.seen - wanted[key]) < 0.6
        assert field.plant.orders.pump_hz[:2].tolist() == [36.0, 38.0]
        assert field.plant.orders.source_c[1] == wanted["SRC2/src_ts_sp"]
        assert "outside" in become(client, refused, "refused").detail
        steps = [(s.step, s.who) for s in client.command_steps(numbers["S01/cp1_hz_sp"])]
        assert steps == [("requested", "li"), ("approved", "wang"), ("sent", ""), ("answered", "D-S01"),
                         ("done", "")]  # fmt: skip
        back = client.request_command(points["S01/cp1_hz_sp"].no, done_before(client, numbers), "li", "undo")
        become(client, back, "waiting")
        client.decide_command(back, "approve", "wang")
        become(client, back, "done")
        assert field.plant.orders.pump_hz[0] == 42.0
        lives = {x.device_id: x.state for x in client.device_lives()}
        assert lives["D-S01"] == lives["D-SRC2"] == "online"
        field.faults.add(read_fault({"fault": "gateway_offline", "at": "D-S01"}, 0.0, field.plant))
        time.sleep(0.5)
        lost = client.request_command(points["S01/cp1_hz_sp"].no, 40.0, "li", "nobody is there")
        become(client, lost, "waiting")
        client.decide_command(lost, "approve", "wang")
        become(client, lost, "sent")
        time.sleep(3.0)
        assert become(client, lost, "sent").answered is None and field.plant.orders.pump_hz[0] == 42.0


def done_before(client: StoreClient, numbers: dict[str, int]) -> float:
    found = find(client, numbers["S01/cp1_hz_sp"])
    assert found is not None
    return found.before
