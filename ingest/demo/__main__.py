"""``python -m ingest.demo``: the demo devices. See ``docs/demo-field.md``."""

import argparse
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ingest.county import load_county
from ingest.demo.devices.backfill import read_bundles, walk_history
from ingest.demo.devices.dialects import EDGE, Bundle
from ingest.demo.devices.faults import read_script
from ingest.demo.devices.field import Field
from ingest.demo.devices.obedience import LISTEN
from ingest.demo.devices.voice import Voice, open_voice
from ingest.demo.plant.weather import MODES
from ingest.settings import Settings, parse_mqtt_url, read_settings
from ingest.worker.probe import probe_broker
from twin.model.errors import ConfigError, CountyTwinError

log = logging.getLogger("devices")
EX_CONFIG = 78
SAVE_EVERY_S = 60.0
LATE_PER_S = 3000
"""Pace of history messages."""


def read_options(argv: list[str], env: dict[str, str]) -> argparse.Namespace:
    """Options of the command line; the environment gives the default of ``--backfill-h``."""
    parser = argparse.ArgumentParser(prog="python -m ingest.demo", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="seed of the hidden truth and the weather")
    parser.add_argument("--speed", type=float, default=1.0, help="field seconds per second; time starts now")
    parser.add_argument("--weather", choices=MODES, default="normal")
    parser.add_argument("--faults", type=Path, default=None, help="TOML script of faults")
    parser.add_argument("--backfill-h", type=float, default=float(env.get("CT_DEMO_BACKFILL_H", "25")))
    return parser.parse_args(argv)


class Runner:
    """The process: options and settings in, one loop until stopped."""

    def __init__(self, settings: Settings, options: argparse.Namespace, stop: threading.Event) -> None:
        self.stop, self.options, self.settings = stop, options, settings
        self.county = load_county(settings.county, onboarded=False)  # the demo field has its own devices only
        if not self.county.meta.demo:
            raise ConfigError(f"{self.county.meta.name} is not a demo county: its devices are real ones")
        self.seed = options.seed if options.seed is not None else (self.county.meta.seed or 7)
        self.state_file = settings.data / "demo" / "state.npz"
        self.voices: dict[str, Voice] = {}
        self.field = Field(self.county, self.seed, options.weather, settings.truth_file, self._say)
        self.began = time.time()
        self.births: queue.Queue[None] = queue.Queue()
        self.late: Iterator[list[Bundle]] | None = None
        self.late_rows: list[Bundle] = []

    def now(self) -> float:
        """The field's clock."""
        return self.began + (time.time() - self.began) * float(self.options.speed)

    def _say(self, voice: str, topic: str, payload: bytes) -> None:
        self.voices[voice].say(topic, payload)

    def run(self) -> None:
        """Connect, come to the present, then one tick a second."""
        broker = parse_mqtt_url(self.settings.mqtt_url)
        version = probe_broker(broker).version
        while version is None and not self.stop.wait(1.0):
            version = probe_broker(broker).version
        if version is None:
            return
        fresh = not self.state_file.exists()
        if fresh or not self.field.restore(self.state_file, self.now()):
            self.field.start(self._begin(fresh))
        else:
            self.field.start(self.now())
        self._write_hidden()
        if self.options.faults is not None:
            for fault in read_script(self.options.faults, self.now(), self.field.plant):
                self.field.faults.add(fault)
        name = f"county-twin-demo-{self.county.meta.adcode}"
        self.voices["json"] = open_voice(broker, version, name, ("demo/control", *LISTEN))
        group = self.county.meta.adcode
        edge_topics = (f"spBv1.0/{group}/NCMD/+", f"spBv1.0/{group}/DCMD/{EDGE}/+")
        self.voices["edge"] = open_voice(
            broker,
            version,
            f"{name}-edge",
            edge_topics,
            self.field.edge.death(),
            lambda: self.births.put(None),
        )
        log.info("%d devices speak, weather %s", len(self.county.devices), self.options.weather)
        try:
            self._loop()
        finally:
            self.field.save(self.state_file)
            self.voices["edge"].say(*self.field.edge.death())
            for voice in self.voices.values():
                voice.close()

    def _loop(self) -> None:
        saved = time.monotonic()
        next_tick = time.monotonic()
        while not self.stop.is_set():
            if all(v.up.is_set() for v in self.voices.values()):
                self._listen()
                self.field.tick(self.now())
                self._pace()
            if time.monotonic() - saved > SAVE_EVERY_S:
                saved = time.monotonic()
                self.field.save(self.state_file)
            next_tick = max(next_tick + 1.0, time.monotonic())
            self.stop.wait(max(next_tick - time.monotonic(), 0.0))

    def _listen(self) -> None:
        while not self.births.empty():
            self.births.get()
            self.field.birth(self.now())
        for voice in self.voices.values():
            while not voice.inbox.empty():
                topic, payload = voice.inbox.get()
                self.field.hear(topic, payload, self.now())

    def _begin(self, fresh: bool) -> float:
        """A new plant, with the day behind it at the very first start; returns the field's time it is at."""
        now = self.now()
        if not fresh or self.options.backfill_h <= 0:
            self.field.plant.settle(now)
            return now
        start = now - 3600.0 * self.options.backfill_h
        self.late = read_bundles(self.county, walk_history(self.field.plant, start, now))
        return now

    def _pace(self) -> None:
        """Publish what is left of the past, so many messages a second."""
        if self.late is None:
            return
        said = 0
        while said < LATE_PER_S:
            rows = next(self.late, None)
            if rows is None:
                log.info("history delivered: the last %.0f h", self.options.backfill_h)
                self.late = None
                return
            said += self.field.speak_late(rows)

    def _write_hidden(self) -> None:
        file = self.settings.data / "demo" / "hidden.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            json.dumps({"seed": self.seed, **self.field.plant.hidden.as_json()}), encoding="utf-8"
        )


def main() -> int:
    """Exit status: 0 stopped, 78 wrong configuration."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        options = read_options(sys.argv[1:], dict(os.environ))
        Runner(read_settings(), options, stop).run()
    except CountyTwinError as e:
        print(e, file=sys.stderr)
        return EX_CONFIG
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
