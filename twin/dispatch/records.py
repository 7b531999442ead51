"""What the dispatcher's engine knows of the last days: hourly means, one row per hour."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.heat.water import density_kg_m3
from twin.model.county import County
from twin.model.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOUR_S = 3600.0
STATION_KEYS = (
    "p1_ts", "p1_tr", "p1_ps", "p1_pr", "p1_flow", "p1_heat", "cv_pos", "s2_ts", "s2_tr", "cp1_hz", "p_kw",
)  # fmt: skip
SOURCE_KEYS = ("src_ts", "src_tr", "src_ps", "src_pr", "src_flow", "src_heat")
FEWEST_ROOMS = 3


@dataclass(frozen=True, slots=True)
class RecordBook:
    """Point numbers by key, -1 where there is none: ``station[key]`` (n_station,), ``source[key]``
    (n_source,), ``weather[key]`` (any,); ``room`` (n_room,) and ``room_station`` their substation's row."""

    county: County
    station: dict[str, Ints]
    source: dict[str, Ints]
    weather: dict[str, Ints]
    room: Ints
    room_station: Ints

    @property
    def numbers(self) -> Ints:
        """Every point that is needed, rising."""
        groups = [*self.station.values(), *self.source.values(), *self.weather.values(), self.room]
        every = np.unique(np.concatenate(groups))
        return every[every >= 0]


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Hourly means, rising ``t`` (H,) the end of each hour; NaN where nothing was measured.

    ``t_out_c``, ``wind_m_s``, ``sun_w_m2`` (H,); ``station[key]`` (H, n_station) and ``source[key]``
    (H, n_source) SI by point key; ``room_c`` (H, n_room) and ``room_station`` (n_room,) their rows.
    """

    t: Floats
    t_out_c: Floats
    wind_m_s: Floats
    sun_w_m2: Floats
    station: dict[str, Floats]
    source: dict[str, Floats]
    room_c: Floats
    room_station: Ints

    def flow_kg_s(self) -> Floats:
        """Primary mass flow, (H, n_station); the meters sit in the return pipe."""
        return self.station["p1_flow"] * density_kg_m3(np.nan_to_num(self.station["p1_tr"], nan=50.0))

    def source_flow_kg_s(self) -> Floats:
        """Mass flow, (H, n_source)."""
        return self.source["src_flow"] * density_kg_m3(np.nan_to_num(self.source["src_tr"], nan=50.0))

    def station_room_c(self) -> Floats:
        """Mean of the room sensors per station, (H, n_station); the county's where a station has too few."""
        n = self.station["p1_heat"].shape[1]
        known = np.isfinite(self.room_c)
        out = np.full((len(self.t), n), np.nan)
        for s in range(n):
            mine = self.room_station == s
            rows, enough = self.room_c[:, mine], known[:, mine].sum(1) >= FEWEST_ROOMS
            out[enough, s] = np.nanmean(rows[enough], axis=1)
        if known.any():
            whole = np.array([np.nanmean(r) if np.isfinite(r).any() else np.nan for r in self.room_c])
            out = np.where(np.isfinite(out), out, whole[:, None])
        return out


def compile_records(county: County) -> RecordBook:
    """Find the points.

    Raises
    ------
    InputError : the county has no heat network
    """
    n = county.network
    if not n.substations or not n.sources:
        raise InputError("dispatch: the county has no substations or no source")

    def numbers(ids: Sequence[str], key: str) -> Ints:
        found = (county.point_by_id.get(f"{i}/{key}") for i in ids)
        return np.array([-1 if p is None else p.no for p in found], dtype=np.int64)

    stations, sources = [s.id for s in n.substations], [s.id for s in n.sources]
    row = {s: i for i, s in enumerate(stations)}
    home = {b.id: row[b.substation_id] for b in county.buildings if b.heated and b.substation_id in row}
    rooms = [(p.no, home.get(p.place_id.split(":")[0], -1)) for p in county.points if p.key == "room_t"]
    rooms = [(no, s) for no, s in rooms if s >= 0]
    weather = {
        k: np.array([p.no for p in county.points if p.key == k], dtype=np.int64)
        for k in ("t_out", "wind", "solar")
    }
    return RecordBook(
        county,
        {k: numbers(stations, k) for k in STATION_KEYS},
        {k: numbers(sources, k) for k in SOURCE_KEYS},
        weather,
        np.array([no for no, _ in rooms], dtype=np.int64),
        np.array([s for _, s in rooms], dtype=np.int64),
    )


def make_hours(book: RecordBook, t: Floats, mean: Floats) -> Hours:
    """Sort hourly means into their places.

    Parameters
    ----------
    t : (H,) end of each hour, rising
    mean : (H, n_point) by point number, NaN where nothing usable was measured
    """

    def pick(no: Ints) -> Floats:
        out = np.full((len(t), no.size), np.nan)
        out[:, no >= 0] = mean[:, no[no >= 0]]
        return out

    def middle(no: Ints, default: float) -> Floats:
        rows = pick(no)
        return np.array([np.median(r[np.isfinite(r)]) if np.isfinite(r).any() else default for r in rows])

    return Hours(
        np.asarray(t, float),
        middle(book.weather["t_out"], np.nan),
        middle(book.weather["wind"], 2.0),
        middle(book.weather["solar"], 0.0),
        {k: pick(v) for k, v in book.station.items()},
        {k: pick(v) for k, v in book.source.items()},
        pick(book.room),
        book.room_station,
    )


@dataclass
class HourKeeper:
    """Makes hourly means of moments as they come (for simulations; a running county asks its store).

    ``rows``: the hours that are complete, newest last; at most ``keep`` of them.
    """

    book: RecordBook
    keep: int = 192
    rows: list[Floats] = field(default_factory=list)
    t: list[float] = field(default_factory=list)
    _sum: Floats | None = None
    _count: Floats | None = None
    _hour: int = -1

    def take(self, t: float, value: Floats) -> None:
        """One moment: ``value`` (n_point,) SI, NaN where nothing fresh is known."""
        hour = int(np.ceil(t / HOUR_S - 1e-9))
        if self._sum is None or self._count is None or hour != self._hour:
            self._close()
            self._sum, self._count, self._hour = np.zeros(value.size), np.zeros(value.size), hour
        known = np.isfinite(value)
        self._sum[known] += value[known]
        self._count[known] += 1.0

    def _close(self) -> None:
        if self._sum is None or self._count is None:
            return
        with np.errstate(invalid="ignore"):
            self.rows.append(self._sum / self._count)
        self.t.append(self._hour * HOUR_S)
        del self.rows[: -self.keep], self.t[: -self.keep]

    def hours(self) -> Hours:
        """All complete hours, and the one that has begun if it holds anything."""
        rows, t = list(self.rows), list(self.t)
        if self._sum is not None and self._count is not None:
            with np.errstate(invalid="ignore"):
                rows.append(self._sum / self._count)
            t.append(self._hour * HOUR_S)
        return make_hours(self.book, np.array(t), np.array(rows))
