import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scene.frame import GroundMesh, LocalFrame, densify, make_frame, make_mesh
from twin.model.county import County

FRAME = LocalFrame((103.62, 35.58), 1850.0)
METRES = st.floats(-15_000.0, 15_000.0)


def test_the_origin_is_zero() -> None:
    assert FRAME.to_local(np.array([103.62]), np.array([35.58])) == pytest.approx(np.zeros((1, 2)), abs=1e-6)


@given(METRES, METRES)
def test_degrees_and_metres_are_inverse(x: float, y: float) -> None:
    assert FRAME.path_to_local([FRAME.to_degrees(x, y)])[0] == pytest.approx([x, y], abs=1e-3)


def test_metres_agree_with_the_ellipsoid_within_half_a_percent() -> None:
    north = FRAME.path_to_local([(103.62, 35.67)])[0]
    east = FRAME.path_to_local([(103.73, 35.58)])[0]
    assert north == pytest.approx([0.0, 9_986.0], abs=50.0)  # geodesic on WGS 84
    assert east[0] == pytest.approx(9_963.0, abs=50.0)


def test_the_mesh_lies_on_the_terrain(county: County) -> None:
    frame = make_frame(county)
    mesh = make_mesh(county, frame)
    places = [(n.lon, n.lat) for n in county.network.nodes]
    drawn = mesh.height_at(frame.path_to_local(places)) + frame.datum_m
    true = county.terrain.height_at(*np.array(places).T)
    assert drawn == pytest.approx(true, abs=0.05)


def test_height_follows_the_two_triangles_of_a_cell() -> None:
    mesh = GroundMesh(0.0, 0.0, 10.0, 10.0, np.array([[0.0, 1.0], [2.0, 9.0]]))
    xy = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [9.999, 9.999], [5.0, 5.0], [2.5, 2.5], [7.5, 7.5]])
    assert mesh.height_at(xy) == pytest.approx([0.0, 1.0, 2.0, 9.0, 1.5, 0.75, 5.25], abs=0.01)


def test_outside_the_mesh_takes_the_edge() -> None:
    mesh = GroundMesh(0.0, 0.0, 10.0, 10.0, np.array([[0.0, 1.0], [2.0, 9.0]]))
    assert mesh.height_at(np.array([[-500.0, -500.0]])) == pytest.approx([0.0])


def test_draped_lines_never_sink(county: County) -> None:
    mesh = make_mesh(county, make_frame(county))
    west, south, east, north = mesh.extent_m
    line = mesh.drape(np.array([[west, south], [east, north]]), lift_m=2.0)
    fine = densify(line, 1.0)
    assert (fine[:, 2] - mesh.height_at(fine[:, :2]) > 1.0).all()


def test_densify_keeps_ends_and_bounds_the_step() -> None:
    line = np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 7.0]])
    dense = densify(line, 9.0)
    assert dense[0] == pytest.approx(line[0])
    assert dense[-1] == pytest.approx(line[-1])
    assert np.hypot(*np.diff(dense, axis=0).T).max() <= 9.0
