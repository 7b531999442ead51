"""Where everything that diagnosis reads stands: point numbers and design values, found once per county."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.compare import find_near
from twin.diagnosis.homebook import HomeBook, compile_homes
from twin.model.county import County

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STATION_KEYS = (
    "p1_ts", "p1_tr", "p1_ps", "p1_pr", "p1_flow", "p1_heat", "cv_pos", "cv_sp", "s2_ts", "s2_tr", "s2_ps",
    "s2_pr", "s2_flow", "mk_flow", "cp1_run", "cp1_hz", "p_kw",
)  # fmt: skip
WANTED_KEYS = ("s2_ts_sp",)
"""What controllers were told; taken where it is known."""
SOURCE_KEYS = ("src_ts", "src_tr", "src_ps", "src_pr", "src_flow", "src_heat", "src_mk")
WATCHED = frozenset((*STATION_KEYS, *SOURCE_KEYS)) - {"cp1_run", "cp1_hz", "mk_flow", "src_mk"}
"""Points that are watched for standing still."""


@dataclass(frozen=True, slots=True, eq=False)
class DiagnosisBook:
    """Point numbers by key (-1: the county has no such point), and what the survey says.

    ``station[key]`` (n_station,), ``source[key]`` (n_source,), ``outdoor`` (n,). ``building_supply``,
    ``building_return``: (point numbers, their station rows) of the buildings' heat meters.
    Per station: ``ua_w_k``, ``flow_1_kg_s``, ``flow_2_kg_s``, ``kv_m3_h``, ``curves``. ``load_scale_k``:
    design difference between room and outdoor air. ``watched``: numbers of points that may freeze.
    ``devices``: ids with the numbers of their points; ``dialect`` of each. ``near``: per station the nodes a
    few supply pipes away; ``node`` its own. ``homes``: meters of buildings and rooms.
    """

    station_ids: tuple[str, ...]
    source_ids: tuple[str, ...]
    pipe_ids: tuple[str, ...]
    station: dict[str, Ints]
    source: dict[str, Ints]
    outdoor: Ints
    building_supply: tuple[Ints, Ints]
    building_return: tuple[Ints, Ints]
    ua_w_k: Floats
    flow_1_kg_s: Floats
    flow_2_kg_s: Floats
    kv_m3_h: Floats
    curves: tuple[Floats, ...]
    load_scale_k: float
    watched: Ints
    point_ids: tuple[str, ...]
    point_period_s: Floats
    devices: tuple[tuple[str, str, Ints], ...]
    station_device: tuple[str, ...]
    near: tuple[Ints, ...]
    node: Ints
    dialect: dict[str, str]
    homes: HomeBook

    @property
    def n_station(self) -> int:
        """Number of stations."""
        return len(self.station_ids)

    @property
    def n_source(self) -> int:
        """Number of sources."""
        return len(self.source_ids)

    def read_station(self, value: Floats) -> dict[str, Floats]:
        """All station values of a snapshot's ``value`` (n_point,), NaN where missing: key -> (n_station,)."""
        return {k: _pick(value, no) for k, no in self.station.items()}

    def read_source(self, value: Floats) -> dict[str, Floats]:
        """All source values, as :meth:`read_station`."""
        return {k: _pick(value, no) for k, no in self.source.items()}


def _pick(value: Floats, no: Ints) -> Floats:
    out = np.full(no.shape, np.nan)
    out[no >= 0] = value[no[no >= 0]]
    return out


def compile_book(county: County) -> DiagnosisBook:
    """Find the points and design values of a county."""
    stations, sources = county.network.substations, county.network.sources
    station_ids, source_ids = tuple(s.id for s in stations), tuple(s.id for s in sources)

    def numbers(ids: tuple[str, ...], key: str) -> Ints:
        found = (county.point_by_id.get(f"{i}/{key}") for i in ids)
        return np.array([-1 if p is None else p.no for p in found], dtype=np.int64)

    places = {*station_ids, *source_ids}
    row = {s.id: i for i, s in enumerate(stations)}
    building = {b.id: row[b.substation_id] for b in county.buildings if b.substation_id in row}
    by_device: dict[str, list[int]] = {d.id: [] for d in county.devices}
    for p in county.points:
        by_device[p.device_id].append(p.no)
    return DiagnosisBook(
        station_ids=station_ids,
        source_ids=source_ids,
        pipe_ids=tuple(p.id for p in county.network.pipes),
        station={k: numbers(station_ids, k) for k in (*STATION_KEYS, *WANTED_KEYS)},
        source={k: numbers(source_ids, k) for k in SOURCE_KEYS},
        outdoor=np.array([p.no for p in county.points if p.key == "t_out"], dtype=np.int64),
        building_supply=_find_meters(county, building, "b_ts"),
        building_return=_find_meters(county, building, "b_tr"),
        ua_w_k=np.array([s.hx_ua_w_k for s in stations]),
        flow_1_kg_s=np.array([s.design_flow_kg_s for s in stations]),
        flow_2_kg_s=np.array([s.secondary_flow_kg_s for s in stations]),
        kv_m3_h=np.array([s.kv_m3_h for s in stations]),
        curves=tuple(np.array(s.curve, dtype=float).reshape(-1, 2) for s in stations),
        load_scale_k=max(18.0 - county.meta.design_outdoor_c, 5.0),
        watched=np.array(
            [p.no for p in county.points if p.key in WATCHED and p.place_id in places], np.int64
        ),
        point_ids=tuple(p.id for p in county.points),
        point_period_s=np.array([p.period_s for p in county.points]),
        devices=tuple((d.id, d.dialect, np.array(by_device[d.id], np.int64)) for d in county.devices),
        station_device=tuple(
            next((p.device_id for p in county.points if p.place_id == i), "") for i in station_ids
        ),
        near=find_near(county.network),
        dialect={d.id: d.dialect for d in county.devices},
        homes=compile_homes(county),
        node=np.array([county.network.node_index[s.node_id] for s in stations], dtype=np.int64),
    )


def _find_meters(county: County, building: dict[str, int], key: str) -> tuple[Ints, Ints]:
    rows = [(p.no, building[p.place_id]) for p in county.points if p.key == key and p.place_id in building]
    table = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
