"""A batch of messages to a batch of readings: pure but for the adapters' own memory."""

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ingest.adapters import Adapter, Decoded, Directory
from ingest.adapters.base import MAX_PROBLEMS
from ingest.adapters.downlink import Answer
from ingest.adapters.mapped import find_source
from ingest.onboarding.flow import MAPPED
from ingest.store.batch import Batch, DeviceMark
from ingest.worker.clocks import Clocks
from ingest.worker.inbox import Message
from ingest.worker.quota import DeadLetterQuota
from ingest.worker.specimens import Specimens
from twin.model.errors import PayloadError
from twin.model.readings import Quality


@dataclass
class _Columns:
    """Readings of a batch as they come; ``size`` and ``received`` per message.

    Plain numbers side by side: lists would hold an object for each, a hundred bytes a reading.
    """

    point_no: "array[int]" = field(default_factory=lambda: array("q"))
    t: "array[float]" = field(default_factory=lambda: array("d"))
    number: "array[float]" = field(default_factory=lambda: array("d"))
    size: list[int] = field(default_factory=list)
    received: list[float] = field(default_factory=list)

    def add(self, found: Decoded, received: float) -> None:
        self.point_no.fromlist(found.point_no)
        self.t.fromlist(found.t)
        self.number.fromlist(found.number)
        self.size.append(len(found.point_no))
        self.received.append(received)


@dataclass
class Decoder:
    """Adapters plus what is remembered per device (its clock, whether it is online).

    ``offline_since``: devices that were declared gone, and when; what they measure later heals them.
    ``answers``: what devices said to commands, for the desk; ``facts``: what they say of themselves, for the
    next batch.
    """

    adapters: Sequence[Adapter]
    directory: Directory
    offline_since: dict[str, float] = field(default_factory=dict)
    clocks: Clocks = field(default_factory=Clocks)
    quota: DeadLetterQuota = field(default_factory=DeadLetterQuota)
    answers: "deque[Answer]" = field(default_factory=lambda: deque(maxlen=1000))
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    specimens: Specimens = field(default_factory=Specimens)

    def decode_batch(self, messages: Sequence[Message]) -> tuple[Batch, list[tuple[str, bytes]]]:
        """Readings of all messages as columns, and what is to be published in answer."""
        columns = _Columns()
        replies: list[tuple[str, bytes]] = []
        memory: dict[str, str] = {}
        heard: dict[str, list[float]] = {}
        received_last = max((m.received for m in messages), default=0.0)
        counts = {"messages": len(messages), "rejected_messages": 0, "rejected_readings": 0}
        for m in messages:
            try:
                found = self._decode(m)
            except PayloadError as e:
                counts["rejected_messages"] += 1
                self.quota.add(m.topic, m.payload, str(e), m.received)
                continue
            columns.add(found, m.received)
            if found.problems:
                counts["rejected_readings"] += len(found.problems)
                self.quota.add(m.topic, m.payload, join_problems(found.problems), m.received)
            if found.replies:
                replies += found.replies
            if found.memory:
                memory.update(found.memory)
            if found.answers:
                self.answers.extend(found.answers)
            if found.facts:
                self.facts.update(found.facts)
            self._follow(found, m.received)
            self.specimens.look(m, found.heard)
            for device_id, t in found.heard.items():
                row = heard.setdefault(device_id, [t, 0.0])
                row[0] = max(row[0], t)
                row[1] += 1
        return self._as_batch(columns, heard, received_last, counts, memory), replies

    def _decode(self, m: Message) -> Decoded:
        for adapter in self.adapters:
            if adapter.matches(m.topic):
                if m.retained and self._is_timeless(adapter, m.topic):
                    return Decoded()
                try:
                    return adapter.decode(m.topic, m.payload, m.received, self.directory)
                except PayloadError:
                    raise
                except Exception as e:
                    # A fault of the adapter must not stop the line: the message is kept with its reason.
                    raise PayloadError(f"{adapter.name} adapter failed: {type(e).__name__}: {e}") from e
        raise PayloadError("no adapter reads this topic")

    def _is_timeless(self, adapter: Adapter, topic: str) -> bool:
        """Whether a retained message there may be of any age and look new."""
        if adapter.name == MAPPED:
            found = find_source(self.directory.sources, topic)
            return found is not None and not found[1].time
        return adapter.clockless and "/$" not in topic

    def _follow(self, found: Decoded, received: float) -> None:
        """Clocks; who is online: as births and deaths say, and whoever measured something after its death."""
        for device_id, online in found.online.items():
            if online:
                self.offline_since.pop(device_id, None)
            else:
                self.offline_since[device_id] = received
        for device_id, t in found.heard.items():
            since = self.offline_since.get(device_id)
            said = device_id in found.online
            if since is not None and not said and t - self.clocks.skew(device_id) >= since:
                del self.offline_since[device_id]  # by what its clock was known to be before this message
            self.clocks.follow(device_id, t, received)

    def _as_batch(
        self,
        columns: _Columns,
        heard: dict[str, list[float]],
        received: float,
        counts: dict[str, int],
        memory: dict[str, str],
    ) -> Batch:
        point_no = np.array(columns.point_no, np.int64)
        t = np.array(columns.t, np.float64)
        at = np.repeat(np.array(columns.received, np.float64), columns.size)
        value = self.directory.convert(point_no, np.array(columns.number, np.float64))
        quality = self.directory.judge(point_no, value, t, at)
        self.clocks.flag(quality, point_no, self.directory)
        counts["late"] = int((quality == Quality.LATE).sum())
        dead, notices, counts["unkept_messages"] = self.quota.take(received)
        marks = tuple(
            DeviceMark(
                device_id=device_id,
                t_us=round(max(min(newest, received + 86_400), 0.0) * 1e6),
                received_us=round(received * 1e6),
                messages=int(number),
                skew_s=self.clocks.told(device_id),
                online=device_id not in self.offline_since,
            )
            for device_id, (newest, number) in heard.items()
        )
        return Batch(
            point_no=point_no,
            t_us=np.rint(t * 1e6).astype(np.int64),
            received_us=np.rint(at * 1e6).astype(np.int64),
            value=value,
            quality=quality,
            dead=dead,
            devices=marks,
            counts=counts,
            memory=memory,
            notices=notices,
            messages=self.specimens.take(),
        )


def join_problems(problems: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = len(problems) - MAX_PROBLEMS
    return "; ".join(problems[:MAX_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
