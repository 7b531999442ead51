"""Villages along the valley and up the side valleys: courtyard houses on a lane."""

import numpy as np
from shapely import affinity
from shapely.geometry import LineString, Polygon, box

from ingest.demo.county.blocks import House
from ingest.demo.county.land import EAST, WEST, Land
from ingest.demo.county.plan import EAST_END, WEST_END, Plan, Point


def village_centres(plan: Plan, rng: np.random.Generator, n: int) -> list[Point]:
    """Places for ``n`` villages: both sides of the valley floor, outside the town."""
    land: Land = plan.land
    out: list[Point] = []
    spots = np.concatenate(
        [
            np.linspace(WEST + 900, WEST_END - 1500, n // 2),
            np.linspace(EAST_END + 1100, EAST - 700, n - n // 2),
        ]
    )
    for j, x in enumerate(spots):
        across = (780.0 if j % 2 else -900.0) + rng.uniform(-130, 260)
        out.append((float(x + rng.uniform(-160, 160)), float(land.valley_y(x) + across)))
    south = [(-2600.0, -1080.0), (-700.0, -1150.0), (1500.0, -1100.0), (3000.0, -1040.0)]
    for m, (x, dy) in enumerate(south):
        out[m * 5 + 2] = (x, float(land.valley_y(x) + dy))
    return out


def build_village(
    number: int, centre: Point, rng: np.random.Generator, blocked: Polygon
) -> tuple[list[House], list[Point]]:
    """Houses and the lane of one village."""
    x, y = centre
    angle = float(rng.uniform(-25, 25))
    n = int(rng.integers(26, 42))
    length = n * 15.0
    bend = rng.uniform(-40, 40)
    lane = [(x - length / 2, y), (x, y + bend), (x + length / 2, y)]
    line = affinity.rotate(LineString(lane), angle, origin=(x, y))
    houses: list[House] = []
    used: list[Polygon] = []
    for step in range(n):
        at = line.interpolate(8.0 + step * (line.length - 16.0) / n)
        ahead = line.interpolate(9.0 + step * (line.length - 16.0) / n)
        heading = float(np.degrees(np.arctan2(ahead.y - at.y, ahead.x - at.x)))
        for side in (1, -1):
            for depth in (19.0, 42.0):
                if rng.random() < (0.12 if depth < 20 else 0.5):
                    continue
                w, d = rng.uniform(10.5, 13.0), rng.uniform(8.0, 11.0)
                shape = affinity.rotate(
                    box(at.x - w / 2, at.y + side * depth - d / 2, at.x + w / 2, at.y + side * depth + d / 2),
                    heading, origin=(at.x, at.y),
                )  # fmt: skip
                if blocked.intersects(shape) or any(shape.distance(o) < 1.2 for o in used[-14:]):
                    continue
                used.append(shape)
                floors = int(rng.choice([1, 1, 1, 2]))
                ring = [(float(a), float(b)) for a, b in shape.exterior.coords[:-1]]
                houses.append(
                    House(
                        ring,
                        "village",
                        floors,
                        3.1 * floors + 1.1,
                        int(rng.integers(1978, 2020)),
                        False,
                        (-1, number),
                    )
                )
    return houses, [(float(a), float(b)) for a, b in line.coords]
