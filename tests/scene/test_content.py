from dataclasses import replace

import numpy as np
import pytest

from app.scene import content
from app.scene.assets import SceneAssets
from app.scene.ground import PICTURE_PX, paint_ground
from app.scene.palette import DARK, PALETTES, Palette
from twin.model.county import County
from twin.model.network import Side


def _area2(ring: np.ndarray) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1]))


def test_every_pipe_of_a_side_is_drawn_once(county: County, assets: SceneAssets) -> None:
    for side in Side:
        lines = content.make_pipes(county, assets.frame, assets.mesh, side)
        expected = {i for i, p in enumerate(county.network.pipes) if p.side is side}
        assert set(lines.row.tolist()) == expected
        assert lines.starts[-1] == len(lines.vertices) == len(lines.width_m)


def test_pipes_run_from_their_first_node_to_their_last(county: County, assets: SceneAssets) -> None:
    lines = content.make_pipes(county, assets.frame, assets.mesh, Side.SUPPLY)
    nodes = {n.id: assets.frame.path_to_local([(n.lon, n.lat)])[0] for n in county.network.nodes}
    for k, row in enumerate(lines.row):
        pipe = county.network.pipes[int(row)]
        line = lines.vertices[lines.starts[k] : lines.starts[k + 1]]
        assert line[0, :2] == pytest.approx(nodes[pipe.from_node], abs=0.1)
        assert line[-1, :2] == pytest.approx(nodes[pipe.to_node], abs=0.1)


def test_buildings_stand_in_the_ground_and_reach_their_roof(county: County, assets: SceneAssets) -> None:
    polygons = content.make_buildings(county, assets.frame, assets.mesh)
    assert len(polygons.row) == len(county.buildings)
    for k, row in enumerate(polygons.row):
        ring = polygons.vertices[polygons.starts[k] : polygons.starts[k + 1]]
        ground = assets.mesh.height_at(ring[:, :2].astype(float))
        assert ring[:, 2].max() < ground.min()
        top = ring[0, 2] + polygons.elevation_m[polygons.starts[k]]
        assert top - ground.mean() == pytest.approx(county.buildings[int(row)].height_m, abs=0.2)


def test_rings_are_closed_and_clockwise_whatever_the_input(county: County, assets: SceneAssets) -> None:
    turned = tuple(replace(b, footprint=b.footprint[::-1]) for b in county.buildings)
    for rows in (county.buildings, turned):
        polygons = content.make_buildings(replace(county, buildings=rows), assets.frame, assets.mesh)
        for start, end in zip(polygons.starts[:-1], polygons.starts[1:], strict=True):
            ring = polygons.vertices[start:end]
            assert ring[0].tolist() == ring[-1].tolist()
            assert _area2(ring[:, :2]) < 0.0


def test_shadows_fall_away_from_the_sun(county: County, assets: SceneAssets) -> None:
    one = replace(county, buildings=county.buildings[:1])
    shadow = content.make_shadows(one, assets.frame, assets.mesh).vertices[:, :2].mean(axis=0)
    foot = assets.frame.path_to_local(one.buildings[0].footprint[:-1]).mean(axis=0)
    assert np.dot(shadow - foot, content.sun_direction()[:2]) < 0.0


def test_places_carry_their_points(county: County, assets: SceneAssets) -> None:
    rows = {p["id"]: p for p in assets.places}
    assert set(rows) == {s.id for s in (*county.network.sources, *county.network.substations)}
    assert rows["S01"]["points"]["p1_ts"] == county.point_by_id["S01/p1_ts"].no
    assert rows["SRC1"]["points"]["src_ts"] == county.point_by_id["SRC1/src_ts"].no


def test_a_county_without_buildings_or_network_still_has_a_scene(county: County) -> None:
    from app.scene.assets import SceneLibrary
    from app.scene.spec import make_spec
    from twin.model.network import HeatNetwork

    bare = replace(county, buildings=(), features=(), network=HeatNetwork((), ()), points=(), devices=())
    spec = make_spec(SceneLibrary(bare), "zh", "dark", "heating")
    assert spec["scene"]["counts"] == {"nodes": 0, "pipes": 0}
    assert {layer["id"]: layer["data"] for layer in spec["layers"]}["buildings"]["length"] == 0


def test_the_ground_picture_fits_the_mesh_and_shows_the_bed_of_the_river(
    county: County, assets: SceneAssets
) -> None:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(paint_ground(county, assets.frame, assets.mesh, DARK))) as image:
        pixels = np.asarray(image.convert("RGB"), float)
    west, south, east, north = assets.mesh.extent_m
    rows, width = pixels.shape[:2]
    assert max(rows, width) == PICTURE_PX
    assert width / rows == pytest.approx((east - west) / (north - south), rel=0.01)
    river = next(f for f in county.features if f.layer == "river")
    x, y = assets.frame.path_to_local(river.path)[1]
    pixel = pixels[round((north - y) / (north - south) * rows), round((x - west) / (east - west) * width)]
    assert pixel == pytest.approx(0.8 * np.array(DARK.land["gravel"]), abs=16.0), "its bed; water is a layer"
    assert pixels[0, 0] == pytest.approx(np.array(DARK.background), abs=6.0)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))
def test_ramps_rise_or_fall_evenly_in_lightness(palette: Palette) -> None:
    for ramp in (palette.supply, palette.back):
        linear = (np.array(ramp) / 255.0) ** 2.2 @ np.array([0.2126, 0.7152, 0.0722])
        lightness = 116.0 * np.cbrt(linear) - 16.0
        steps = np.diff(lightness)
        assert (steps > 0).all() or (steps < 0).all()
        assert np.abs(steps).max() < 2.2 * np.abs(steps).min()


@pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))
def test_supply_is_warm_and_return_is_cool(palette: Palette) -> None:
    assert all(r > b + 20 for r, _, b in palette.supply)
    assert all(b > r + 20 for r, _, b in palette.back)


def test_neither_edge_of_a_street_lies_in_the_slope(county: County, assets: SceneAssets) -> None:
    lines = content.make_roads(county, assets.frame, assets.mesh)
    for k in range(len(lines.row)):
        at = slice(int(lines.starts[k]), int(lines.starts[k + 1]))
        line, half = lines.vertices[at].astype(float), lines.width_m[at][0] / 2
        way = np.gradient(line[:, :2], axis=0)
        side = np.column_stack([-way[:, 1], way[:, 0]]) / np.hypot(way[:, 0], way[:, 1])[:, None] * half
        for edge in (line[:, :2] + side, line[:, :2] - side):
            assert (line[:, 2] > assets.mesh.height_at(edge)).all()
