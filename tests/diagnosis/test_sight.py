"""Bad input: what the twin says it cannot know, and what it would have mended first."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.tiny import make_tiny_county
from twin.compare import Snapshot, compare_network, compile_points
from twin.diagnosis import Sight, compile_book, judge_sight
from twin.heat import compile_network
from twin.model.county import County

USUAL = {
    "p1_ts": 88.0, "p1_tr": 44.0, "p1_flow": 0.006, "p1_heat": 1.1e6, "cv_pos": 0.43, "cv_sp": 0.43,
    "s2_ts": 50.0, "s2_tr": 40.0, "s2_ps": 4e5, "s2_pr": 2.5e5, "s2_flow": 0.02, "mk_flow": 2e-5,
    "cp1_run": 1.0, "cp1_hz": 42.0, "p_kw": 9e3, "src_ts": 90.0, "src_tr": 44.0, "src_ps": 9e5,
    "src_pr": 3e5, "src_flow": 0.024, "src_heat": 4.5e6, "src_mk": 1e-5, "t_out": -3.0, "room_t": 20.0,
    "b_ts": 49.0, "b_tr": 40.0, "b_flow": 0.005,
}  # fmt: skip


def measure(county: County, of: County | None = None) -> np.ndarray:
    """A quiet moment of ``of`` (as built) read by the points of ``county`` (as surveyed)."""
    value = np.array([USUAL.get(p.key, np.nan) for p in county.points])
    value[county.point_by_id["SRC2/src_flow"].no] = 0.002  # the peak boiler
    built = of or county
    c = compare_network(
        compile_network(built.network), built.network, compile_points(built), Snapshot(0.0, value)
    )
    for s in county.network.substations:
        node = county.network.node_index[s.node_id]
        for key, x in (("p1_ps", c.state.p_supply_pa[node]), ("p1_pr", c.state.p_return_pa[node])):
            value[county.point_by_id[f"{s.id}/{key}"].no] = x
    return value


def look(county: County, value: np.ndarray) -> Sight:
    net = compile_network(county.network)
    c = compare_network(net, county.network, compile_points(county), Snapshot(0.0, value))
    assert c.state.converged
    return judge_sight(net, compile_book(county), c, value)


def codes(sight: Sight) -> set[str]:
    return {x.code for x in sight.limits}


def cut(county: County, pipes: set[str]) -> County:
    keep = tuple(p for p in county.network.pipes if p.id.partition("-")[0] not in pipes)
    return replace(county, network=replace(county.network, pipes=keep))


def test_a_whole_county_sees_nearly_everything() -> None:
    county = make_tiny_county()
    sight = look(county, measure(county))
    assert {"no_loop", "one_station", "dead", "crossed", "survey"} & codes(sight) <= {"dead"}
    assert sight.visible["fouling"] == 1.0
    assert sight.visible["leak"] == 1.0


def test_a_county_without_loops_says_that_nothing_confirms_a_branch() -> None:
    whole = make_tiny_county()
    county = cut(whole, {"P03"})
    value = measure(county)
    sight = look(county, value)
    assert "no_loop" in codes(sight)
    meter = county.point_by_id["S03/p1_flow"].no  # without a loop nothing else tells what this branch draws
    value[meter] = np.nan
    blind = look(county, value)
    assert blind.least_leak > sight.least_leak or blind.visible["leak"] < sight.visible["leak"]
    assert "S03/p1_flow" in blind.mends[0].points


def test_half_the_sensors_dead_lists_what_is_blind_and_what_to_mend_first() -> None:
    county = make_tiny_county()
    value = measure(county)
    whole = look(county, value)
    book = compile_book(county)
    needed = [
        int(n)
        for t in (book.station, book.source)
        for k in t
        for n in t[k]
        if n >= 0 and np.isfinite(value[n])
    ]
    dead = np.random.default_rng(4).choice(needed, len(needed) // 2, replace=False)
    value[dead] = np.nan
    sight = look(county, value)
    assert next(x.value for x in sight.limits if x.code == "dead") >= 0.4
    assert {"blind"} <= codes(sight)
    assert sight.visible["sensor_bias"] < whole.visible["sensor_bias"]
    best = sight.mends[0]
    assert {county.point_by_id[p].no for p in best.points} <= {
        *dead.tolist(),
        *np.flatnonzero(~np.isfinite(value)),
    }
    mended = value.copy()
    for p in best.points:
        mended[county.point_by_id[p].no] = measure(county)[county.point_by_id[p].no]
    assert sum(look(county, mended).visible.values()) > sum(sight.visible.values())


@pytest.mark.parametrize(
    "pair", [("S02/p1_ts", "S02/p1_tr"), ("S03/p1_ps", "S03/p1_pr"), ("SRC1/src_ts", "SRC1/src_tr")]
)
def test_swapped_meters_are_named_and_reckoned_the_right_way_round(pair: tuple[str, str]) -> None:
    county = make_tiny_county()
    value = measure(county)
    a, b = (county.point_by_id[p].no for p in pair)
    clean = compare_network(
        compile_network(county.network), county.network, compile_points(county), Snapshot(0.0, value)
    )
    value[a], value[b] = value[b], value[a]
    sight = look(county, value)
    assert [x.place for x in sight.limits if x.code == "crossed"] == [pair[0]]
    crossed = compare_network(
        compile_network(county.network), county.network, compile_points(county), Snapshot(0.0, value)
    )
    np.testing.assert_allclose(crossed.state.t_supply_c, clean.state.t_supply_c, atol=0.2)


def test_a_wrong_diameter_is_named_with_its_factor() -> None:
    built = make_tiny_county()
    pipes = tuple(
        replace(p, diameter_m=0.5 * p.diameter_m) if p.id == "P01-S" else p for p in built.network.pipes
    )
    surveyed = replace(built, network=replace(built.network, pipes=pipes))
    found = [x for x in look(surveyed, measure(surveyed, built)).limits if x.code == "survey"]
    assert [x.place for x in found] == ["P01-S"]
    assert found[0].value == pytest.approx(2.0, rel=0.3)


def test_one_station_alone_says_that_nothing_can_be_compared() -> None:
    whole = make_tiny_county()
    n = whole.network
    only = next(s for s in n.substations if s.id == "S02")
    county = replace(
        whole,
        network=replace(n, substations=(only,)),
        buildings=tuple(b for b in whole.buildings if b.substation_id == "S02"),
    )
    value = measure(county)
    sight = look(county, value)
    assert "one_station" in codes(sight)
    assert np.isfinite(sight.least_leak)
    own = sum(p.length_m for p in county.network.pipes if p.side == "supply")
    assert sight.zone_m > 0.5 * own, "seen, but nobody can say where along the way"
    value[county.point_by_id["S02/p1_ts"].no] = np.nan
    worse = look(county, value)
    assert worse.visible["fouling"] == 0.0
    assert "S02/p1_ts" in worse.mends[0].points
