"""The bounded queues between the network threads and the writer, one per lane, emptied in turn."""

import threading
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

MAX_BYTES = 32_000_000
"""Payload bytes that may wait in all lanes together."""
BATCH_BYTES = 1_200_000
"""Payload bytes that are given out at once, so that a batch of large messages stays small in memory."""
WAIT_S = 0.2


@dataclass(slots=True)
class Message:
    """One MQTT message as it came. ``epoch`` numbers the connection of ``lane`` it is acknowledged on."""

    topic: str
    payload: bytes
    received: float
    mid: int
    qos: int
    epoch: int
    lane: int = 0
    retained: bool = False


@dataclass(slots=True)
class Catch:
    """What was taken out at once: ``now`` to be read, ``aside`` (sender, message) to be set aside; ``every``
    message of both in the order in which its lane brought it, as the broker likes its acknowledgements."""

    now: list[Message] = field(default_factory=list)
    aside: list[tuple[str, Message]] = field(default_factory=list)
    every: list[Message] = field(default_factory=list)


class Sieve(Protocol):
    """Says whose messages are set aside (``ingest.worker.sluice``)."""

    def look(self, lane: int, queue: Sequence[Message]) -> Collection[str]:
        """Senders whose messages in this lane's queue are set aside."""
        ...

    def name(self, message: Message) -> str:
        """The sender of a message."""
        ...

    def has_room(self, message: Message) -> bool:
        """Whether one more may be set aside in this turn; it is then."""
        ...


class Inbox:
    """Bounded in messages per lane and in bytes.

    ``put`` waits when it is full, which stops that network thread and so the broker (back-pressure). Lanes
    are emptied in turn, so that a flood in one does not keep the others waiting.
    """

    def __init__(self, lanes: int = 1, size: int = 20_000, max_bytes: int = MAX_BYTES) -> None:
        self._queues: tuple[deque[Message], ...] = tuple(deque() for _ in range(lanes))
        self._size, self._max_bytes = size, max_bytes
        self._bytes_in = [0] * lanes
        self._bytes_out = [0] * lanes
        self._enough, self._room, self._closed = threading.Event(), threading.Event(), threading.Event()
        self._wanted = size

    def put(self, message: Message) -> bool:
        """Called from the network thread of the lane; waits for room. False: closed, nothing was taken."""
        queue = self._queues[message.lane]
        while len(queue) >= self._size or self.waiting_bytes >= self._max_bytes:
            if self._closed.is_set():
                return False
            self._room.clear()
            self._enough.set()
            self._room.wait(WAIT_S)
        lane = message.lane
        self._bytes_in[lane] += len(message.payload)
        queue.append(message)
        if len(queue) >= self._wanted or self._bytes_in[lane] - self._bytes_out[lane] >= BATCH_BYTES // 2:
            self._enough.set()
        return True

    @property
    def waiting_bytes(self) -> int:
        """Payload bytes in all lanes."""
        return sum(self._bytes_in) - sum(self._bytes_out)

    def __len__(self) -> int:
        return sum(len(q) for q in self._queues)

    def close(self) -> None:
        """Let network threads that wait for room go on; what they bring stays unacknowledged."""
        self._closed.set()
        self._room.set()

    def collect(self, window_s: float, limit: int) -> list[Message]:
        """Up to ``limit`` messages, after ``window_s`` seconds or as soon as there is enough for a batch.

        Each lane gives at most its equal share as long as the others have something.
        """
        return self.sift(window_s, limit).now

    def sift(self, window_s: float, limit: int, sieve: Sieve | None = None) -> Catch:
        """As ``collect``; what ``sieve`` sets aside comes besides and counts for no limit of ours."""
        self._wanted = max(limit // 4, 1)
        enough = self.waiting_bytes >= BATCH_BYTES // 2 or any(len(q) >= self._wanted for q in self._queues)
        if not enough:
            self._enough.wait(window_s)
        self._enough.clear()
        out = Catch()
        held = [sieve.look(n, q) if sieve else () for n, q in enumerate(map(_copy, self._queues))]
        share = max(limit // len(self._queues), 1)
        room = BATCH_BYTES
        while len(out.now) < limit and room > 0:
            before = len(out.now)
            for number, queue in enumerate(self._queues):
                count = min(share, limit - len(out.now), len(queue))
                part = max(room // len(self._queues), 1)
                if held[number] and sieve is not None:
                    room -= self._part(out, number, count, part, held[number], sieve)
                else:
                    room -= self._take(out, number, count, part)
            if len(out.now) == before:
                break
        self._room.set()
        return out

    def _take(self, out: Catch, lane: int, count: int, room: int) -> int:
        """Move up to ``count`` messages of about ``room`` bytes to ``out``; returns their bytes."""
        popleft, taken, first = self._queues[lane].popleft, 0, len(out.now)
        for _ in range(count):
            message = popleft()
            taken += len(message.payload)
            out.now.append(message)
            if taken >= room:
                break
        out.every += out.now[first:]
        self._bytes_out[lane] += taken
        return taken

    def _part(self, out: Catch, lane: int, count: int, room: int, held: Collection[str], sieve: Sieve) -> int:
        """As ``_take``, but messages of ``held`` are set aside on the way, until the sieve has no room."""
        queue, taken, passed = self._queues[lane], 0, 0
        for _ in range(len(queue)):
            message = queue[0]
            name = sieve.name(message)
            if name in held:
                if not sieve.has_room(message):
                    break
                out.aside.append((name, message))
                passed += len(message.payload)
            elif count > 0 and taken < room:
                out.now.append(message)
                taken += len(message.payload)
                count -= 1
            else:
                break
            out.every.append(queue.popleft())
        self._bytes_out[lane] += taken + passed
        return taken


def _copy(queue: deque[Message]) -> list[Message]:
    """The queue as it is; made at once, while its network thread goes on."""
    return list(queue)
