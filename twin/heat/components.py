"""What moves and holds back the water besides pipes: pumps in pipes and at sources, valves of substations.

Pumps follow ``rise = s² dp0 - c q²`` with volume flow q: the affinity laws leave c alone when the speed s
changes. Valves follow ``V = Kv sqrt(dp / 1 bar)`` at 1000 kg/m³, Kv in proportion to the opening.
Source: J. F. Gülich, Centrifugal Pumps, chapter 4; IEC 60534-2-1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.heat.topology import CompiledNetwork
from twin.model.errors import InputError
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

KV_FACTOR = 1e5 * 3600.0**2 / 1000.0
"""dp = KV_FACTOR m² / (rho Kv²), Pa, with m in kg/s, rho in kg/m³, Kv in m³/h."""


@dataclass(frozen=True, slots=True)
class PumpDrive:
    """A pump at work, in pipe ``pipe_id`` or between return and supply of source ``source_id``.

    In a pipe it pushes from ``from_node`` to ``to_node`` (``backwards``: the other way) and is passed by
    while its speed is 0. At a source it draws from the return and has a check valve; with speed 0 it is shut.
    ``speed`` is relative to that of the curve ``dp0_pa``, ``c_pa_s2_m6``.
    """

    id: str
    dp0_pa: float
    c_pa_s2_m6: float
    speed: float = 1.0
    pipe_id: str = ""
    source_id: str = ""
    backwards: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class StationControl:
    """How substations take their water, each array (n_substation,).

    ``by_heat``: the flow is what ``heat_w`` of the boundary asks for at its ``t_return_c``; elsewhere
    ``flow_kg_s`` is wanted. Either way no more can flow than the open valve passes at the pressure difference
    of the station. ``opening``: a number 0..1 is a valve standing there, whose flow follows from the pressure
    difference alone; NaN: controlled as above. ``kv_m3_h``: valve and exchanger together, open; None: as in
    the substation table; 0: passes anything (not with ``opening``).
    """

    by_heat: Bools
    opening: Floats
    kv_m3_h: Floats | None = None


CONTROLLED, OPEN, STANDING, SHUT = 0, 1, 2, 3
"""A valve that controls; one that controls but is fully open; one with a given opening; one through which
nothing can flow, because the return has more pressure than the supply."""


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """What joins supply and return points: pumps of sources first, then the valves of all substations.

    Each (n_link,): ``start``, ``end`` points, ``dp0_pa``, ``c`` Pa s²/m6 (pumps), ``kv_m3_h`` (valves, as
    open as they stand or can be), ``size_kg_s`` a usual flow, ``flow_kg_s`` as solved. ``n_pump``: how many
    are pumps; ``running`` (n_pump,). Valves (n_station,): ``standing``, ``status``; empty without control.
    """

    start: Ints
    end: Ints
    dp0_pa: Floats
    c: Floats
    kv_m3_h: Floats
    size_kg_s: Floats
    flow_kg_s: Floats
    n_pump: int
    running: Bools
    standing: Bools
    status: Ints


@dataclass(frozen=True, slots=True, eq=False)
class PipePumps:
    """Pumps in pipes, each (n,): ``pipe`` with ``sign`` of their direction, ``dp0_pa`` at their speed, ``c``,
    and their place ``of`` the boundary's pumps."""

    pipe: Ints
    sign: Floats
    dp0_pa: Floats
    c: Floats
    of: Ints


def _check_pump(net: CompiledNetwork, pump: PumpDrive) -> None:
    if bool(pump.pipe_id) == bool(pump.source_id):
        raise InputError(f"pump {pump.id}: give either pipe_id or source_id")
    for name, value in (("dp0_pa", pump.dp0_pa), ("c_pa_s2_m6", pump.c_pa_s2_m6), ("speed", pump.speed)):
        if not (np.isfinite(value) and value >= 0.0):
            raise InputError(f"pump {pump.id}: {name} is {value:g}, it must be zero or more")
    if pump.pipe_id and pump.pipe_id not in net.pipe_index:
        raise InputError(f"pump {pump.id}: pipe {pump.pipe_id!r} is not in the pipe table")
    if pump.source_id and pump.source_id not in {s.id for s in net.network.sources}:
        raise InputError(f"pump {pump.id}: source {pump.source_id!r} is not in the source table")


