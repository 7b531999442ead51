"""Watches what the broker says of itself: messages it has dropped because a queue was full.

Mosquitto drops silently what does not fit ``max_queued_messages``, and says so only in ``$SYS``: a count
since the broker's start, of all its clients.
"""

import threading

DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"


class BrokerWatch:
    """Turns the broker's count into increments. ``seen``: its last known count, None when never heard."""

    def __init__(self, seen: int | None = None) -> None:
        self.seen = seen
        self._new = 0
        self._lock = threading.Lock()

    def see(self, payload: bytes) -> None:
        """Take one message of ``DROPPED_TOPIC``; anything but a number is passed over."""
        try:
            count = int(payload)
        except ValueError:
            return
        with self._lock:
            if self.seen is not None:
                # A smaller count: the broker was restarted and counts from nothing.
                self._new += count - self.seen if count >= self.seen else count
            self.seen = count

    def take(self) -> int:
        """Messages dropped since the last call."""
        with self._lock:
            new, self._new = self._new, 0
        return new
