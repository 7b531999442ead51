"""The next hours of the whole network as the twin expects them: what the scene's time line shows of tomorrow.

Sources follow the weather as they lately did, stations their curves; the weather is the expected one.
"""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.store.api import NetworkState
from twin.dispatch.outlook import Outlook as Expected
from twin.heat import DayPlan, DayState, HeatSystem, Weather, simulate_day
from twin.heat.plugflow import MEAN
from twin.heat.quick import read_temperatures
from twin.heat.transient import solve_step_flows
from twin.model.errors import InputError
from twin.rehearsal import Outlook, Past
from twin.rehearsal.start import drive_sources, hold_boundary, lift_curves, share_pumps

Floats = NDArray[np.float64]

HOUR_S = 3600.0
STEPS = 32_000
"""Steps of the packed numbers between nothing and the largest."""
MISSING = -32_768
ARRAYS = ("t_supply_c", "t_return_c", "p_supply_pa", "p_return_pa", "mass_flow_kg_s", "t_pipe_c")
MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """``made`` when; ``t`` (H,) moments, the first is ``made`` itself, then the end of each hour (s since
    1970 UTC). ``network``: arrays of ``NetworkState``, a row per moment. ``room_c`` (H, n_building) of the
    heated buildings ``building``; ``t_out_c`` (H,)."""

    made: float
    t: Floats
    network: Mapping[str, Floats]
    building: tuple[str, ...]
    room_c: Floats
    t_out_c: Floats

    def state_at(self, t: float) -> tuple[NetworkState, Floats]:
        """The moment nearest to ``t`` and its rooms (n_building,)."""
        k = int(np.argmin(np.abs(self.t - t)))
        arrays = {name: self.network[name][k] for name in ARRAYS}
        return NetworkState(0, float(self.t[k]), "ahead", **arrays), self.room_c[k]


def simulate_ahead(system: HeatSystem, state: DayState, outlook: Outlook, now: float) -> Ahead:
    """Simulate hour by hour from ``state``, and keep the network and the rooms at the end of each.

    Raises
    ------
    InputError : the outlook has no whole hour
    EngineError : nothing holds the network
    """
    per_hour = round(HOUR_S / outlook.dt_s)
    hours = len(outlook.t_outdoor_c) // per_hour
    if hours == 0:
        raise InputError("ahead: the outlook has no whole hour")
    rows, rooms, out = [], [state.t_air_c.copy()], [float(outlook.t_outdoor_c[0])]
    rows.append(_read_network(system, _plan(system, outlook, 0, 1), state))
    for h in range(hours):
        cut = slice(h * per_hour, (h + 1) * per_hour)
        weather = Weather(outlook.t_outdoor_c[cut], outlook.wind_m_s[cut], outlook.sun_w_m2[cut])
        plan = _plan(system, outlook, cut.start, cut.stop)
        state = simulate_day(system, weather, plan, state).end
        rows.append(_read_network(system, plan, state))
        rooms.append(state.t_air_c.copy())
        out.append(float(weather.t_outdoor_c[-1]))
    return Ahead(
        made=now,
        t=now + HOUR_S * np.arange(hours + 1, dtype=np.float64),
        network={name: np.stack([r[name] for r in rows]) for name in ARRAYS},
        building=tuple(system.buildings.ids),
        room_c=np.stack(rooms),
        t_out_c=np.array(out),
    )


def carry_on(system: HeatSystem, past: Past, expected: Expected, now: float, hours: int) -> Outlook:
    """The expected weather from what is measured now on; sources as ``drive_sources`` has them."""
    t = now + past.dt_s * np.arange(1, round(hours * HOUR_S / past.dt_s) + 1)
    middle = expected.t - expected.dt_s / 2.0
    later = middle > now
    wind = past.wind_m_s[-round(HOUR_S / past.dt_s) :].mean()
    known = np.concatenate([past.t_outdoor_c[-1:], expected.t_out_c[later]])
    t_out = np.interp(t, np.concatenate([[now], middle[later]]), known)
    return Outlook(
        past.dt_s, t_out, np.full(t.size, float(wind)), np.interp(t, middle, expected.sun_w_m2),
        drive_sources(system, past, t_out), hold_boundary(system, past), past.lift_k, past.pump_share,
    )  # fmt: skip


