"""From a plant reading to the true SI value of every point of the county."""

import numpy as np
from numpy.typing import NDArray

from ingest.demo.plant.plant import Reading
from twin.model.county import County

Floats = NDArray[np.float64]

ROOM_OFFSET_K = 0.8
"""How rooms scatter around the mean of their building (floor, corner, windows)."""
_WEATHER = ("t_out", "wind", "solar", "rh_out")


class TruthMap:
    """Finds for each point where its truth stands, once."""

    def __init__(self, county: County, seed: int) -> None:
        station = {s.id: i for i, s in enumerate(county.network.substations)}
        source = {s.id: i for i, s in enumerate(county.network.sources)}
        heated = {b.id: i for i, b in enumerate(b for b in county.buildings if b.heated)}
        self._groups: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
        self.size = len(county.points)
        for p in county.points:
            if p.place_id in station:
                self._add("station", p.key, p.no, station[p.place_id])
            elif p.place_id in source:
                self._add("source", p.key, p.no, source[p.place_id])
            elif p.key.startswith("room_"):
                self._add("room", p.key, p.no, heated.get(p.place_id.split(":")[0], 0))
            elif p.place_id in heated:
                self._add("building", p.key, p.no, heated[p.place_id])
            elif p.key in _WEATHER or p.key == "river_l":
                self._add("weather", p.key, p.no, 0)
        rng = np.random.default_rng((seed, 31))
        self._room = [p.place_id for p in county.points]
        self._room_offset = rng.normal(0.0, ROOM_OFFSET_K, self.size)
        self._start = rng.uniform(0, 1, self.size)

    def _add(self, kind: str, key: str, no: int, row: int) -> None:
        numbers, rows = self._groups.setdefault((kind, key), ([], []))
        numbers.append(no)
        rows.append(row)

    def read(self, r: Reading) -> Floats:
        """(n_point,) SI; NaN for a point the plant knows nothing of."""
        out = np.full(self.size, np.nan)
        for (kind, key), (numbers, rows) in self._groups.items():
            value = self._value(r, kind, key, np.array(numbers), np.array(rows))
            if value is not None:
                out[numbers] = value
        return out

    def _value(
        self, r: Reading, kind: str, key: str, no: NDArray[np.int64], row: NDArray[np.int64]
    ) -> Floats | float | None:
        if kind in ("station", "source", "building"):
            table = {"station": r.station, "source": r.source, "building": r.building}[kind]
            if key in table:
                return table[key][row]
            return getattr(r.sky, _SKY.get(key, ""), None) if key in _SKY else None
        if kind == "room":
            return self._room_value(r, key, no, row)
        if key == "river_l":
            return 1.2 + 0.35 * self._start[no] + 0.05 * np.sin(r.t / 20_000.0 + 6.0 * self._start[no])
        return float(getattr(r.sky, _SKY[key]))

    def _room_value(self, r: Reading, key: str, no: NDArray[np.int64], row: NDArray[np.int64]) -> Floats:
        """Rooms differ from their building's mean by a fixed offset (floor, corner, windows)."""
        if key == "room_t":
            aired = np.array([r.room_drop_k.get(self._room[n], 0.0) for n in no]) if r.room_drop_k else 0.0
            return r.room_c[row] + self._room_offset[no] - aired
        if key == "room_rh":
            return 0.34 + 0.04 * np.sin(r.t / 7000.0 + 6.0 * self._start[no])
        return 3.55 - 0.3 * self._start[no]


_SKY = {"t_out": "t_out_c", "wind": "wind_m_s", "solar": "solar_w_m2", "rh_out": "humidity"}
