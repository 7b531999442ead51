"""Where each device stands: registered, online, silent, faulty, retired.

Silence counts as much as a last will, and either heals: the next message brings the device back. A device is
faulty while it says so itself (a ``fault`` code) or half of what it measures cannot be true.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.store.command_book import CommandBook, Life, Wish
from twin.model.county import County
from twin.model.readings import Quality

EVERY_S = 5.0
SILENT_PERIODS, SILENT_S = 3.0, 900.0
"""A device is silent after so many of its shortest periods, at least after so long."""
FAULTY_SHARE = 0.5
RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Sign:
    """What is known of one device: ``age_s`` since it was heard (infinite: never), ``gone``: by its will.

    ``fault``: its code, 0 or NaN when there is none; ``bad``: share of its points that cannot be true.
    """

    age_s: float
    limit_s: float
    gone: bool = False
    fault: float = math.nan
    bad: float = 0.0


def judge_life(sign: Sign) -> tuple[str, str]:
    """(state, why) of a device in service."""
    if math.isinf(sign.age_s):
        return "registered", "never heard"
    if sign.gone:
        return "silent", "last will"
    if sign.age_s > sign.limit_s:
        return "silent", "silence"
    if math.isfinite(sign.fault) and sign.fault != 0:
        return "faulty", f"fault code {sign.fault:.0f}"
    if sign.bad >= FAULTY_SHARE:
        return "faulty", "readings out of range"
    return "online", ""


@dataclass
class Lives:
    """Follows all devices of a county; ``work`` is called often and does something every few seconds."""

    county: County
    book: CommandBook
    clock: Callable[[], float]
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    """Filled by the decoder, taken with every round."""
    _known: dict[str, Life] = field(default_factory=dict)
    _told: dict[str, dict[str, str]] = field(default_factory=dict)
    _at: float = float("-inf")

    def __post_init__(self) -> None:
        self._known = self.book.lives()
        self.follow(self.county)

    def follow(self, county: County) -> None:
        """Devices and points are now these."""
        self.county = county
        ids = {d.id: i for i, d in enumerate(county.devices)}
        self._of = np.array([ids[p.device_id] for p in county.points], np.int64)
        limit = np.full(len(ids), np.inf)
        np.minimum.at(limit, self._of, np.array([p.period_s for p in county.points]))
        limit[np.isinf(limit)] = 300.0
        self._limit: NDArray[np.float64] = np.maximum(SILENT_PERIODS * limit, SILENT_S)
        self._fault = {int(self._of[p.no]): p.no for p in county.points if p.key == "fault"}
        self._at = float("-inf")

    def work(self) -> None:
        """Judge every device and write down what has changed."""
        now = self.clock()
        wishes = [w for w in self.book.wishes() if w.act in ("retire", "reinstate")]
        if not wishes and now - self._at < EVERY_S:
            return
        self._at = now
        self._write_facts(now)
        changed = self._take(wishes, now)
        for device_id, (state, why) in self._judge(now).items():
            old = changed.get(device_id) or self._known.get(device_id)
            if old is not None and (old.state == RETIRED or (old.state, old.why) == (state, why)):
                continue
            since = now if old is None or old.state != state else old.since
            changed[device_id] = Life(state, since, why)
        if changed or wishes:
            self.book.write_lives(changed, wishes)
            self._known |= changed

    def _take(self, wishes: list[Wish], now: float) -> dict[str, Life]:
        known = {d.id for d in self.county.devices}
        out: dict[str, Life] = {}
        for w in wishes:
            if w.subject in known:
                by = f"{w.who}: {w.reason}".strip(": ")
                out[w.subject] = Life(RETIRED if w.act == "retire" else "registered", now, by)
        return out

    def _judge(self, now: float) -> Mapping[str, tuple[str, str]]:
        heard = self.book.heard()
        value, quality = self.book.newest_all(len(self.county.points))
        some = np.isfinite(value)
        n = len(self.county.devices)
        bad = np.bincount(self._of[some], quality[some] < Quality.UNCERTAIN, n)
        share = bad / np.maximum(np.bincount(self._of[some], minlength=n), 1)
        out = {}
        for i, d in enumerate(self.county.devices):
            if d.kind == RETIRED:
                out[d.id] = (RETIRED, "taken out of the county")
                continue
            t, online = heard.get(d.id, (-math.inf, True))
            fault = float(value[self._fault[i]]) if i in self._fault else math.nan
            out[d.id] = judge_life(Sign(now - t, float(self._limit[i]), not online, fault, float(share[i])))
        return out

    def _write_facts(self, now: float) -> None:
        """Only what is new: a device says its firmware with every birth."""
        said = dict(self.facts)
        self.facts.clear()
        fresh = {d: f for d, f in said.items() if self._told.get(d) != f}
        if fresh:
            self.book.write_facts(fresh, now)
            self._told |= fresh
