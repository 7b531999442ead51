"""What devices really said: of each a message an hour is kept as it came, beside its readings."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ingest.store.batch import HeardMessage
from ingest.worker.inbox import Message

EVERY_S = 3600.0
MOST = 200
"""In one batch: when a whole county is heard for the first time, the rest waits for the next."""
KEEP_PAYLOAD = 16_384


@dataclass
class Specimens:
    """``due``: when a message of a device is kept next, s since 1970; unknown ones are due at once."""

    due: dict[str, float] = field(default_factory=dict)
    kept: list[HeardMessage] = field(default_factory=list)

    def look(self, message: Message, heard: Iterable[str]) -> None:
        """Keep a message if one of the devices that are heard in it is due."""
        at = message.received
        devices = [d for d in heard if self.due.get(d, 0.0) <= at]
        if not devices or len(self.kept) >= MOST:
            return
        self.due.update(dict.fromkeys(devices, at + EVERY_S))
        self.kept.append(
            HeardMessage(
                tuple(devices), round(at * 1e6), message.topic[:500], message.payload[:KEEP_PAYLOAD],
                len(message.payload),
            )
        )  # fmt: skip

    def take(self) -> tuple[HeardMessage, ...]:
        """What was kept since the last time."""
        kept, self.kept = tuple(self.kept), []
        return kept
