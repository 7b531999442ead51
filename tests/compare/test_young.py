"""A comparison that begins while sources get warmer: its water is put right, and doubted until it is gone."""

from dataclasses import dataclass

import numpy as np
import pytest

from ingest.demo.county import generate_county
from twin.compare import Comparison, PointBook, Snapshot, compare_network, compile_points, doubt_water
from twin.compare.run import SIGMA
from twin.heat import CompiledNetwork, compile_network
from twin.heat.water import density_kg_m3
from twin.model.county import County

STEP_S, STEPS, BEGIN = 600.0, 31, 12


@dataclass
class Morning:
    """A county whose sources rise by 3 K an hour: what its meters show, and the walk that knows all of it."""

    county: County
    net: CompiledNetwork
    book: PointBook
    snapshots: list[Snapshot]
    walked: list[Comparison]

    def begin(self, change: dict[str, float] | None = None) -> list[Comparison]:
        """A twin that hears nothing before ``BEGIN``; ``change``: what thermometers are off then."""
        out: list[Comparison] = []
        for s in self.snapshots[BEGIN:]:
            value = s.value.copy()
            for point, k in (change or {}).items():
                value[self.county.point_by_id[point].no] += k
            memory = out[-1].memory if out else None
            out.append(
                compare_network(self.net, self.county.network, self.book, Snapshot(s.t, value), memory)
            )
        return out

    def supply(self, c: Comparison) -> np.ndarray:
        """Simulated supply temperatures at the stations."""
        found = dict(zip(c.point_no.tolist(), c.value.tolist(), strict=True))
        return np.array([found.get(n, np.nan) for n in self.book.station["p1_ts"].tolist()])


@pytest.fixture(scope="module")
def morning() -> Morning:
    county = generate_county(7)
    net, book, network = compile_network(county.network), compile_points(county), county.network
    value = np.full(len(county.points), np.nan)

    def put(place: str, **reads: float) -> None:
        for key, x in reads.items():
            value[county.point_by_id[f"{place}/{key}"].no] = x

    for s in network.sources:
        put(s.id, src_ps=s.p_supply_pa, src_pr=s.p_return_pa, src_tr=45.0, src_flow=0.0)
    for s in network.substations:
        put(s.id, p1_flow=0.6 * s.design_flow_kg_s / float(density_kg_m3(45.0)), p1_tr=45.0, s2_tr=38.0,
            s2_flow=s.secondary_flow_kg_s / float(density_kg_m3(38.0)))  # fmt: skip
    snapshots, walked = [], []
    for i in range(STEPS):
        now = value.copy()
        for s in network.sources:
            now[county.point_by_id[f"{s.id}/src_ts"].no] = 88.0 + 3.0 * max(i - 3, 0) * STEP_S / 3600.0
        c = compare_network(
            net, network, book, Snapshot(i * STEP_S, now), walked[-1].memory if walked else None
        )
        shown = np.isin(c.point_no, np.concatenate([book.station["p1_ts"], book.source["src_tr"]]))
        now[c.point_no[shown]] = c.value[shown]
        snapshots.append(Snapshot(i * STEP_S, now))
        walked.append(c)
    return Morning(county, net, book, snapshots, walked)


def off(morning: Morning, young: list[Comparison]) -> np.ndarray:
    """Root mean square of the young twin beside the walk, by moment."""
    pairs = zip(young, morning.walked[BEGIN:], strict=True)
    return np.array([np.sqrt(np.nanmean((morning.supply(y) - morning.supply(w)) ** 2)) for y, w in pairs])


def test_a_twin_that_begins_in_moving_water_takes_it_from_the_thermometers(morning: Morning) -> None:
    sources = [b.boundary.t_source_c[0] for b in morning.walked]
    late = sources[BEGIN] - np.nanmedian(morning.supply(morning.walked[BEGIN]))
    assert late > 2.5, "the water at the stations is hours old: a steady state would be wrong by this"
    assert off(morning, morning.begin()).max() < 0.5


def test_a_wrong_thermometer_at_the_beginning_misleads_nobody(morning: Morning) -> None:
    station = morning.county.network.substations[3].id
    assert off(morning, morning.begin({f"{station}/p1_ts": 15.0})).max() < 0.7


def test_guessed_water_is_doubted_until_it_has_gone_by(morning: Morning) -> None:
    young = morning.begin()
    first, end = young[0], young[-1]
    assert first.memory is not None and first.memory.young is not None
    guess, network = first.memory.young, morning.county.network
    at = [network.node_index[s.node_id] for s in network.substations]
    now = dict(zip(first.point_no.tolist(), first.sigma.tolist(), strict=True))
    then = dict(zip(end.point_no.tolist(), end.sigma.tolist(), strict=True))
    numbers = [n for n in morning.book.station["p1_ts"].tolist() if n in now and n in then]
    own_k = SIGMA["p1_ts"][0]
    assert all(now[n] >= np.hypot(own_k, 0.8) - 1e-9 for n in numbers)
    age = dict(zip(morning.book.station["p1_ts"].tolist(), guess.age_s[at].tolist(), strict=True))
    gone = [n for n in numbers if 1.6 * age[n] < young[-1].t - guess.t]
    there = [n for n in numbers if 0.8 * age[n] > young[-1].t - guess.t]
    assert gone and there
    assert min(then[n] for n in gone) < 1.1 * own_k, "near the source it has gone by"
    assert min(then[n] for n in there) > 1.2 * own_k
    n_point = 2 * len(network.nodes)
    assert not doubt_water(guess, guess.t + 24 * 3600.0, n_point).any()
    assert np.all(doubt_water(guess, guess.t, n_point)[guess.age_s > 0] > 0.0)
