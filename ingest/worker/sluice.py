"""Keeps a vendor that sends too much from making the others of its lane wait: quota per vendor.

A lane is read in the order in which the broker hands it out. While more waits in it than a batch or two,
each sender has a share of it, by the number of its devices; what one sends beyond goes to the shelf and is
acknowledged there, so that the lane moves on as fast as the disk writes. The shelf is read in every batch
with the room that the others leave. As long as something of a sender waits there, all of it goes there, so
that its order stays. Decision record 0048.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from ingest.adapters import Directory
from ingest.store.batch import NoticeMark
from ingest.store.owner import StoreOwner
from ingest.worker.inbox import BATCH_BYTES, Message
from ingest.worker.senders import Senders
from ingest.worker.shelf import Shelf

CROWDED_MESSAGES, CROWDED_BYTES = 3000, 2 * BATCH_BYTES
CROWDED_S = 0.5
"""A lane in which so much waits for so long."""
AT_ONCE_BYTES = 16_000_000
"""Set aside in one turn, so that a batch never waits long for the disk."""
LOOKED_AT = 2000
"""Messages of a lane that are looked at to tell who fills it."""
MESSAGE_COST = 200
"""Bytes that a message counts beside its own."""
MAX_SENDERS = 16
NO_ONE: frozenset[str] = frozenset()
NO_ROOM = "no more room to set messages aside: vendors of its family wait; CT_SHELF_MB sets the room"
SET_ASIDE, FULL = "vendor_set_aside", "shelf_full"
"""Kinds of notices; the subject is the sender."""


def allowed_share(share: float) -> float:
    """Part of a crowded lane that a sender may fill who has ``share`` of its devices: half as much again and
    a tenth, and never so much that nothing is left of what the others have. Alone it may fill all."""
    return min(1.5 * share + 0.1, (1 + share) / 2)


class Sluice:
    """Decides, counts and tells; one of the writer's works.

    Parameters
    ----------
    directory : returns the one that is followed now
    """

    def __init__(
        self, shelf: Shelf, directory: Callable[[], Directory], owner: StoreOwner,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.shelf = shelf
        self._directory, self._owner, self._clock = directory, owner, clock
        self._senders = Senders(directory())
        self._since: dict[int, float] = {}
        self._left = 0
        self._new: Counter[str] = Counter()
        self._told: set[str] = set(shelf.names)
        self._full = False

    def look(self, lane: int, queue: Sequence[Message]) -> Collection[str]:
        """See ``ingest.worker.inbox.Sieve``."""
        if lane == 0:
            self._left = min(AT_ONCE_BYTES, self.shelf.room())
            if self._senders.directory is not self._directory():
                self._senders = Senders(self._directory())
        names = self.shelf.names
        if len(queue) < CROWDED_MESSAGES and sum([len(m.payload) for m in queue]) < CROWDED_BYTES:
            self._since.pop(lane, None)
            return names
        now = self._clock()
        if now - self._since.setdefault(lane, now) < CROWDED_S:
            return names
        over = self._find_over(queue)
        return names | set(over[: max(MAX_SENDERS - len(names), 0)]) if self._left else names

    def _find_over(self, queue: Sequence[Message]) -> list[str]:
        """Senders that fill more of a lane than they may, the largest first."""
        filled: Counter[str] = Counter()
        topics: dict[str, str] = {}
        for m in queue[:: max(len(queue) // LOOKED_AT, 1)]:
            name = self._senders.name(m)
            filled[name] += len(m.payload) + MESSAGE_COST
            topics[name] = m.topic
        total = filled.total()
        return [
            name
            for name, size in filled.most_common()
            if size > total * allowed_share(self._senders.share(topics[name], name))
        ]

    def name(self, message: Message) -> str:
        """See ``ingest.worker.inbox.Sieve``."""
        return self._senders.name(message)

    def has_room(self, message: Message) -> bool:
        """See ``ingest.worker.inbox.Sieve``."""
        size = len(message.payload) + MESSAGE_COST
        if size > self._left:
            self._full |= self.shelf.room() < AT_ONCE_BYTES
            return False
        self._left -= size
        self._new[self._senders.name(message)] += 1
        return True

    def work(self) -> None:
        """Tell who is set aside, how much of it waits, and when all of it is stored."""
        now = round(time.time() * 1e6)
        waits = {name: self.shelf.waiting_of(name) for name in self.shelf.names | self._told}
        marks = [
            NoticeMark(SET_ASIDE, name, now, self._new[name],
                       f"{n} messages wait on disk" if n else "all of it is stored")
            for name, n in waits.items()
        ]  # fmt: skip
        if self._full:
            marks.append(NoticeMark(FULL, "shelf", now, 1, NO_ROOM))
        self._told = {name for name, n in waits.items() if n}
        if marks:
            self._owner.write_side({"set_aside": self._new.total()}, marks, {})
        self._new.clear()
        self._full = False
