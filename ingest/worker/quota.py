"""How many different bad messages are kept: enough to mend an adapter, never enough to hurt the others."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field

from ingest.store.batch import KEEP_PAYLOAD, DeadMessage, NoticeMark

BYTES_PER_UNIT = 4096
"""A kept message costs one unit and one more for each of these bytes."""
MAX_BUCKETS = 2000
MAX_KNOWN = 20_000


@dataclass(slots=True)
class Bucket:
    """Units left, filled again with time."""

    left: float
    at: float

    def fill(self, now: float, burst: float, per_s: float) -> None:
        """Give back what the time since the last look has earned."""
        self.left = min(burst, self.left + max(now - self.at, 0.0) * per_s)
        self.at = max(now, self.at)


def name_sender(topic: str) -> str:
    """Who sent it, as far as a topic tells: its first five levels."""
    return "/".join(topic.split("/")[:5])[:200]


LIMITS = ((1000.0, 10.0), (2000.0, 20.0), (4000.0, 40.0))
"""(burst, per second) in units: of one sender, of the first level of its topic, of all."""


@dataclass
class DeadLetterQuota:
    """Decides which bad messages are kept and counts those that are not.

    A message that was kept before costs nothing: it is one row, counted again.
    """

    limits: tuple[tuple[float, float], ...] = LIMITS
    buckets: "OrderedDict[str, Bucket]" = field(default_factory=OrderedDict)
    known: "OrderedDict[str, None]" = field(default_factory=OrderedDict)
    kept: dict[str, DeadMessage] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    flood: dict[str, int] = field(default_factory=dict)

    def add(self, topic: str, payload: bytes, reason: str, received: float) -> None:
        """Keep the message, or count it as part of a flood."""
        key = hashlib.sha256(topic.encode("utf-8", "replace") + b"\0" + payload).hexdigest()[:32]
        if key not in self.known and not self._afford(topic, len(payload), received):
            sender = name_sender(topic)
            self.flood[sender] = self.flood.get(sender, 0) + 1
            return
        self.known[key] = None
        self.known.move_to_end(key)
        if len(self.known) > MAX_KNOWN:
            self.known.popitem(last=False)
        self.counts[key] = self.counts.get(key, 0) + 1
        at = round(received * 1e6)
        self.kept[key] = DeadMessage(
            key, at, topic[:500], reason[:500], payload[:KEEP_PAYLOAD], self.counts[key], len(payload)
        )

    def _afford(self, topic: str, size: int, now: float) -> bool:
        cost = 1.0 + min(size, KEEP_PAYLOAD) // BYTES_PER_UNIT
        names = (name_sender(topic), topic.split("/", 1)[0][:60] + "/", "")
        found = []
        for name, (burst, per_s) in zip(names, self.limits, strict=True):
            bucket = self.buckets.pop(name, None) or Bucket(burst, now)
            bucket.fill(now, burst, per_s)
            self.buckets[name] = bucket
            found.append(bucket)
        while len(self.buckets) > MAX_BUCKETS:
            self.buckets.popitem(last=False)
        if any(b.left < cost for b in found):
            return False
        for b in found:
            b.left -= cost
        return True

    def take(self, received: float) -> tuple[tuple[DeadMessage, ...], tuple[NoticeMark, ...], int]:
        """What this batch keeps, the notices of floods, and how many messages were only counted."""
        worst = sorted(self.flood.items(), key=lambda x: -x[1])[:20]
        at = round(received * 1e6)
        notices = tuple(NoticeMark("dead_letter_flood", sender, at, n) for sender, n in worst)
        dead, dropped = tuple(self.kept.values()), sum(self.flood.values())
        self.kept, self.counts, self.flood = {}, {}, {}
        return dead, notices, dropped
