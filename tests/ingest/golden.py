"""Golden cases of the adapters: folders of files, so that a case is added without code.

``cases/<adapter>/<case>/``: ``topic.txt`` and ``payload.json|bin``; ``before<i>.topic.txt`` and
``before<i>.bin`` are messages that came earlier; ``expected.json`` says what is read, or ``error.txt`` why
the whole message is refused. Devices and points are those of the tiny county.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ingest.adapters import Adapter, Decoded, Directory, compile_directory, make_adapters
from ingest.adapters.sparkplug_b_pb2 import Payload
from tests.support.tiny import make_tiny_county
from twin.model.readings import Quality

CASES = Path(__file__).parent / "cases"
RECEIVED = 1_700_000_000.0
"""When every message of the cases arrives, seconds since 1970 UTC."""


@cache
def directory() -> Directory:
    return compile_directory(make_tiny_county())


@cache
def point_ids() -> tuple[str, ...]:
    return tuple(p.id for p in make_tiny_county().points)


def fresh_adapter(name: str) -> Adapter:
    return next(a for a in make_adapters() if a.name == name)


@dataclass(frozen=True)
class Case:
    folder: Path

    @property
    def id(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def topic(self) -> str:
        return (self.folder / "topic.txt").read_text(encoding="utf-8").rstrip("\n")

    @property
    def payload(self) -> bytes:
        return next(self.folder.glob("payload.*")).read_bytes()

    def decode(self) -> Decoded:
        adapter = fresh_adapter(self.folder.parent.name)
        for file in sorted(self.folder.glob("before*.bin")):
            topic = file.with_suffix(".topic.txt").read_text(encoding="utf-8").rstrip("\n")
            adapter.decode(topic, file.read_bytes(), RECEIVED - 1, directory())
        return adapter.decode(self.topic, self.payload, RECEIVED, directory())


def find_cases() -> list[Case]:
    return [Case(f.parent) for f in sorted(CASES.glob("*/*/topic.txt"))]


def describe(found: Decoded) -> dict[str, object]:
    """What a case expects, as plain data; values to 9 digits, ages in seconds before arrival."""
    return {
        "readings": [
            [point_ids()[r.point_no], f"{r.value:.9g}", RECEIVED - r.t, Quality(r.quality).name]
            for r in found.readings(directory(), RECEIVED)
        ],
        "problems": found.problems,
        "online": found.online,
        "replies": [[topic, _metric_names(payload)] for topic, payload in found.replies],
    }


def _metric_names(payload: bytes) -> list[str]:
    return [m.name for m in Payload.FromString(payload).metrics]


def as_json(found: Decoded) -> str:
    return json.dumps(describe(found), ensure_ascii=False, indent=1) + "\n"
