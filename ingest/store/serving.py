"""The owner's door for other processes: Quack, and the questions whose asker has gone.

A question whose client was killed, or gave up waiting, before it had taken the whole answer stays open at the
owner for ever: Quack (DuckDB 1.5.5) notices nothing. Its snapshot then keeps the old versions of everything
that is written after it (1.6 MB for a million readings), and no checkpoint can be made. So questions that are
open for longer than any may take are let go of, by opening the door anew. Decision record 0174.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress

import duckdb

from ingest.store.bind import ASKED_S
from twin.model.errors import ConfigError

log = logging.getLogger("ingest")

DESERTED_S = 3.0 * ASKED_S
"""A question is answered and fetched within ``ASKED_S``, or its asker does not wait for it any more."""
_ASKED = (
    "SELECT connection_id || ' ' || query_started_at FROM quack_active_connections() WHERE state = 'active'"
)
_OPEN = "CALL quack_serve(?, token = ?)"
_SHUT = "CALL quack_stop(?)"


class Serving:
    """``clock``: seconds, monotonic."""

    def __init__(
        self, db: duckdb.DuckDBPyConnection, uri: str, token: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._db, self._uri, self._token, self._clock = db, uri, token, clock
        self._seen: dict[str, float] = {}
        try:
            db.execute(_OPEN, [uri, token])
        except duckdb.Error as e:
            raise ConfigError(f"the store cannot listen at {uri}: {str(e).splitlines()[0]}") from e

    def let_go(self) -> int:
        """Close questions that nobody waits for, at a moment when no other is asked, or at last with it."""
        now = self._clock()
        open_now = [str(r[0]) for r in self._db.execute(_ASKED).fetchall()]
        self._seen = {key: self._seen.get(key, now) for key in open_now}
        ages = [now - t for t in self._seen.values()]
        deserted = sum(age > DESERTED_S for age in ages)
        if deserted and (deserted == len(ages) or max(ages) > 2 * DESERTED_S):
            self.reopen()
            log.warning("%d questions that nobody waits for any more were let go of", deserted)
            return deserted
        return 0

    def reopen(self) -> None:
        """End all questions; whoever asks again is answered."""
        self._seen = {}
        self._db.execute(_SHUT, [self._uri])
        self._db.execute(_OPEN, [self._uri, self._token])

    def close(self) -> None:
        """Answer what is asked, then close the door.

        A question that still runs when the process ends would abort it; each ends by itself (``in_time``).
        """
        with suppress(duckdb.Error):
            self._wait()
            self._db.execute(_SHUT, [self._uri])

    def _wait(self) -> None:
        end = time.monotonic() + ASKED_S + 2
        while time.monotonic() < end:
            waited_for = {str(r[0]) for r in self._db.execute(_ASKED).fetchall()}
            now = self._clock()
            if all(now - self._seen.get(key, now) > DESERTED_S for key in waited_for):
                return
            time.sleep(0.02)
        log.warning("a question to the store has not ended within %d s", ASKED_S + 2)
