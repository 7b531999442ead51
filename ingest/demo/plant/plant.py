"""The whole plant: one state, one step."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.demo.plant.flow import Flow, solve_flow
from ingest.demo.plant.grid import RHO_KG_M3, make_grid, water_density_kg_m3
from ingest.demo.plant.heat import Heat, mean_pipe_c, step_heat
from ingest.demo.plant.hidden import draw_hidden
from ingest.demo.plant.mischief import cool_rooms, tell_bout
from ingest.demo.plant.orders import NOMINAL_HZ, Orders, no_orders, obey
from ingest.demo.plant.stations import Stations, make_blocks, step_stations, wanted_supply_c
from ingest.demo.plant.weather import Sky, Weather
from twin.model.county import County
from twin.model.errors import InputError

Floats = NDArray[np.float64]

GROUND_C = 7.5
PEAK_FROM, PEAK_TO = 0.72, 0.95
EXCHANGER_DP_PA = 45_000.0


@dataclass
class Upset:
    """What is broken now; neutral by default. Arrays as named in ``Plant``.

    ``leak_kg_s``, ``draw_kg_s`` (2n,) water lost at nodes, and taken in bouts; ``loss_2_kg_s``,
    ``draw_2_kg_s`` (n_station,) the same of the secondary circuits; ``pump`` share of the pump's speed that
    is left, 0: tripped; ``air`` share of the secondary flow that air keeps away; ``branch`` (m,) flow of a
    building over its share; ``open_room`` room -> share of the way to outdoor air its windows let it fall.
    """

    leak_kg_s: Floats
    zeta: Floats
    exchanger_ua: Floats
    stuck: Floats
    pump: Floats
    source: Floats
    draw_kg_s: Floats
    loss_2_kg_s: Floats
    draw_2_kg_s: Floats
    air: Floats
    branch: Floats
    open_room: dict[str, float] = field(default_factory=dict)


@dataclass
class Reading:
    """What the field's instruments could see after a step, by key; arrays per station, source or building."""

    t: float
    sky: Sky
    station: dict[str, Floats]
    source: dict[str, Floats]
    room_c: Floats
    building: dict[str, Floats]
    room_drop_k: dict[str, float] = field(default_factory=dict)


