"""Every check must be able to fail: one broken county per code."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support.tiny import make_tiny_county, to_lonlat
from twin.model.check import CheckLimits, check_county
from twin.model.check_table import UNIT_CARRIES
from twin.model.county import County
from twin.model.findings import CODES, make_finding, split_findings
from twin.model.network import Side
from twin.model.quantities import QUANTITIES, VENDOR_UNITS

Change = Callable[[County], County]
NAN = float("nan")


def put(table: str, row: int | None = 0, **values: Any) -> Change:
    """Change one row of a table (every row for None)."""

    def change(county: County) -> County:
        holder = county if hasattr(county, table) else county.network
        rows = list(getattr(holder, table))
        for n in range(len(rows)) if row is None else [row]:
            rows[n] = replace(rows[n], **values)
        return set_table(county, table, rows)

    return change


def set_table(county: County, table: str, rows: list[Any]) -> County:
    if hasattr(county, table):
        return replace(county, **{table: tuple(rows)})
    return replace(county, network=replace(county.network, **{table: tuple(rows)}))


def drop(table: str, keep: Callable[[Any], bool]) -> Change:
    def change(county: County) -> County:
        holder = county if hasattr(county, table) else county.network
        return set_table(county, table, [r for r in getattr(holder, table) if keep(r)])

    return change


def meta(**values: Any) -> Change:
    return lambda county: replace(county, meta=replace(county.meta, **values))


def terrain(**values: Any) -> Change:
    return lambda county: replace(county, terrain=replace(county.terrain, **values))


def with_lonely_node(county: County) -> County:
    n = county.network
    extra = replace(n.nodes[1], id="NX")
    return set_table(county, "nodes", [*n.nodes, extra])


HERE = make_tiny_county()
FAR = (110.0, 35.58)
RING = HERE.buildings[0].footprint

# code: (what breaks it, layer, id)
CASES: dict[str, tuple[Change, str, str]] = {
    "no_id": (put("valves", id=" "), "valves", "row 0"),
    "duplicate_id": (put("nodes", 3, id="N01"), "nodes", "N01"),
    "bad_text": (put("substations", name="东\x00关"), "substations", "S01"),
    "not_finite": (put("pipes", zeta=NAN), "pipes", "P01-S"),
    "out_of_range": (put("pipes", diameter_m=260.0), "pipes", "P01-S"),
    "unknown_word": (put("devices", dialect="modbus"), "devices", "D-S01"),
    "far_away": (put("valves", lon=FAR[0]), "valves", "V01"),
    "wrong_order": (put("sources", p_supply_pa=2.0e5), "sources", "SRC1"),
    "bad_shape": (put("buildings", footprint=RING[:2]), "buildings", "B01"),
    "ring_open": (put("buildings", footprint=RING[:-1]), "buildings", "B01"),
    "no_geometry": (put("buildings", footprint=()), "buildings", "B01"),
    "unknown_parent": (put("places", 1, parent_id="X"), "places", "T01"),
    "wrong_parent": (put("places", 2, parent_id="620999"), "places", "C01"),
    "no_root": (put("places", 0, kind="township", parent_id="T01"), "places", ""),
    "place_cycle": (put("places", 1, parent_id="T01"), "places", "T01"),
    "unknown_node": (put("pipes", to_node="X"), "pipes", "P01-S"),
    "unknown_pipe": (put("valves", pipe_id="X"), "valves", "V01"),
    "unknown_place": (put("pumps", place_id="X"), "pumps", "SRC1-P1"),
    "unknown_substation": (put("buildings", substation_id="X"), "buildings", "B01"),
    "unknown_device": (put("points", device_id="X"), "points", "S01/p1_ts"),
    "zero_length": (put("pipes", path=(HERE.network.pipes[0].path[0],) * 2), "pipes", "P01-S"),
    "same_ends": (put("pipes", to_node="NSRC1"), "pipes", "P01-S"),
    "ends_apart": (put("nodes", 1, lon=to_lonlat(-198.0, 0.0)[0]), "pipes", "P01-S"),
    "length_differs": (put("pipes", length_m=900.0), "pipes", "P01-S"),
    "pair_incomplete": (drop("pipes", lambda p: p.id != "P03-R"), "pipes", "P03-S"),
    "pair_differs": (put("pipes", 1, from_node="N02"), "pipes", "P01-R"),
    "island": (
        drop("pipes", lambda p: p.pair_id != "P13" or p.side is Side.SUPPLY), "nodes", "NS04"
    ),
    "lonely_node": (with_lonely_node, "nodes", "NX"),
    "no_source": (drop("sources", lambda s: False), "sources", ""),
    "no_pressure": (put("sources", holds_pressure=False), "sources", ""),
    "valve_off_pipe": (put("valves", lon=to_lonlat(-150.0, 0.0)[0]), "valves", "V01"),
    "height_differs": (put("nodes", elevation_m=1700.0), "nodes", "NSRC1"),
    "bad_curve": (put("substations", curve=((0.0, 40.0), (-5.0, 50.0))), "substations", "S01"),
    "no_buildings": (drop("buildings", lambda b: b.substation_id != "S02"), "substations", "S02"),
    "area_differs": (put("substations", area_m2=90000.0), "substations", "S01"),
    "heated_without_substation": (put("buildings", substation_id=""), "buildings", "B01"),
    "unknown_quantity": (put("points", quantity="warmth"), "points", "S01/p1_ts"),
    "unknown_unit": (put("points", unit="furlong"), "points", "S01/p1_ts"),
    "unit_misfit": (put("points", unit="MPa"), "points", "S01/p1_ts"),
    "unknown_key": (put("points", key="p1_zz", id="S01/p1_zz"), "points", "S01/p1_zz"),
    "quantity_differs": (put("points", quantity="pressure", unit="MPa"), "points", "S01/p1_ts"),
    "point_no": (put("points", no=7), "points", "S01/p1_ts"),
    "point_id": (put("points", id="S01-p1_ts"), "points", "S01-p1_ts"),
    "duplicate_external": (put("points", external_key="P1_TR"), "points", "S01/p1_tr"),
    "small_terrain": (terrain(height_m=np.zeros((1, 5))), "terrain", ""),
    "bad_meta": (meta(season_start="1 Nov"), "county", "620999"),
}  # fmt: skip

# codes that only files and imports give; tests/county/test_files.py and test_import*.py break each
FILE_CODES = {
    "missing_layer", "missing_column", "wrong_type", "empty_layer", "unreadable", "unmapped_value",
    "missing_source_column", "no_crs", "no_node_near", "parts_dropped", "holes_dropped", "shifted_position",
    "unsure_position", "rough_transform", "no_heights",
}  # fmt: skip


def test_the_tiny_county_has_no_findings() -> None:
    assert check_county(HERE) == ()


@pytest.mark.parametrize("code", CASES)
def test_the_broken_feature_is_found(code: str) -> None:
    change, layer, feature_id = CASES[code]
    found = [f for f in check_county(change(HERE)) if f.code == code]
    assert (layer, feature_id) in {(f.layer, f.id) for f in found}


def test_every_code_has_a_case_that_triggers_it() -> None:
    assert set(CASES) | FILE_CODES == set(CODES)


@pytest.mark.parametrize("code", CASES)
def test_reasons_are_complete_sentences_in_both_languages(code: str) -> None:
    change, _, _ = CASES[code]
    found = next(f for f in check_county(change(HERE)) if f.code == code)
    for lang in ("zh", "en"):
        assert "{" not in found.reason(lang)
    assert any("\u4e00" <= c <= "\u9fff" for c in found.reason("zh"))
    assert found.reason("en").isascii() or "²" in found.reason("en") or "°" in found.reason("en")


def test_a_reason_names_the_numbers() -> None:
    change, _, _ = CASES["out_of_range"]
    found = next(f for f in check_county(change(HERE)) if f.code == "out_of_range")
    assert found.line() == "pipes, P01-S: diameter_m = 260 m, must lie in 0.01 to 2 [out_of_range]"


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ("nodes", "lon"),
        ("nodes", "elevation_m"),
        ("buildings", "ua_w_k"),
        ("points", "period_s"),
        ("pipes", "length_m"),
    ],
)
@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_nan_and_infinity_are_errors_anywhere(table: str, field: str, value: float) -> None:
    errors, _ = split_findings(check_county(put(table, **{field: value})(HERE)))
    assert any(f.code == "not_finite" and f.layer == table for f in errors)


def test_nan_in_a_pipe_line_and_in_terrain_is_found() -> None:
    path = ((NAN, 35.58), HERE.network.pipes[0].path[1])
    assert any(f.code == "not_finite" for f in check_county(put("pipes", path=path)(HERE)))
    height = HERE.terrain.height_m.copy()
    height[2, 3] = NAN
    found = check_county(terrain(height_m=height)(HERE))
    assert [(f.layer, f.id, f.code) for f in found] == [("terrain", "2,3", "out_of_range")]


def test_nan_in_properties_is_found() -> None:
    found = check_county(put("features", props={"width_m": NAN})(HERE))
    assert [(f.code, f.id) for f in found] == [("not_finite", "R1")]


def test_tolerances_can_be_widened() -> None:
    broken = CASES["ends_apart"][0](HERE)
    assert any(f.code == "ends_apart" for f in check_county(broken))
    assert not any(f.code == "ends_apart" for f in check_county(broken, CheckLimits(end_m=3.0)))


def test_a_shut_valve_does_not_make_an_island() -> None:
    assert check_county(put("valves", None, opening=0.0)(HERE)) == ()


def test_a_room_of_a_building_is_a_known_place() -> None:
    point = next(p for p in HERE.points if p.key == "room_t")
    room = put("points", point.no, place_id="B01:302", id="B01:302/room_t")(HERE)
    assert check_county(room) == ()


def test_every_vendor_unit_has_a_rule_and_every_rule_a_quantity() -> None:
    assert set(UNIT_CARRIES) == set(VENDOR_UNITS)
    assert {q for row in UNIT_CARRIES.values() for q in row} <= set(QUANTITIES)


def test_all_faults_are_told_at_once() -> None:
    broken = HERE
    for code in ("out_of_range", "unknown_pipe", "unknown_substation", "bad_meta"):
        broken = CASES[code][0](broken)
    assert {f.code for f in check_county(broken)} >= {
        "out_of_range",
        "unknown_pipe",
        "unknown_substation",
        "bad_meta",
    }


def test_file_codes_render_in_both_languages() -> None:
    names = ("file", "column", "has", "hint", "end", "limit", "distance", "parts", "holes", "crs", "own")
    values = dict.fromkeys((*names, "mended", "metres", "why", "value", "expected"), "x")
    for code in FILE_CODES:
        for lang in ("zh", "en"):
            assert make_finding("pipes", "P1", code, **values).reason(lang)
