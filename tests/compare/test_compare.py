"""The comparison on the tiny county: a state solved with known values is measured and simulated again."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.support.tiny import make_tiny_county
from twin.compare import Comparison, PointBook, Snapshot, compare_network, compile_points, make_snapshot
from twin.compare.virtual import estimate_primary_flow, estimate_source_temperature
from twin.heat import CompiledNetwork, compile_network
from twin.heat.water import density_kg_m3
from twin.model.county import County
from twin.model.readings import Quality

NOW = 1_800_000_000.0


@dataclass
class Rig:
    county: County
    net: CompiledNetwork
    book: PointBook

    def compare(self, value: np.ndarray) -> Comparison:
        return compare_network(self.net, self.county.network, self.book, Snapshot(NOW, value))

    def no(self, point_id: str) -> int:
        return self.county.point_by_id[point_id].no

    def simulated(self, c: Comparison, point_id: str) -> float:
        found = c.value[c.point_no == self.no(point_id)]
        return float(found[0]) if found.size else float("nan")

    def z(self, c: Comparison, point_id: str) -> float:
        i = int(np.flatnonzero(c.point_no == self.no(point_id))[0])
        return float((c.measured[i] - c.value[i]) / c.sigma[i])


@pytest.fixture(scope="module")
def rig() -> Rig:
    county = make_tiny_county()
    return Rig(county, compile_network(county.network), compile_points(county))


@pytest.fixture
def measured(rig: Rig) -> np.ndarray:
    """Every simulated point measured without error, from one consistent state."""
    value = np.full(len(rig.county.points), np.nan)
    network = rig.county.network
    for s in network.sources:
        value[rig.no(f"{s.id}/src_ts")] = 95.0
        value[rig.no(f"{s.id}/src_ps")] = s.p_supply_pa
        value[rig.no(f"{s.id}/src_pr")] = s.p_return_pa
        value[rig.no(f"{s.id}/src_tr")] = 45.0
        if not s.holds_pressure:
            value[rig.no(f"{s.id}/src_flow")] = 0.0
    for s in network.substations:
        value[rig.no(f"{s.id}/p1_flow")] = 0.7 * s.design_flow_kg_s / density_kg_m3(np.array(45.0))
        value[rig.no(f"{s.id}/p1_tr")] = 45.0
        value[rig.no(f"{s.id}/s2_tr")] = 38.0
        value[rig.no(f"{s.id}/s2_flow")] = s.secondary_flow_kg_s / density_kg_m3(np.array(38.0))
    for _ in range(30):  # the return temperature sets the density of the metered flow: let both settle
        c = rig.compare(value)
        keep = np.isin(
            c.point_no, [p.no for p in rig.county.points if p.key in ("p1_flow", "src_ts")], invert=True
        )
        value[c.point_no[keep]] = c.value[keep]
    return value


def test_a_consistent_county_has_no_residuals(rig: Rig, measured: np.ndarray) -> None:
    c = rig.compare(measured)
    assert c.status == "ok"
    residual = (c.measured - c.value) / c.sigma
    assert np.nanmax(np.abs(residual)) < 0.05
    assert {rig.county.points[n].key for n in c.point_no} >= {
        "p1_ts",
        "p1_tr",
        "p1_ps",
        "p1_flow",
        "s2_ts",
        "src_flow",
    }


def test_a_biased_station_sensor_shows_at_its_own_point_only(rig: Rig, measured: np.ndarray) -> None:
    station = rig.county.network.substations[1].id
    measured[rig.no(f"{station}/p1_ts")] += 6.0
    c = rig.compare(measured)
    assert rig.z(c, f"{station}/p1_ts") > 4.0
    others = [s.id for s in rig.county.network.substations if s.id != station]
    assert all(abs(rig.z(c, f"{o}/p1_ts")) < 0.5 for o in others)


def test_a_biased_source_sensor_is_seen_although_it_drives_the_simulation(
    rig: Rig, measured: np.ndarray
) -> None:
    source = next(s.id for s in rig.county.network.sources if s.holds_pressure)
    measured[rig.no(f"{source}/src_ts")] += 6.0
    c = rig.compare(measured)
    assert rig.z(c, f"{source}/src_ts") < 2.0, "the water may have been cooler an hour ago: nobody knows yet"
    for i in range(1, 200):  # until what it began with has gone by
        s = Snapshot(NOW + 300.0 * i, measured)
        c = compare_network(rig.net, rig.county.network, rig.book, s, c.memory)
    assert rig.z(c, f"{source}/src_ts") > 4.0


def test_a_biased_flow_meter_is_seen_through_the_secondary_heat(rig: Rig, measured: np.ndarray) -> None:
    station = rig.county.network.substations[0].id
    measured[rig.no(f"{station}/p1_flow")] *= 1.4
    c = rig.compare(measured)
    assert rig.z(c, f"{station}/p1_flow") > 4.0


def test_a_silent_flow_meter_is_stood_in_and_named(rig: Rig, measured: np.ndarray) -> None:
    station = rig.county.network.substations[2].id
    measured[rig.no(f"{station}/p1_flow")] = np.nan
    c = rig.compare(measured)
    assert c.status == f"assumed:{station}/p1_flow"
    assert np.isfinite(rig.simulated(c, f"{station}/p1_ts"))
    share = c.boundary.flow_kg_s[2] / rig.county.network.substations[2].design_flow_kg_s
    assert share == pytest.approx(0.7, abs=0.03)


def test_a_silent_source_thermometer_is_stood_in_from_the_stations(rig: Rig, measured: np.ndarray) -> None:
    holder = next(s.id for s in rig.county.network.sources if s.holds_pressure)
    measured[rig.no(f"{holder}/src_ts")] = np.nan
    c = rig.compare(measured)
    assert f"{holder}/src_ts" in c.status
    assert c.boundary.t_source_c[0] == pytest.approx(95.0, abs=2.0)


def test_a_station_without_flow_has_no_simulated_temperature(rig: Rig, measured: np.ndarray) -> None:
    station = rig.county.network.substations[0].id
    measured[rig.no(f"{station}/p1_flow")] = 0.0
    c = rig.compare(measured)
    assert np.isnan(rig.simulated(c, f"{station}/p1_tr"))
    assert np.isfinite(rig.simulated(c, f"{station}/p1_ps"))


def test_a_snapshot_leaves_out_stale_bad_and_unknown_rows() -> None:
    points = make_tiny_county().points
    no = np.array([0, 1, 2, 3, len(points) + 7])
    t = np.array([NOW - 5, NOW - 90_000, NOW - 5, NOW - 5, NOW])
    value = np.array([1.0, 2.0, 3.0, np.nan, 5.0])
    quality = np.array([Quality.GOOD, Quality.GOOD, Quality.OUT_OF_RANGE, Quality.GOOD, Quality.GOOD])
    s = make_snapshot(points, NOW, no, t, value, quality)
    assert np.flatnonzero(np.isfinite(s.value)).tolist() == [0]
    assert s.value[0] == 1.0


def test_a_county_without_any_measurement_still_names_everything_assumed(rig: Rig) -> None:
    c = rig.compare(np.full(len(rig.county.points), np.nan))
    assert c.status.startswith("assumed:")
    assert c.status.count("p1_flow") == len(rig.county.network.substations)


def test_virtual_meters_say_nothing_rather_than_guess() -> None:
    none = np.full(3, np.nan)
    assert np.isnan(estimate_source_temperature(np.array([95.0]), none, none, 6.0)).all()
    flat = estimate_primary_flow(np.array([1e6]), np.array([50.0]), np.array([49.0]), np.array([4190.0]))
    assert np.isnan(flat).all()


def test_points_missing_from_the_county_are_left_out() -> None:
    county = make_tiny_county()
    kept = [p for p in county.points if p.key != "s2_flow"]
    county = replace(county, points=tuple(replace(p, no=i) for i, p in enumerate(kept)))
    rig = Rig(county, compile_network(county.network), compile_points(county))
    c = rig.compare(np.full(len(county.points), np.nan))
    assert c.point_no.max() < len(county.points)
    assert "s2_flow" in c.status


def test_where_two_waters_meet_a_simulated_temperature_is_less_sure() -> None:
    from twin.compare import find_near, spread_near

    network = make_tiny_county().network
    near = find_near(network)
    t = np.full(len(network.nodes), 90.0)
    assert np.all(spread_near(t, near) == 0.0)
    station = network.node_index[network.substations[0].node_id]
    beside = next(int(k) for k in near[0] if k != station)
    t[beside] = 80.0
    assert spread_near(t, near)[0] == 10.0
    t[beside] = np.nan
    assert spread_near(t, near)[0] == 0.0
