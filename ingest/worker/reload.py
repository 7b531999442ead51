"""Follows what is onboarded while ingest runs: new devices are read from the next message on.

``onboarding.json`` is looked at once a second; a changed one becomes a new directory, new points in the store
and new subscriptions, all in the writer's thread, between two batches. A file that cannot be used changes
nothing and is told as a notice.
"""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ingest.adapters import compile_directory
from ingest.onboarding.state import FILE_NAME, State, merge_county, read_state
from ingest.store.batch import NoticeMark
from ingest.store.owner import StoreOwner
from ingest.worker.decode import Decoder
from twin.model.county import County
from twin.model.errors import ConfigError, InputError

log = logging.getLogger("ingest")

TAKEN, REFUSED = "county_reloaded", "county_refused"
"""Kinds of notices; the detail of the first is the revision that is followed."""
Mark = tuple[int, int, int]


class Lines(Protocol):
    """What is needed of the MQTT lines."""

    def follow(self, filters: Sequence[str], gone: Sequence[str]) -> None:
        """Subscribe to these besides the fixed ones, and no longer to those that are gone."""
        ...


class Reloader:
    """One of the writer's works.

    Parameters
    ----------
    folder : of the county; base : the county without what was onboarded; state : as already followed
    line : None for a second worker, which is dealt messages and subscribes to none of these
    tell : called with the county after each change
    """

    def __init__(
        self, folder: Path, base: County, state: State, owner: StoreOwner, decoder: Decoder,
        line: Lines | None,
        tell: Sequence[Callable[[County], None]] = (),
    ) -> None:  # fmt: skip
        self._file, self._folder = folder / FILE_NAME, folder
        self._base, self._owner, self._decoder, self._line, self._tell = base, owner, decoder, line, tell
        self._revision = state.revision
        self._mark: Mark | None = None
        self._say(TAKEN, str(state.revision))

    def work(self) -> None:
        """Take a changed file."""
        mark = self._look()
        if mark == self._mark:
            return
        self._mark = mark
        try:
            state = read_state(self._folder)
            if state.revision == self._revision:
                return
            county = merge_county(self._base, state, self._folder)
            self._owner.adopt_points(county.points)
        except (InputError, ConfigError) as e:
            log.error("onboarded devices are not followed: %s", e)
            self._say(REFUSED, str(e)[:500])
            return
        self._decoder.directory = compile_directory(county, state.sources, state.ignored)
        if self._line is not None:
            self._line.follow(*list_filters(state))
        for tell in self._tell:
            tell(county)
        self._revision = state.revision
        self._say(TAKEN, str(state.revision))
        log.info("onboarding revision %d: %d devices, %d points", state.revision, len(state.devices),
                 len(state.points))  # fmt: skip

    def _look(self) -> Mark | None:
        try:
            s = self._file.stat()
        except OSError:
            return None
        return s.st_mtime_ns, s.st_size, s.st_ino

    def _say(self, kind: str, detail: str) -> None:
        now = round(time.time() * 1e6)
        self._owner.write_side({}, (NoticeMark(kind, "onboarding", now, 1, detail),), {})


def list_filters(state: State) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(filters of the sources that are followed, filters of earlier ones that are not)."""
    live = tuple(dict.fromkeys(s.filter for s in state.sources.values()))
    ever = [v.flow.source.filter for k in state.flows for v in k.versions if v.flow.source is not None]
    return live, tuple(dict.fromkeys(f for f in ever if f not in live))
