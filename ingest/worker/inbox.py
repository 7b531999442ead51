"""The bounded queue between the network thread and the writer."""

import queue
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message as it came. ``epoch`` numbers the connection it can be acknowledged on."""

    topic: str
    payload: bytes
    received: float
    mid: int
    qos: int
    epoch: int


class Inbox:
    """Bounded; ``put`` blocks when full, which stops the network thread and so the broker (back-pressure)."""

    def __init__(self, size: int = 20_000) -> None:
        self._queue: queue.Queue[Message] = queue.Queue(size)

    def put(self, message: Message) -> None:
        """Called from the network thread; waits for room."""
        self._queue.put(message)

    def __len__(self) -> int:
        return self._queue.qsize()

    def collect(self, window_s: float, limit: int) -> list[Message]:
        """Up to ``limit`` messages of the next ``window_s`` seconds; an empty list when there was none."""
        out: list[Message] = []
        end = time.monotonic() + window_s
        while len(out) < limit:
            left = end - time.monotonic()
            try:
                out.append(self._queue.get(timeout=left) if left > 0 else self._queue.get_nowait())
            except queue.Empty:
                break
        return out
