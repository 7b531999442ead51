"""Plain features: roads, river, land use, trees, car parks, junctions, gauges, cameras, squares."""

from collections import defaultdict

import numpy as np
from shapely.geometry import LineString, Polygon, box
from shapely.strtree import STRtree

from ingest.demo.county.blocks import Filling
from ingest.demo.county.fields import lay_fields, lay_slopes, tree_rows
from ingest.demo.county.frame import Frame
from ingest.demo.county.land import Land, Point
from ingest.demo.county.plan import Block
from ingest.demo.county.streets import Street
from twin.model.county import Feature

JUNCTIONS, CAMERAS, CAR_PARKS = 60, 120, 24


class Sheet:
    """Collects features and numbers them by kind."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.out: list[Feature] = []
        self.count: dict[str, int] = defaultdict(int)

    def add(
        self, prefix: str, layer: str, name: str, shape: str, path: list[Point], **props: str | float
    ) -> None:
        """A feature with the next number of ``prefix``."""
        self.count[prefix] += 1
        fid = f"{prefix}{self.count[prefix]:03d}"
        line = [*path, path[0]] if shape == "polygon" and path[0] != path[-1] else path
        self.out.append(Feature(fid, layer, name, shape, self.frame.path(line), dict(props)))

    def ground(self, use: str, name: str, shape: Polygon) -> None:
        """A piece of land use."""
        ring = [(float(x), float(y)) for x, y in shape.exterior.coords]
        self.add("LU", "landuse", name, "polygon", ring, use=use)


def make_features(
    land: Land, frame: Frame, roads: list[Street], blocks: list[Block], fillings: list[Filling],
    taken: Polygon, houses: list[Polygon], rng: np.random.Generator,
) -> list[Feature]:  # fmt: skip
    """Every feature of the county that is not a building or a pipe."""
    sheet = Sheet(frame)
    for s in roads:
        sheet.add("RD", "road", s.name, "line", list(s.line), width_m=s.width_m, **{"class": s.kind})
    for filling in fillings:
        for lane in filling.lanes:
            sheet.add("LN", "road", "", "line", lane, width_m=3.6, **{"class": "lane"})
    _waters(sheet, land)
    for b in blocks:
        kinds = {
            "old_town": "old_town",
            "open": "vacant",
            "warehouse": "industrial",
            "industry": "industrial",
        }
        ring = [(float(x), float(y)) for x, y in b.area.exterior.coords]
        sheet.add("LU", "landuse", b.name, "polygon", ring, use=kinds.get(b.use, "residential"))
    for filling in fillings:
        for use, name, ring in filling.ground:
            if use == "square":
                sheet.add("SQ", "square", name, "polygon", ring)
            else:
                sheet.add("LU", "landuse", name, "polygon", ring, use=use)
    lay_fields(land, taken, sheet.ground, rng)
    lay_slopes(land, taken, sheet.ground, rng)
    _trees(sheet, land, roads)
    _crossings(sheet, roads)
    _car_parks(sheet, blocks, houses)
    station = next(b for b in blocks if b.use == "bus_station")
    x, y = station.middle
    sheet.add("SQ", "square", "客运站广场", "polygon", list(_rect(x, y - 62.0, 90.0, 26.0)))
    x = -1250.0
    wx = (x, float(land.river.y(x)) + 1420.0)
    sheet.out.append(Feature("WX1", "weather_station", "县气象站", "point", frame.path([wx]), {}))
    return sheet.out


def _waters(sheet: Sheet, land: Land) -> None:
    river, frame = land.river, sheet.frame
    line = [(float(x), float(y)) for x, y in river.line[::3]]
    bank = river.bank()
    sheet.out.append(
        Feature("RIV1", "river", "渭川河", "polygon", frame.path(bank), {"width_m": river.width_m})
    )
    for bar in river.bars():
        sheet.add("LU", "landuse", "河滩", "polygon", bar, use="gravel")
    mouth = land.stream[0]
    foot = min(river.line, key=lambda p: float(np.hypot(p[0] - mouth[0] - 260.0, p[1] - mouth[1])))
    t = np.linspace(0.0, 1.0, 14)[:, None]
    across = mouth + (foot - mouth) * t + np.column_stack([35.0 * np.sin(5 * t[:, 0]), 0 * t[:, 0]])
    stream = [(float(x), float(y)) for x, y in [*across[::-1], *land.stream[1:]]]
    sheet.out.append(Feature("RIV2", "river", "清泉河", "line", frame.path(stream), {"width_m": 9.0}))
    sheet.ground("reservoir", "清泉水库", land.reservoir)
    sheet.out.append(
        Feature("RIV1C", "river", "渭川河中线", "line", frame.path(line), {"width_m": river.width_m})
    )
    for n, (x, name) in enumerate(
        ((-8200.0, "上游水文站"), (-2900.0, "城西水位站"), (300.0, "城区水位站"), (6900.0, "下游水文站")), 1
    ):
        at = min(river.line, key=lambda p: abs(float(p[0]) - x))
        gauge = frame.path([(float(at[0]), float(at[1]))])
        sheet.out.append(
            Feature(f"RG{n}", "river_gauge", name, "point", gauge, {"warning_m": 2.6, "danger_m": 3.2})
        )


def _trees(sheet: Sheet, land: Land, roads: list[Street]) -> None:
    streets = [(s.kind, s.width_m, list(s.line)) for s in roads]
    course = LineString(land.river.line)
    banks = []
    for side in (-1, 1):
        row = course.offset_curve(side * 47.0)
        for part in getattr(row, "geoms", [row]):
            banks.append([(float(x), float(y)) for x, y in part.simplify(2.0).coords])
    for row_line in tree_rows(streets, banks):
        sheet.add("TR", "tree_row", "", "line", row_line, spacing_m=11.0)


def _crossings(sheet: Sheet, roads: list[Street]) -> None:
    """Junctions of named streets, and cameras at them."""
    town = [s for s in roads if s.kind in ("main", "secondary", "local")]
    tree = STRtree([s.shape for s in town])
    seen: dict[tuple[int, int], tuple[str, str, int]] = {}
    for a, s in enumerate(town):
        for b in sorted(int(q) for q in tree.query(s.shape)):
            if b <= a or town[b].name == s.name:
                continue
            hit = s.shape.intersection(town[b].shape)
            for p in getattr(hit, "geoms", [hit]):
                if p.geom_type == "Point" and not p.is_empty:
                    weight = (
                        2 * (s.kind == "main")
                        + 2 * (town[b].kind == "main")
                        + ("local" not in (s.kind, town[b].kind))
                    )
                    seen.setdefault((round(p.x / 8), round(p.y / 8)), (s.name, town[b].name, weight))
    ranked = sorted(seen.items(), key=lambda item: (-item[1][2], item[0]))
    for (x, y), (one, other, _) in ranked[:JUNCTIONS]:
        sheet.add("JN", "junction", f"{one}与{other}路口", "point", [(8.0 * x, 8.0 * y)], arms=4.0)
    for n in range(CAMERAS):
        (x, y), (one, other, _) = ranked[n % len(ranked)]
        at = (8.0 * x + (11.0 if n < len(ranked) else -11.0), 8.0 * y + 9.0)
        sheet.add(
            "CAM",
            "camera",
            f"{one}{other}{n // len(ranked) + 1}号机",
            "point",
            [at],
            azimuth_deg=float((n * 47) % 360),
        )


def _car_parks(sheet: Sheet, blocks: list[Block], houses: list[Polygon]) -> None:
    """Car parks in free corners of busy blocks."""
    tree = STRtree(houses)
    busy = [
        b
        for b in blocks
        if b.use
        in (
            "market",
            "hospital",
            "government",
            "office",
            "hotel",
            "stadium",
            "bus_station",
            "square",
            "park",
            "clinic",
            "mixed",
            "compound",
        )
    ]
    busy.sort(key=lambda b: (b.use in ("mixed", "compound"), b.no))
    done = 0
    for b in busy:
        if done == CAR_PARKS:
            return
        inner = b.area.buffer(-32.0)
        if inner.geom_type != "Polygon" or inner.is_empty:
            continue
        for d in np.arange(0.0, inner.exterior.length, 25.0):
            p = inner.exterior.interpolate(float(d))
            shape = Polygon(_rect(p.x, p.y, 40.0, 26.0))
            if b.area.contains(shape) and not any(
                houses[i].intersects(shape.buffer(2)) for i in tree.query(shape.buffer(2))
            ):
                done += 1
                sheet.add(
                    "PK",
                    "carpark",
                    f"{b.name or '公共'}停车场",
                    "polygon",
                    list(_rect(p.x, p.y, 40.0, 26.0)),
                    capacity=float(40 + (b.no * 37) % 280),
                )
                break


def _rect(x: float, y: float, w: float, d: float) -> tuple[Point, ...]:
    return tuple(
        (float(a), float(b)) for a, b in box(x - w / 2, y - d / 2, x + w / 2, y + d / 2).exterior.coords
    )