@dataclass
class Plant:
    """The simulated field of ``county``; ``seed`` draws its hidden truth and its weather."""

    county: County
    seed: int = 7
    mode: str = "normal"
    weather: Weather = field(init=False)
    counters: dict[str, Floats] = field(init=False)

    def __post_init__(self) -> None:
        c = self.county
        self.hidden = draw_hidden(c, self.seed)
        self.grid = make_grid(c, self.hidden)
        self.blocks = make_blocks(c, self.hidden)
        self.weather = Weather(self.seed, c.meta.design_outdoor_c, self.mode)
        self.n_station, self.n_source = len(c.network.substations), len(c.network.sources)
        self.hold = next((i for i, s in enumerate(c.network.sources) if s.holds_pressure), 0)
        self.upset = self._calm()
        self.orders: Orders = no_orders(self.n_station, self.n_source, self.blocks.station.size)
        self.shown: dict[str, Floats] = {}
        self.flow: Flow | None = None
        self.heat = Heat(np.full(self.grid.cell_pipe.size, 60.0), np.full(2 * self.grid.n, 60.0))
        n = self.n_station
        room = np.full(self.blocks.station.size, 20.0)
        self.stations = Stations(np.full(n, 0.5), np.full(n, 50.0), np.full(n, 40.0), room, np.zeros(n))
        self.t_source_c = np.array([s.t_supply_design_c - 15.0 for s in c.network.sources])
        self.t_back_c = np.full(n, 45.0)
        self.heat_w = np.zeros(n)
        zero_n, zero_s = np.zeros(n), np.zeros(self.n_source)
        self.counters = {
            "p1_vol": zero_n.copy(), "p1_energy": zero_n.copy(), "mk_vol": zero_n.copy(),
            "e_kwh": zero_n.copy(),
            "src_energy": zero_s.copy(), "src_kwh": zero_s.copy(),
        }  # fmt: skip
        self.loss_w = 0.0
        self.room_drop_k: dict[str, float] = {}
        self.want_source_c = self.t_source_c.copy()
        self.want_dp_pa, self.want_m3_s = np.zeros(self.n_source), np.zeros(self.n_source)

    def _calm(self) -> Upset:
        n = self.n_station
        return Upset(
            leak_kg_s=np.zeros(2 * self.grid.n),
            zeta=np.zeros(self.grid.a.size),
            exchanger_ua=np.ones(n),
            stuck=np.full(n, np.nan),
            pump=np.ones(n),
            source=np.ones(self.n_source),
            draw_kg_s=np.zeros(2 * self.grid.n),
            loss_2_kg_s=np.zeros(n),
            draw_2_kg_s=np.zeros(n),
            air=np.zeros(n),
            branch=np.ones(self.blocks.station.size),
        )

    def reset_upset(self) -> Upset:
        """Everything whole again; returns the record to break things in."""
        self.upset = self._calm()
        return self.upset

    def settle(self, t: float) -> None:
        """Bring a new plant near the state it would have at ``t``."""
        hour = 3600.0
        warm_up = [
            (t - 30 * hour, hour, 18),
            (t - 12 * hour, 900.0, 44),
            (t - hour, 300.0, 10),
            (t - 600.0, 60.0, 10),
        ]
        sky = self.weather.at(t - 30 * hour)
        self.stations.t_supply_2_c = wanted_supply_c(self.blocks, sky.t_out_c)
        self.stations.t_return_2_c = self.stations.t_supply_2_c - 10.0
        for start, dt, n in warm_up:
            for i in range(n):
                self.step(start + (i + 1) * dt, dt)
        for x in self.counters.values():
            x[:] = 0.0
        rng = np.random.default_rng((self.seed, 5))
        for key, scale in (("p1_vol", 4e5), ("p1_energy", 9e13), ("mk_vol", 900.0), ("e_kwh", 3e11)):
            self.counters[key][:] = rng.uniform(0.5, 1.5, self.n_station) * scale
        self.counters["src_energy"][:] = 2e15
        self.counters["src_kwh"][:] = 4e12

    def load(self, sky: Sky) -> float:
        """Share of design load that the weather asks for."""
        return float(np.clip((18.0 - sky.t_out_c) / (18.0 - self.county.meta.design_outdoor_c), 0.1, 1.2))

    def step(self, t: float, dt_s: float) -> Reading:
        """Advance by ``dt_s`` to time ``t``; returns what could be measured."""
        sky = self.weather.at(t)
        load = self.load(sky)
        other, p_supply, p_return = self._drive_sources(load, dt_s)
        g, s = self.grid, self.stations
        valve_r = 1.0 / (self.blocks.kv_pa * np.maximum(s.valve, 0.01)) ** 2
        plate_r = EXCHANGER_DP_PA / self.blocks.flow_1_kg_s**2
        draw = self.upset.leak_kg_s + tell_bout(t) * self.upset.draw_kg_s
        self.flow = solve_flow(
            g,
            (self.hold, p_supply, p_return),
            other,
            valve_r + plate_r,
            self.upset.zeta,
            draw,
            self.flow,
            water_density_kg_m3(mean_pipe_c(g, self.heat)),
        )
        m1 = np.maximum(self.flow.station_kg_s, 0.0)
        m_source = self._source_flow(other)
        inflow_node = np.concatenate([g.q_out, g.s_out, g.q_in])
        make_up = np.zeros(self.n_source)
        make_up[self.hold] = float(draw.sum())
        inflow_kg_s = np.concatenate([np.maximum(m_source, 0.0), m1, np.zeros(self.n_source)])
        inflow_c = np.concatenate([self.t_source_c, self.t_back_c, np.full(self.n_source, 40.0)])
        self.heat, self.loss_w = step_heat(
            g, self.heat, self.flow.pipe_kg_s, inflow_node, inflow_kg_s, inflow_c, GROUND_C, dt_s
        )
        t1 = self.heat.node_c[g.s_in]
        hour = (t / 3600.0 + self.weather.utc_offset_h) % 24.0
        people = (
            0.8 + 0.35 * np.exp(-(((hour - 19.5) / 3.0) ** 2)) + 0.15 * np.exp(-(((hour - 7.5) / 1.5) ** 2))
        )
        self.stations, self.heat_w, self.t_back_c = step_stations(
            self.blocks,
            s,
            sky,
            m1,
            t1,
            self.pump_share(),
            self.orders,
            self.upset.stuck,
            self.upset.exchanger_ua,
            people,
            dt_s,
            self.upset.branch,
        )
        self.room_drop_k = cool_rooms(self.room_drop_k, self.upset.open_room, 20.0 - sky.t_out_c, dt_s)
        return self._read(t, sky, m1, m_source, make_up, dt_s)

    def pump_share(self) -> Floats:
        """(n_station,) share of the secondary design flow; 0 where the pump has tripped."""
        return self.upset.pump * (1.0 - self.upset.air) * self.orders.pump_hz / NOMINAL_HZ

    def write(self, place_id: str, key: str, value: float) -> None:
        """A set-point (SI) for the controller of a station or source. Raises ``InputError``: it has none."""
        n = self.county.network
        places = [x.id for x in (n.sources if key.startswith("src_") else n.substations)]
        shows = {"mode": "cv_pos", "src_auto": "src_ts"}.get(key, key)
        if place_id not in places or shows not in self.shown:
            raise InputError(f"{key} is not a set-point of {place_id}")
        obey(self.orders, key, places.index(place_id), value, self.shown[shows])

    def _drive_sources(self, load: float, dt_s: float) -> tuple[Floats, float, float]:
        """Supply temperatures follow the load within their ramp; the peak boiler joins above 72 % load."""
        sources = self.county.network.sources
        share = np.clip((load - PEAK_FROM) / (PEAK_TO - PEAK_FROM), 0.0, 1.0)
        other = np.zeros(self.n_source)
        design = np.array([s.t_supply_design_c for s in sources])
        want = 68.0 + (design - 68.0) * min(load, 1.05) ** 0.85
        want = np.where(np.isfinite(self.orders.source_c), self.orders.source_c, want)
        self.want_source_c = want
        want = 45.0 + (want - 45.0) * self.upset.source
        step = np.clip(want - self.t_source_c, -0.6 / 60 * dt_s, 0.6 / 60 * dt_s)
        self.t_source_c = self.t_source_c + step
        total = float(self.blocks.flow_1_kg_s.sum())
        for i in range(self.n_source):
            if i != self.hold:
                told = self.orders.source_m3_s[i] * RHO_KG_M3
                other[i] = (told if np.isfinite(told) else 0.22 * share * total) * self.upset.source[i]
        hold = sources[self.hold]
        rise = (hold.p_supply_pa - hold.p_return_pa) * self.hidden.pump
        head = rise * (0.62 + 0.38 * min(load, 1.0))
        told = self.orders.source_dp_pa[self.hold]
        head = (told if np.isfinite(told) else head) * (0.35 + 0.65 * self.upset.source[self.hold])
        self.want_dp_pa[self.hold], self.want_m3_s = head, other / RHO_KG_M3
        return other, hold.p_return_pa + head, hold.p_return_pa

    def _source_flow(self, other: Floats) -> Floats:
        """Flow out of each source's supply node."""
        assert self.flow is not None
        out = other.copy()
        node = self.grid.q_out[self.hold]
        m = self.flow.pipe_kg_s
        out[self.hold] = m[self.grid.a == node].sum() - m[self.grid.b == node].sum()
        at = self.grid.s_in == node
        out[self.hold] += self.flow.station_kg_s[at].sum() + self.upset.leak_kg_s[node]
        return out

    def _read(self, t: float, sky: Sky, m1: Floats, ms: Floats, make_up: Floats, dt_s: float) -> Reading:
        from ingest.demo.plant.instruments import read_buildings, read_sources, read_stations

        station = read_stations(self, sky, m1, t, dt_s)
        source = read_sources(self, ms, make_up, dt_s)
        self.shown = {**station, **source}
        building = read_buildings(self)
        return Reading(t, sky, station, source, self.stations.room_c, building, self.room_drop_k)

    def save(self) -> dict[str, Floats]:
        """State as named arrays, for ``restore``."""
        s = self.stations
        out = {
            "cell_c": self.heat.cell_c, "node_c": self.heat.node_c, "valve": s.valve, "ts2": s.t_supply_2_c,
            "tr2": s.t_return_2_c, "room": s.room_c, "error": s.error_k, "t_source": self.t_source_c,
            "t_back": self.t_back_c,
        }  # fmt: skip
        return out | {f"count_{k}": v for k, v in self.counters.items()} | self.orders.save()

    def restore(self, saved: dict[str, Floats]) -> bool:
        """Take a saved state; False (and nothing changed) when it is of another county."""
        mine = self.save()
        if any(
            k not in saved or saved[k].shape != v.shape for k, v in mine.items() if not k.startswith("order_")
        ):
            return False
        self.orders.restore(saved)
        self.heat = Heat(saved["cell_c"], saved["node_c"])
        self.stations = Stations(saved["valve"], saved["ts2"], saved["tr2"], saved["room"], saved["error"])
        self.t_source_c, self.t_back_c = saved["t_source"], saved["t_back"]
        for k in self.counters:
            self.counters[k] = saved[f"count_{k}"]
        return True
