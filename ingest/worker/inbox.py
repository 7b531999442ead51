"""The bounded queues between the network threads and the writer, one per lane, emptied in turn."""

import threading
from collections import deque
from dataclasses import dataclass

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
        self._wanted = max(limit // 4, 1)
        enough = self.waiting_bytes >= BATCH_BYTES // 2 or any(len(q) >= self._wanted for q in self._queues)
        if not enough:
            self._enough.wait(window_s)
        self._enough.clear()
        out: list[Message] = []
        share = max(limit // len(self._queues), 1)
        room = BATCH_BYTES
        while len(out) < limit and room > 0:
            before = len(out)
            for number, queue in enumerate(self._queues):
                count = min(share, limit - len(out), len(queue))
                room -= self._take(out, number, count, max(room // len(self._queues), 1))
            if len(out) == before:
                break
        self._room.set()
        return out

    def _take(self, out: list[Message], lane: int, count: int, room: int) -> int:
        """Move up to ``count`` messages of about ``room`` bytes to ``out``; returns their bytes."""
        popleft, taken = self._queues[lane].popleft, 0
        for _ in range(count):
            message = popleft()
            taken += len(message.payload)
            out.append(message)
            if taken >= room:
                break
        self._bytes_out[lane] += taken
        return taken