def _plan(system: HeatSystem, outlook: Outlook, start: int, stop: int) -> DayPlan:
    return DayPlan(
        outlook.dt_s, outlook.boundary, outlook.t_source_c[start:stop],
        setpoint_c=lift_curves(system, outlook.t_outdoor_c[start:stop], outlook.lift_k),
        pump_share=share_pumps(stop - start, outlook.pump_share),
    )  # fmt: skip


def _read_network(system: HeatSystem, plan: DayPlan, state: DayState) -> dict[str, Floats]:
    """The network at a moment: its water as the state has it, pressures for the flows the stations take."""
    net, water = system.net, state.transient
    boundary = replace(
        plan.boundary, t_source_c=plan.t_source_c[-1], flow_kg_s=state.flow_kg_s,
        t_return_c=np.full(state.flow_kg_s.size, 50.0), heat_w=None,
    )  # fmt: skip
    _, answer = solve_step_flows(net, boundary, water.t_pipe, water.m)
    t_pipe, t_point = np.empty(net.n_pipe), np.empty(net.n_point)
    read_temperatures(water.pipes.known[MEAN], t_pipe)
    read_temperatures(water.h_point, t_point)
    n = net.n_node
    p = answer.p if answer.converged else np.full(2 * n, np.nan)
    return {
        "t_supply_c": t_point[:n], "t_return_c": t_point[n : 2 * n], "p_supply_pa": p[:n],
        "p_return_pa": p[n : 2 * n], "mass_flow_kg_s": answer.m.copy(), "t_pipe_c": t_pipe,
    }  # fmt: skip


def describe_ahead(a: Ahead) -> dict[str, object]:
    """The body that is kept: numbers in 16 bits, since a day of a network is many of them."""
    return {
        "made": a.made, "t": a.t, "t_out_c": a.t_out_c, "building": list(a.building),
        "room_c": pack(a.room_c), "network": {name: pack(a.network[name]) for name in ARRAYS},
    }  # fmt: skip


def read_ahead(body: Any) -> Ahead | None:
    """The other way; None for a body that is no such thing."""
    try:
        return Ahead(
            made=float(body["made"]),
            t=np.asarray(body["t"], float),
            network={name: unpack(body["network"][name]) for name in ARRAYS},
            building=tuple(str(b) for b in body["building"]),
            room_c=unpack(body["room_c"]),
            t_out_c=np.asarray(body["t_out_c"], float),
        )
    except (KeyError, TypeError, ValueError, zlib.error):
        return None


def pack(x: Floats) -> dict[str, object]:
    """Numbers (H, n) as 16-bit steps of a common size, compressed, as text; NaN stays NaN."""
    known = np.isfinite(x)
    most = float(np.abs(x[known]).max()) if known.any() else 0.0
    step = most / STEPS if most > 0.0 else 1.0
    whole = np.where(known, np.round(np.where(known, x, 0.0) / step), MISSING).astype("<i2")
    # hours differ little from each other: the differences pack smaller
    rows = np.diff(whole, axis=0, prepend=np.zeros((1, x.shape[1]), "<i2")).astype("<i2")
    text = base64.b64encode(zlib.compress(rows.tobytes(), 6)).decode()
    return {"step": step, "shape": list(x.shape), "data": text}


def unpack(body: Mapping[str, Any]) -> Floats:
    """The other way, (H, n). Raises ``ValueError``: the body does not fit its shape."""
    shape = tuple(int(v) for v in body["shape"])
    room = zlib.decompressobj().decompress(base64.b64decode(body["data"]), MOST_BYTES)
    rows = np.frombuffer(room, "<i2").reshape(shape)
    whole = np.cumsum(rows, axis=0, dtype=np.int16)
    return np.where(whole == MISSING, np.nan, whole * float(body["step"]))
