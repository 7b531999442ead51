"""One vendor floods with good arrays as fast as the broker takes them: what the others of its family wait."""

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt

from bench.ingest_rig import Load, Rig, make_rig
from bench.table import Row, row
from ingest.county import load_county, save_county
from twin.model.county import Device

EVERY_S = 0.25


def bench_fair(county: Path, scale: float) -> list[Row]:
    """Half a minute of flood through the lane of the gateways; beside it one message of another vendor after
    the other, each seen before the next but one is sent."""
    table, count = load_county(county), int(150_000 * scale)
    device = next(d for d in table.devices if d.dialect == "thingsboard" and d.kind != "station_plc")
    other = replace(device, vendor="one of its own")
    devices = tuple(other if d.id == device.id else d for d in table.devices)
    folder = county.with_name("fair")
    save_county(replace(table, devices=devices), folder)
    keys = [p.external_key for p in table.points if p.device_id == device.id]
    mine = [p.no for p in table.points if p.device_id == device.id]
    with make_rig(folder) as rig:
        rig.start()
        load = Load(folder, rig.broker, "array", count, 0.0, True)
        began = load.go()
        load.allow(count)
        delays = _ask(rig, load, other, keys[0], mine[0])
        took = time.time() - began
        shelf = sum(f.stat().st_size for f in (rig.file.parent / "shelf").glob("*.msgs")) / 1e6
        waiting = rig.waiting()
        rig.wait_readings(100 * count)
        stored = time.time() - began
        dropped, _ = rig.dropped(), rig.stop()
        rows, different = rig.rows()
    p50, p99 = np.percentile(delays, [50, 99])
    return [
        row("arrays of one vendor: the broker has taken all after", took, "s"),
        row("  all stored after", stored, "s"),
        row("  waiting then, messages", waiting, ""),
        row("  of it on disk", shelf, "MB"),
        row("publish to visible of another vendor of its family meanwhile: p50", p50, "s"),
        row("  p99", p99, "s"),
        row("  longest", max(delays), "s", "2"),
        row("  readings lost", 100 * count + len(delays) - different, ""),
        row("  readings twice", rows - different, ""),
        row("  messages the broker dropped", dropped, ""),
        row("  peak memory of ingest", rig.peak_mb, "MB", "400"),
    ]


def _ask(rig: Rig, load: Load, device: Device, key: str, no: int) -> list[float]:
    """Seconds from each message of the quiet device until it is seen, as long as the flood is sent."""
    over = threading.Event()
    threading.Thread(target=lambda: (load.wait(), over.set())).start()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", rig.broker)
    client.loop_start()
    delays = []
    while not over.is_set():
        t, at = round(time.time() * 1000), time.monotonic()
        body = {device.external_id: [{"ts": t, "values": {key: 20.0}}]}
        client.publish("v1/gateway/telemetry", json.dumps(body), qos=1)
        while not _is_seen(rig, no, t / 1000):
            time.sleep(0.01)
        delays.append(time.monotonic() - at)
        time.sleep(EVERY_S)
    client.disconnect()
    client.loop_stop()
    return delays


def _is_seen(rig: Rig, no: int, t: float) -> bool:
    latest = rig.client.latest()
    return bool(((latest.point_no == no) & (latest.t > t - 0.0005)).any())