def place_pipe_pumps(net: CompiledNetwork, pumps: tuple[PumpDrive, ...]) -> PipePumps | None:
    """Check all pumps; those that turn in pipes (None: there are none)."""
    for pump in pumps:
        _check_pump(net, pump)
    at = [k for k, p in enumerate(pumps) if p.pipe_id and p.speed > 0.0]
    if not at:
        return None
    mine = [pumps[k] for k in at]
    return PipePumps(
        pipe=np.array([net.pipe_index[p.pipe_id] for p in mine], np.int64),
        sign=np.array([-1.0 if p.backwards else 1.0 for p in mine]),
        dp0_pa=np.array([p.dp0_pa * p.speed**2 for p in mine]),
        c=np.array([p.c_pa_s2_m6 for p in mine]),
        of=np.array(at, np.int64),
    )


def make_links(
    net: CompiledNetwork, pumps: tuple[PumpDrive, ...], control: StationControl | None
) -> Links | None:
    """Join supply and return where pumps of sources or controlled stations ask for it (None: nowhere)."""
    place = {s.id: int(net.source_node[i]) for i, s in enumerate(net.network.sources)}
    mine = [p for p in pumps if p.source_id]
    if control is None and not mine:
        return None
    node = np.array([place[p.source_id] for p in mine], np.int64)
    n_station = 0 if control is None else len(net.station_node)
    station = net.station_node[:n_station]
    kv, status = _read_valves(net, control) if control is not None else (np.zeros(0), np.zeros(0, np.int64))
    curve = np.array([[p.dp0_pa * p.speed**2, p.c_pa_s2_m6] for p in mine]).reshape(-1, 2)
    none = np.zeros(n_station)
    most = 1000.0 * np.sqrt(0.3 * curve[:, 0] / np.maximum(curve[:, 1], 1e-9))
    return Links(
        start=np.concatenate([net.n_node + node, station]),
        end=np.concatenate([node, net.n_node + station]),
        dp0_pa=np.concatenate([curve[:, 0], none]),
        c=np.concatenate([curve[:, 1], none]),
        kv_m3_h=np.concatenate([np.zeros(len(mine)), kv]),
        size_kg_s=np.concatenate([most, np.maximum(net.station_design_kg_s[:n_station], 0.1)]),
        flow_kg_s=np.zeros(len(mine) + n_station),
        n_pump=len(mine),
        running=np.array([p.speed > 0.0 for p in mine], bool),
        standing=status == STANDING,
        status=status,
    )


def _read_valves(net: CompiledNetwork, control: StationControl) -> tuple[Floats, Ints]:
    stations = net.network.substations
    table = np.array([s.kv_m3_h for s in stations], dtype=np.float64)
    full = table if control.kv_m3_h is None else np.asarray(control.kv_m3_h, dtype=np.float64)
    for name, value in (("by_heat", control.by_heat), ("opening", control.opening), ("kv_m3_h", full)):
        if np.shape(value) != (len(stations),):
            raise InputError(f"control {name}: shape {np.shape(value)}, expected ({len(stations)},)")
    standing = np.isfinite(control.opening)
    for i in np.flatnonzero(~(full >= 0.0) | (standing & ~(full > 0.0))):
        raise InputError(f"substation {stations[i].id}: kv_m3_h is {full[i]:g}, it must be a positive number")
    for i in np.flatnonzero(standing & ~((control.opening >= 0.0) & (control.opening <= 1.0))):
        raise InputError(f"substation {stations[i].id}: opening {control.opening[i]:g} is not within 0 and 1")
    kv = np.where(standing, full * np.nan_to_num(control.opening), full)
    status = np.where(standing, STANDING, CONTROLLED)
    return kv, status.astype(np.int64)


def describe_source_pumps(network: HeatNetwork, speed: float = 1.0) -> tuple[PumpDrive, ...]:
    """The circulation pumps of the pump table that stand at sources, at one relative ``speed``."""
    sources = {s.id for s in network.sources}
    return tuple(
        PumpDrive(p.id, p.dp0_pa, p.c_pa_s2_m6, speed * p.speed, source_id=p.place_id)
        for p in network.pumps
        if p.kind == "circulation" and p.place_id in sources
    )
