"""The demo county looks like a place: relief, river, streets, quarters, years; for more than one seed."""

import re
from collections import Counter

import numpy as np
import pytest
from shapely.geometry import LineString, Point, Polygon

from ingest.demo.county import generate_county
from ingest.demo.county.frame import Frame
from twin.model.county import County
from twin.model.network import LonLat


@pytest.fixture(scope="module", params=[7, 3])
def county(request: pytest.FixtureRequest) -> County:
    return generate_county(request.param)


def metres(county: County, path: tuple[LonLat, ...]) -> np.ndarray:
    m, n = Frame(*county.meta.center)._radii()
    return np.radians(np.array(path) - county.meta.center) * [n, m]


def line_of(county: County, name: str) -> np.ndarray:
    return next(metres(county, f.path) for f in county.features if f.name == name)


def turning_deg(line: np.ndarray) -> float:
    step = np.diff(line, axis=0)
    turn = np.diff(np.unwrap(np.arctan2(step[:, 1], step[:, 0])))
    return float(np.degrees(np.abs(turn).sum()))


def test_another_seed_also_has_the_promised_numbers(county: County) -> None:
    heated = [b for b in county.buildings if b.heated]
    assert (len(county.buildings), len(heated), len(county.network.substations)) == (3500, 620, 28)
    assert 54 <= sum(p.length_m for p in county.network.pipes) / 2000 <= 66
    assert all(80_000 <= s.area_m2 <= 160_000 for s in county.network.substations)


def test_the_hills_are_cut_by_gullies_and_not_striped(county: County) -> None:
    z = county.terrain.height_m
    assert 300 <= np.ptp(z) <= 700
    dy, dx = np.gradient(z)
    hills = np.hypot(dx, dy) > 8.0
    assert 0.35 < np.abs(dx[hills]).mean() / np.abs(dy[hills]).mean() < 2.8
    rough = z - (np.roll(z, 3, 0) + np.roll(z, -3, 0) + np.roll(z, 3, 1) + np.roll(z, -3, 1)) / 4
    columns = rough[10:-10, 10:-10].mean(axis=0)
    assert columns.std() < 0.3 * rough[10:-10, 10:-10].std()  # stripes would survive the mean


def test_the_river_meanders_outside_the_town_and_runs_calm_along_it(county: County) -> None:
    line = line_of(county, "渭川河中线")
    far, town = line[line[:, 0] < -4000], line[np.abs(line[:, 0]) < 2000]
    assert turning_deg(far) > 500
    assert turning_deg(town) < 60


def test_the_main_streets_are_not_parallel(county: County) -> None:
    bearings = []
    for name in ("人民路", "文化路", "建设大道"):
        line = line_of(county, name)
        part = line[np.abs(line[:, 0]) < 900]
        step = np.diff(part, axis=0)
        bearings.append(np.degrees(np.arctan2(step[:, 1], step[:, 0])))
    assert max(b.mean() for b in bearings) - min(b.mean() for b in bearings) > 2.0
    assert all(np.ptp(b) > 2.0 for b in bearings)


def test_two_bridges_join_the_banks(county: County) -> None:
    river = Polygon(metres(county, next(f.path for f in county.features if f.id == "RIV1")))
    bridges = [f for f in county.features if f.layer == "road" and f.name.endswith("桥")]
    assert len(bridges) == 2
    for f in bridges:
        line = metres(county, f.path)
        assert LineString(line).crosses(river)


def test_slabs_stand_in_rows_that_face_south(county: County) -> None:
    turned = 0
    homes = [b for b in county.buildings if b.heated and b.use == "residence" and b.floors < 15]
    for b in homes:
        c = np.array(Polygon(metres(county, b.footprint)).minimum_rotated_rectangle.exterior.coords)
        a, d = c[1] - c[0], c[2] - c[1]
        long = a if np.hypot(*a) > np.hypot(*d) else d
        angle = np.degrees(np.arctan2(long[1], long[0])) % 180
        turned += min(angle, 180 - angle) > 18
    assert turned < 0.03 * len(homes)


def test_the_old_town_is_small_houses_on_winding_lanes(county: County) -> None:
    houses = [b for b in county.buildings if b.use == "old_town"]
    assert len(houses) > 400
    assert np.median([b.area_m2 / b.floors for b in houses]) < 200
    west = metres(county, tuple(b.footprint[0] for b in houses))
    lanes = [metres(county, f.path) for f in county.features if f.props.get("class") == "lane"]
    near = [
        lane
        for lane in lanes
        if len(lane) > 6 and np.hypot(*(west - lane.mean(axis=0)).T).min() < 40 and turning_deg(lane) > 0
    ]
    assert np.median([turning_deg(lane) for lane in near]) > 15


def test_what_a_county_has_is_there(county: County) -> None:
    use = Counter(str(f.props.get("use", f.props.get("class", f.layer))) for f in county.features)
    for kind in ("field", "orchard", "greenhouse", "terrace", "wood", "reservoir", "gravel", "park", "rail"):
        assert use[kind] >= 1, kind
    assert use["track"] >= 5
    assert use["field"] > 300
    kinds = Counter(b.use for b in county.buildings)
    assert kinds["village"] > 900 and kinds["school"] > 20 and kinds["hospital"] >= 4
    layers = Counter(f.layer for f in county.features)
    assert (layers["camera"], layers["junction"], layers["carpark"]) == (120, 60, 24)
    assert (layers["river_gauge"], layers["square"]) == (4, 2)


def test_no_pipe_is_older_than_the_network_nor_than_what_it_feeds_from(county: County) -> None:
    opened = min(p.year for p in county.network.pipes)
    assert opened == 2009
    ends = {s.node_id: s for s in county.network.substations}
    fed = {s: [b.year for b in county.buildings if b.substation_id == s.id] for s in ends.values()}
    for p in county.network.pipes:
        if p.to_node in ends:
            assert p.year >= np.median(fed[ends[p.to_node]])


def test_makers_call_a_measurement_by_names_of_their_own(county: County) -> None:
    devices = {d.id: d for d in county.devices}
    names: dict[str, set[str]] = {}
    for p in county.points:
        if p.key.startswith(("p1_", "s2_")):
            names.setdefault(p.key, set()).add(p.external_key)
            plain = re.sub(r"[^a-z0-9]", "", p.external_key.lower())
            assert plain != p.key.replace("_", ""), devices[p.device_id].dialect
    assert all(len(n) == 3 for n in names.values())


def test_every_building_has_a_door_plate_of_its_own_and_its_neighbours_the_next_numbers(
    county: County,
) -> None:
    plates = [b.address for b in county.buildings]
    assert all(re.fullmatch(r"\D+[1-9]\d*号", p) for p in plates)
    assert len(set(plates)) == len(plates)
    street = line_of(county, "人民路")
    side = LineString(street)
    rows = []
    for b in county.buildings:
        if b.address.startswith("人民路"):
            x, y = metres(county, b.footprint[:-1]).mean(axis=0)
            rows.append((int(b.address[3:-1]), side.project(Point(x, y)), side.distance(Point(x, y))))
    rows.sort()
    assert len(rows) > 20 and max(r[2] for r in rows) < 265
    for parity in (0, 1):
        along = [r[1] for r in rows if r[0] % 2 == parity]
        assert along == sorted(along) and len(along) > 5
