"""A batch of messages to a batch of readings: pure but for the adapters' own memory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ingest.adapters import Adapter, Decoded, Directory
from ingest.adapters.base import MAX_PROBLEMS
from ingest.store.batch import Batch, DeadMessage, DeviceMark, make_dead_message
from ingest.worker.inbox import Message
from twin.model.errors import PayloadError
from twin.model.readings import Quality, Reading

SKEW_WEIGHT = 0.2
"""Weight of the newest message in the smoothed clock skew."""
SKEW_LIVE_S = 150.0
"""Only messages this fresh tell something of the clock (older ones were stored on the way)."""


@dataclass
class Decoder:
    """Adapters plus what is remembered per device (smoothed skew, online)."""

    adapters: Sequence[Adapter]
    directory: Directory
    skew_s: dict[str, float] = field(default_factory=dict)
    online: dict[str, bool] = field(default_factory=dict)

    def decode_batch(self, messages: Sequence[Message]) -> tuple[Batch, list[tuple[str, bytes]]]:
        """Readings of all messages as columns, and what is to be published in answer."""
        readings: list[tuple[Reading, float]] = []
        dead: list[DeadMessage] = []
        replies: list[tuple[str, bytes]] = []
        memory: dict[str, str] = {}
        heard: dict[str, list[float]] = {}
        received_last = 0.0
        counts = {"messages": len(messages), "rejected_messages": 0, "rejected_readings": 0}
        for m in messages:
            received_last = max(received_last, m.received)
            try:
                found = self._decode(m)
            except PayloadError as e:
                counts["rejected_messages"] += 1
                dead.append(make_dead_message(m.topic, m.payload, str(e), round(m.received * 1e6)))
                continue
            if found.problems:
                counts["rejected_readings"] += len(found.problems)
                more = len(found.problems) - MAX_PROBLEMS
                reason = "; ".join(found.problems[:MAX_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
                dead.append(make_dead_message(m.topic, m.payload, reason, round(m.received * 1e6)))
            readings.extend((r, m.received) for r in found.readings)
            replies.extend(found.replies)
            memory.update(found.memory)
            self.online.update(found.online)
            for device_id, t in found.heard.items():
                heard.setdefault(device_id, []).append(t)
                self._follow_clock(device_id, t, m.received)
        return self._as_batch(readings, dead, heard, received_last, counts, memory), replies

    def _decode(self, m: Message) -> Decoded:
        for adapter in self.adapters:
            if adapter.matches(m.topic):
                try:
                    return adapter.decode(m.topic, m.payload, m.received, self.directory)
                except PayloadError:
                    raise
                except Exception as e:
                    # A fault of the adapter must not stop the line: the message is kept with its reason.
                    raise PayloadError(f"{adapter.name} adapter failed: {type(e).__name__}: {e}") from e
        raise PayloadError("no adapter reads this topic")

    def _follow_clock(self, device_id: str, t: float, received: float) -> None:
        if abs(t - received) > SKEW_LIVE_S:
            return
        before = self.skew_s.get(device_id, t - received)
        self.skew_s[device_id] = before + SKEW_WEIGHT * (t - received - before)

    def _as_batch(
        self,
        readings: list[tuple[Reading, float]],
        dead: list[DeadMessage],
        heard: dict[str, list[float]],
        received: float,
        counts: dict[str, int],
        memory: dict[str, str],
    ) -> Batch:
        n = len(readings)
        quality = np.fromiter((r.quality for r, _ in readings), np.int64, n)
        counts["late"] = int((quality == Quality.LATE).sum())
        marks = tuple(
            DeviceMark(
                device_id=device_id,
                t_us=round(max(min(t, received + 86_400) for t in times) * 1e6),
                received_us=round(received * 1e6),
                messages=len(times),
                skew_s=self.skew_s.get(device_id, math.nan),
                online=self.online.get(device_id, True),
            )
            for device_id, times in heard.items()
        )
        return Batch(
            point_no=np.fromiter((r.point_no for r, _ in readings), np.int64, n),
            t_us=np.fromiter((round(r.t * 1e6) for r, _ in readings), np.int64, n),
            received_us=np.fromiter((round(at * 1e6) for _, at in readings), np.int64, n),
            value=np.fromiter((r.value for r, _ in readings), np.float64, n),
            quality=quality,
            dead=tuple(dead),
            devices=marks,
            counts=counts,
            memory=memory,
        )
