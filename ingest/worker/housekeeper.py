"""Puts the store in order beside the line: one short step a second, and none while messages pile up."""

import time
from collections.abc import Callable

from ingest.store.sorter import Sorter
from ingest.worker.inbox import Inbox

BUSY = 4000
"""Messages that wait: the line goes first."""


class Housekeeper:
    """One of the writer's desks."""

    def __init__(self, sorter: Sorter, inbox: Inbox, clock: Callable[[], float] = time.time) -> None:
        self._sorter, self._inbox, self._clock = sorter, inbox, clock

    def work(self) -> None:
        """One step of the nightly order."""
        if len(self._inbox) < BUSY:
            self._sorter.step(round(self._clock() * 1e6))
