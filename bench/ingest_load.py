"""Load for ``bench.ingest``: a sender that writes MQTT packets straight to the socket, a bare subscriber.

The sender is a process of its own and speaks just enough MQTT 3.1.1 at QoS 1 to cost little beside what is
measured; the bare subscriber is paho as it comes, acknowledging and counting, nothing else.
Run as ``python -m bench.ingest_load COUNTY PORT KIND COUNT RATE TOLD`` it sends and prints one JSON line.
"""

import itertools
import json
import multiprocessing
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import paho.mqtt.client as mqtt

from ingest.county import load_county
from twin.model.county import Device

STEP = 200
"""Messages sent at once."""
WINDOW = 20_000
"""Messages sent and not yet acknowledged by the broker."""


def connect(port: int, name: str) -> socket.socket:
    """A socket that has said CONNECT and heard CONNACK."""
    s = socket.create_connection(("127.0.0.1", port))
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + _text(name)
    s.sendall(b"\x10" + _length(len(body)) + body)
    s.recv(4)
    return s


def publish_packet(topic: str, payload: bytes, mid: int) -> bytes:
    """One PUBLISH at QoS 1."""
    body = _text(topic) + mid.to_bytes(2, "big") + payload
    return b"\x32" + _length(len(body)) + body


def _text(s: str) -> bytes:
    raw = s.encode()
    return len(raw).to_bytes(2, "big") + raw


def _length(n: int) -> bytes:
    out = b""
    while True:
        n, digit = divmod(n, 128)
        out += bytes([digit | (0x80 if n else 0)])
        if not n:
            return out


class Messages:
    """Endless different messages of one kind for the devices of a county.

    ``small``: flat, three readings; ``array``: gateway arrays of 100 readings; every (point, time) once.
    """

    def __init__(self, county: str, kind: str) -> None:
        table = load_county(Path(county))
        keys: dict[str, list[str]] = {}
        for p in table.points:
            keys.setdefault(p.device_id, []).append(p.external_key)
        dialect = "flat" if kind == "small" else "thingsboard"
        self.devices: list[Device] = [
            d for d in table.devices if d.dialect == dialect and d.kind == "station_plc"
        ]
        self.keys, self.kind = keys, kind

    def make(self, count: int) -> Iterator[tuple[str, bytes]]:
        """``count`` messages with times that end about now, each (point, time) once."""
        start = int(time.time() * 1000) - 5 * count
        blocks: dict[tuple[str, int], str] = {}
        for i in range(count):
            d = self.devices[i % len(self.devices)]
            t = start + 5 * i
            if self.kind == "small":
                body = ",".join(f'"{k}":{50 + i % 97 / 10}' for k in self.keys[d.id][:3])
                yield f"heat/{d.external_id}/data", f'{{"ts":{t},{body}}}'.encode()
            else:
                keys = self.keys[d.id][:20]
                rows = ",".join(
                    f'{{"ts":{t + r},"values":{self._block(blocks, d.id, keys, (i + r) % 97)}}}'
                    for r in range(100 // len(keys))
                )
                yield "v1/gateway/telemetry", f'{{"{d.external_id}":[{rows}]}}'.encode()

    @staticmethod
    def _block(known: dict[tuple[str, int], str], device: str, keys: list[str], step: int) -> str:
        """The values of one moment; there are few different ones, so that sending costs little."""
        block = known.get((device, step))
        if block is None:
            block = "{" + ",".join(f'"{k}":{50 + step / 10}' for k in keys) + "}"
            known[device, step] = block
        return block


def send(
    port: int, messages: Iterable[tuple[str, bytes]], total: int, rate: float, told: bool = False
) -> float:
    """Send ``total``, at ``rate`` per second (0: as fast as the broker takes them); seconds until acked.

    ``told``: never more than standard input has said so far; messages are then made on the way.
    """
    packets = (publish_packet(t, p, i % 65_000 + 1) for i, (t, p) in enumerate(messages))
    if not told:
        packets = iter(list(packets))
    s = connect(port, f"load-{time.time_ns()}")
    acked = [0]
    done = threading.Event()

    def count() -> None:
        pending = 0
        while acked[0] < total:
            got = s.recv(65_536)
            if not got:
                break
            pending += len(got)
            acked[0] = pending // 4
        done.set()

    allowed = [0 if told else total]

    def hear() -> None:
        for line in sys.stdin:
            allowed[0] = int(line)

    threading.Thread(target=count, daemon=True).start()
    if told:
        threading.Thread(target=hear, daemon=True).start()
    began = time.monotonic()
    sent, step = 0, STEP if rate == 0 else max(int(rate / 100), 1)
    due = began
    while sent < total:
        if sent >= allowed[0]:
            time.sleep(0.01)
            continue
        if rate:
            time.sleep(max(due - time.monotonic(), 0.0))
            due = max(due, time.monotonic() - 1.0) + step / rate  # what was held back does not come at once
        elif sent - acked[0] > WINDOW:
            time.sleep(0.001)
            continue
        s.sendall(b"".join(itertools.islice(packets, step)))
        sent += step
    done.wait(120)
    s.close()
    return time.monotonic() - began


def count_bare(port: int, topic: str, expected: int, ready: object, out: "Synchronized[float]") -> None:
    """A bare paho subscriber: the moment it has counted ``expected`` messages goes to ``out``."""
    got = [0]
    finished = threading.Event()

    def on_message(*_: object) -> None:
        got[0] += 1
        if got[0] == expected:
            out.value = time.time()
            finished.set()

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_message = on_message
    client.on_subscribe = lambda *_: ready.set()  # type: ignore[attr-defined]
    client.connect("127.0.0.1", port)
    client.subscribe(topic, qos=1)
    client.loop_start()
    finished.wait(180)
    client.disconnect()
    client.loop_stop()


def measure_bare(port: int, topic: str, send_all: "multiprocessing.process.BaseProcess", n: int) -> float:
    """Messages per second of the bare subscriber while ``send_all`` runs."""
    ready, out = multiprocessing.Event(), multiprocessing.Value("d", 0.0)
    subscriber = multiprocessing.Process(target=count_bare, args=(port, topic, n, ready, out))
    subscriber.start()
    ready.wait(20)
    began = time.time()
    send_all.start()
    subscriber.join(200)
    send_all.join(10)
    return n / (out.value - began)


def main() -> None:
    """See the module."""
    county, port, kind, count, rate, told = sys.argv[1:7]
    messages: Iterable[tuple[str, bytes]] = Messages(county, kind).make(int(count))
    if not int(told):
        messages = list(messages)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.time()
    seconds = send(int(port), messages, int(count), float(rate), bool(int(told)))
    print(json.dumps({"began": began, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
