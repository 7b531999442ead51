"""Plain features: roads, river, land use, car parks, junctions, gauges, cameras, squares."""

from collections.abc import Callable

import numpy as np

from ingest.demo.county import names
from ingest.demo.county.frame import Frame
from ingest.demo.county.land import EAST, RIVER_WIDTH_M, WEST, Land
from ingest.demo.county.plan import AVENUE_NAMES, CROSS, CROSS_NAMES, Plan, Point
from twin.model.county import Feature

Road = tuple[str, list[Point], float, str]
"""(name, line, width m, class)."""
Add = Callable[..., None]


def make_features(
    plan: Plan, land: Land, frame: Frame, roads: list[Road], lanes: list[list[Point]], centres: list[Point],
    rng: np.random.Generator,
) -> list[Feature]:  # fmt: skip
    """Every feature of the county that is not a building or a pipe."""
    out: list[Feature] = []

    def add(fid: str, layer: str, name: str, shape: str, path: list[Point], **props: str | float) -> None:
        out.append(Feature(fid, layer, name, shape, frame.path(path), dict(props)))

    for n, (name, line, width, kind) in enumerate(roads, 1):
        add(f"RD{n:03d}", "road", name, "line", line, width_m=width, **{"class": kind})
    for n, lane in enumerate(lanes, 1):
        add(
            f"LN{n:03d}",
            "road",
            f"{names.VILLAGES[n - 1][0]}村道",
            "line",
            lane,
            width_m=5.0,
            **{"class": "lane"},
        )
    xs = np.linspace(WEST, EAST, 260)
    line = [(float(x), float(land.river_y(x))) for x in xs]
    half = RIVER_WIDTH_M / 2
    bank = [(x, y + half) for x, y in line] + [(x, y - half) for x, y in reversed(line)]
    add("RIV1", "river", "渭川河", "polygon", [*bank, bank[0]], width_m=RIVER_WIDTH_M)
    add("RIV1C", "river", "渭川河中线", "line", line, width_m=RIVER_WIDTH_M)
    _land_use(plan, land, add, rng)
    for n in range(24):
        x, y = plan.corner(2 + (n * 7) % 17, n % 4)
        add(f"PK{n + 1:02d}", "carpark", f"{CROSS_NAMES[2 + (n * 7) % 17]}停车场", "polygon",
            _rect(x + 46, y + (40 if n % 4 < 3 else -40), 42, 26), capacity=float(rng.integers(40, 320)))  # fmt: skip
    crossings = [(i, k) for i in range(CROSS) for k in range(4)]
    for n, (i, k) in enumerate(crossings[:: len(crossings) // 60][:60]):
        add(
            f"JN{n + 1:02d}",
            "junction",
            f"{CROSS_NAMES[i]}与{AVENUE_NAMES[k]}路口",
            "point",
            [plan.corner(i, k)],
            arms=4.0,
        )
    for n, (gauge_x, name) in enumerate(
        ((-10200, "上游水文站"), (-4600, "城西水位站"), (900, "城区水位站"), (6900, "下游水文站"))
    ):
        add(
            f"RG{n + 1}",
            "river_gauge",
            name,
            "point",
            [(float(gauge_x), float(land.river_y(gauge_x)))],
            warning_m=2.6,
            danger_m=3.2,
        )
    for n in range(120):
        i, k = n % CROSS, (n // CROSS) % 4
        x, y = plan.corner(i, k)
        add(f"CAM{n + 1:03d}", "camera", f"{CROSS_NAMES[i]}{AVENUE_NAMES[k]}{n // 84 + 1}号机", "point",
            [(x + 9 + n % 5, y + 8)], azimuth_deg=float((n * 47) % 360))  # fmt: skip
    ring = plan.block_ring(10, 1, 12.0)
    add("SQ1", "square", "人民广场", "polygon", [*ring, ring[0]])
    ring = plan.block_ring(19, 0, 60.0)
    add("SQ2", "square", "客运站广场", "polygon", [*ring, ring[0]])
    add("WX1", "weather_station", "县气象站", "point", [plan.corner(12, 3)])
    return out


def _rect(x: float, y: float, w: float, d: float) -> list[Point]:
    a, b = w / 2, d / 2
    return [(x - a, y - b), (x + a, y - b), (x + a, y + b), (x - a, y + b), (x - a, y - b)]


def _land_use(plan: Plan, land: Land, add: Add, rng: np.random.Generator) -> None:
    """Blocks by use; fields and orchards as strips of the valley floor outside the town."""
    use_of = {"park": "park", "industry": "industrial", "school": "playground", "stadium": "sports"}
    no = 0
    for (i, k), use in sorted(plan.uses.items()):
        ring = plan.block_ring(i, k)
        no += 1
        name = {"park": "滨河公园" if k == 0 else "人民公园", "school": f"第{no % 7 + 1}中学"}.get(use, "")
        add(
            f"LU{no:03d}",
            "landuse",
            name or "街区",
            "polygon",
            [*ring, ring[0]],
            use=use_of.get(use, "residential"),
        )
    west = np.arange(WEST + 120, plan.corner(0, 0)[0] - 340, 190.0)
    east = np.arange(plan.corner(CROSS - 1, 0)[0] + 420, EAST - 320, 190.0)
    for at in [*west, *east, *np.arange(-3700.0, 3900.0, 210.0)]:
        x = float(at)
        in_town = plan.corner(0, 0)[0] - 340 < x < plan.corner(CROSS - 1, 0)[0] + 400
        y = float(land.river_y(x)) - 100.0
        bottom = float(land.valley_y(x)) - 1250.0
        while y - 120 > bottom:
            no = _field(no, x, y, -1, add, rng)
            y -= float(rng.uniform(105, 170))
        if in_town:
            continue
        y = float(land.river_y(x)) + 95.0
        top = float(land.valley_y(x)) + 1350.0
        while y + 120 < top:
            no = _field(no, x, y, 1, add, rng)
            y += float(rng.uniform(105, 170))


def _field(no: int, x: float, y: float, side: int, add: Add, rng: np.random.Generator) -> int:
    d, w, lean = rng.uniform(84, 118), rng.uniform(150, 178), rng.uniform(-14, 14)
    ring = [(x, y), (x + w, y + lean), (x + w + lean, y + lean + side * d), (x + lean, y + side * d), (x, y)]
    use = "orchard" if rng.random() < 0.22 else "field"
    add(f"LU{no + 1:03d}", "landuse", "果园" if use == "orchard" else "农田", "polygon", ring, use=use)
    return no + 1
