"""Findings through time: begun, told, kept back when they follow from another, ended."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from twin.diagnosis.book import DiagnosisBook
from twin.diagnosis.explain import Candidate, Explanation
from twin.diagnosis.kinds import FAULTS

Floats = NDArray[np.float64]
Key = tuple[str, str]

AGAIN = 2
"""Moments in a row that must tell the same before it is told."""
GONE_S, DRAW_GONE_S, HEARD_S = 900.0, 3600.0, 45.0
"""A finding ends when its evidence has been below a third for this long; water that is taken comes again. A
device that is heard again is not silent."""
DRIFT_AFTER_S, DRIFT_SHARE = 1500.0, 0.35
"""After this long, a meter whose error has grown by this share is said to drift."""
KEPT = 240
PLAIN = frozenset({"gateway_offline", "sensor_freeze", "sensor_swap", "stuck_valve"})
"""Told at once."""
ON, OFF = 0.55, 0.3
"""Make-up over its habit, as shares of its peak, at which a bout begins and ends."""
BOUTS_S = 6 * 3600.0
TAKEN = {"leak": "draw", "secondary_leak": "secondary_draw"}
"""Water that is lost in bouts is taken."""
SHADOW_S, SHADOW = 600.0, 0.5
"""A finding that began this soon with another of its station, with less than this share of its evidence, is
not told."""
GROWN = 1.5
"""A finding that was rejected is told again when it is larger by this factor."""


@dataclass
class Track:
    """One finding through time; ``total`` what differed since it began, summed; ``before`` what did then."""

    since: float
    last: float
    explanation: Explanation
    chance: float = 1.0
    seen: int = 1
    told: bool = False
    sizes: list[tuple[float, float]] = field(default_factory=list)
    total: Floats | None = None
    before: Floats | None = None
    total_s: float = 0.0


@dataclass
class Bouts:
    """Whether water runs away steadily: ``rises`` when it began to, ``peak`` in floors of its sign."""

    peak: float
    on: bool
    rises: list[float]

    def take(self, now: float, t: float) -> None:
        """What is made up for over the habit at ``t``."""
        self.peak = max(self.peak, now)
        if self.on and now < OFF * self.peak:
            self.on = False
        elif not self.on and now > ON * self.peak:
            self.on = True
            self.rises.append(t)
        self.rises = [r for r in self.rises if t - r < BOUTS_S]

    def chance(self) -> float:
        """Probability that it is taken rather than lost."""
        return {0: 0.05, 1: 0.05, 2: 0.7, 3: 0.88}.get(len(self.rises), 0.95)


@dataclass(frozen=True, slots=True)
class Rejection:
    """What people said is no fault: not told again before ``until`` unless it grows beyond ``size``."""

    until: float
    size: float


def follow(
    tracks: dict[Key, Track], found: dict[Key, Explanation], bouts: dict[Key, Bouts], t: float
) -> None:
    """Take what was found at ``t``; begin, tell and end."""
    for key, e in found.items():
        need = FAULTS[e.candidates[0].kind].evidence
        track = tracks.get(key)
        if track is None:
            if e.evidence >= need:
                tracks[key] = Track(t, t, e, _chance_of(e))
            continue
        if e.evidence >= need / 3.0:
            track.last, track.explanation, track.chance = t, e, _chance_of(e)
            track.seen += 1
        track.sizes = [*track.sizes[-KEPT:], (t, e.candidates[0].size)]
    for key in [k for k, track in tracks.items() if _is_gone(track, bouts.get(k), t)]:
        del tracks[key]
    for key, track in tracks.items():
        if not track.told and (key[0] in PLAIN or (track.seen >= AGAIN and track.last == t)):
            track.told = True


def _chance_of(e: Explanation) -> float:
    """Probability of the kind, whatever its place."""
    return min(sum(c.probability for c in e.candidates if c.kind == e.candidates[0].kind), 1.0)


def _is_gone(track: Track, bouts: Bouts | None, t: float) -> bool:
    comes_again = bouts is not None and len(bouts.rises) > 1
    told_s = DRAW_GONE_S if comes_again else GONE_S
    if track.explanation.candidates[0].kind == "gateway_offline":
        told_s = HEARD_S
    return t - track.last > (told_s if track.told else 120.0)


def keep_back(
    tracks: dict[Key, Track], book: DiagnosisBook, rejected: dict[Key, Rejection], t: float
) -> None:
    """One cause is one finding: what follows from another is not told, nor what people said is none."""
    tripped = {place for kind, place in tracks if kind == "pump_trip"}
    offline = {place for kind, place in tracks if kind == "gateway_offline"}
    silent = {
        i
        for i, d in zip(book.station_ids, book.station_device, strict=True)
        if d in offline or f"*{book.dialect.get(d, '')}" in offline
    }
    still = {place for kind, place in tracks if kind == "sensor_freeze"}
    crossed = {p for kind, place in tracks if kind == "sensor_swap" for p in _pair(place)}
    strongest = _strongest(tracks)
    wide = [k for k, track in tracks.items() if track.told and (k[0] == "source_trip" or k[1][:1] == "*")]
    since = min((tracks[k].since for k in wide), default=np.inf)
    for key, track in list(tracks.items()):
        kind, place = key
        station = place.split("/")[0]
        weak = track.explanation.evidence < 4.0 * FAULTS[kind].evidence
        follows = (
            (station in tripped and kind != "pump_trip")
            or (station in silent and kind != "gateway_offline")
            or (kind in ("sensor_bias", "sensor_drift") and (place in still or place in crossed))
            or (bool(station) and kind not in PLAIN and weak and _is_at(still | crossed, station))
            or (key not in wide and kind not in PLAIN and weak and track.since > since - GONE_S)
            or (kind not in PLAIN and _is_shadow(track, strongest.get(station)))
        )
        no = rejected.get(key)
        size = abs(track.explanation.candidates[0].size)
        said = no is not None and t < no.until and not size > GROWN * no.size
        if follows or said:
            track.told, track.seen = False, 0


def _strongest(tracks: dict[Key, Track]) -> dict[str, Track]:
    """The finding of most evidence of each station or source."""
    out: dict[str, Track] = {}
    for (_, place), track in tracks.items():
        station = place.split("/")[0]
        if station and track.explanation.evidence > (
            out[station].explanation.evidence if station in out else 0.0
        ):
            out[station] = track
    return out


def _is_shadow(track: Track, cause: Track | None) -> bool:
    """What began with a much stronger finding of the same station is its after-effect."""
    if cause is None or cause is track or not cause.told:
        return False
    near = abs(track.since - cause.since) < SHADOW_S
    return near and track.explanation.evidence < SHADOW * cause.explanation.evidence


def _pair(supply: str) -> tuple[str, str]:
    place, _, key = supply.rpartition("/")
    return supply, f"{place}/{key[:-1]}r"


def _is_at(points: set[str], station: str) -> bool:
    return any(p.startswith(f"{station}/") for p in points)


def name_kind(key: Key, track: Track, bouts: Bouts | None) -> tuple[Candidate, ...]:
    """The candidates of a finding as they are told: a meter whose error grows drifts, water that is lost in
    bouts is taken."""
    rows = track.explanation.candidates
    kind = rows[0].kind
    if kind == "sensor_bias" and _drifts(track):
        return (replace(rows[0], kind="sensor_drift"), *rows[1:])
    if kind in TAKEN and bouts is not None and len(bouts.rises) > 1:
        p = bouts.chance()
        if key[1]:
            return (replace(rows[0], kind=TAKEN[kind], probability=p), replace(rows[0], probability=1.0 - p))
        return tuple(replace(c, kind=TAKEN[kind]) if c.kind == kind else c for c in rows)
    return rows


def _drifts(track: Track) -> bool:
    """Whether the error of a meter has kept growing since it was first seen."""
    rows = [r for r in track.sizes if r[0] >= track.since]
    if len(rows) < 8 or rows[-1][0] - rows[0][0] < DRIFT_AFTER_S:
        return False
    t = np.array([r[0] for r in rows])
    size = np.abs([r[1] for r in rows])
    half = t >= (t[0] + t[-1]) / 2
    early, late = float(np.median(size[~half])), float(np.median(size[half]))
    return late - early > DRIFT_SHARE * early
