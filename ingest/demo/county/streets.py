"""Streets: arterials along the valley that are not parallel, cross streets that do not all go through, the
ring road, two bridges, an old walled quarter, roads out of town, railway and expressway."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon
from shapely.geometry import Point as Dot
from shapely.ops import polygonize, substring, unary_union

from ingest.demo.county.land import EAST, WEST, Land, axis_y, half_width

Floats = NDArray[np.float64]
Point = tuple[float, float]

RING_HALF_M = 2_080.0
"""Half length of the town inside the ring road."""
ESTATE_WEST_X = -4_150.0
OLD_TOWN_X = (-770.0, -415.0, -50.0)
WIDTH_M = {"main": 30.0, "secondary": 20.0, "local": 11.0, "county": 18.0, "village": 6.5, "lane": 4.0}
_CROSS = (
    (-1800.0, 0, 4, "西环路", "secondary"), (-1460.0, 0, 4, "安定路", "main"), (-1120.0, 0, 3, "崇文路", "secondary"),
    (-790.0, 0, 4, "西关路", "secondary"), (-420.0, 0, 3, "鼓楼街", "secondary"), (-30.0, 0, 4, "解放路", "secondary"),
    (390.0, 1, 4, "县府街", "secondary"), (830.0, 0, 4, "中山路", "main"), (1180.0, 0, 3, "东关路", "secondary"),
    (1500.0, 0, 4, "育才路", "secondary"), (1790.0, 0, 3, "迎宾路", "secondary"),
)  # fmt: skip
"""(x at the river, first and last arterial, name, class) of the cross streets."""
_ROWS = (("滨河路", "secondary"), ("人民路", "main"), ("文化路", "secondary"), ("建设大道", "main"))


@dataclass(frozen=True, slots=True)
class Street:
    """A street's centre line in metres; ``kind`` is its class."""

    name: str
    kind: str
    line: tuple[Point, ...]
    width_m: float

    @property
    def shape(self) -> LineString:
        """As a shapely line."""
        return LineString(self.line)


def make_street(name: str, kind: str, line: Floats | list[Point], width_m: float | None = None) -> Street:
    """A street with the usual width of its class."""
    path = tuple((round(float(x), 2), round(float(y), 2)) for x, y in line)
    return Street(name, kind, path, WIDTH_M[kind] if width_m is None else width_m)


@dataclass(frozen=True, slots=True)
class Town:
    """Streets of the town, and the ring that holds them."""

    streets: tuple[Street, ...]
    ring: Polygon
    south: Polygon
    old: Polygon
    estate: Polygon

    def find(self, name: str) -> Street:
        """The first street of that name."""
        return next(s for s in self.streets if s.name == name)


def row_y(land: Land, k: int, x: Floats | float) -> Floats:
    """Centre line of arterial ``k`` north of the river, 0 along its bank."""
    x = np.asarray(x, float)
    river = land.river.y(x)
    if k == 0:
        return np.asarray(river + 78.0 + 10.0 * np.sin(x / 420.0))
    slant = (0.0, 0.035, -0.030, 0.045)[k]
    bend = (0.0, 34.0, 58.0, 78.0)[k] * np.sin(x / (1.0, 640.0, 780.0, 830.0)[k] + 1.7 * k)
    smooth = land.river.y(0.86 * x)  # further from the river the bends die out
    return np.asarray(smooth + (0.0, 415.0, 765.0, 1090.0)[k] + slant * x + bend)


def make_town(land: Land, rng: np.random.Generator) -> Town:
    """The whole street plan inside the ring and in the new quarter south of the river."""
    ring = _ring_line(land)
    inside = Polygon(ring)
    rows = [_row(land, k, inside, name, kind) for k, (name, kind) in enumerate(_ROWS)]
    out = [*rows, *_ring_streets(ring, land)]
    cross = [_cross(land, rng, inside, *entry) for entry in _CROSS]
    old = _old_town(land)
    south, streets = _south_bank(land, rng)
    estate, more = _estate(land, out)
    out += [*cross, *streets, *_bridges(land, cross, streets), *more]
    out += _locals(out, rng, old, LineString(land.river.line))
    return Town(tuple(out), inside, south, old, estate)


def _ring_line(land: Land) -> list[Point]:
    """Closed ring: the river road in the south, an arc of a flat ellipse in the north."""
    x = np.linspace(-RING_HALF_M, RING_HALF_M, 60)
    bank = np.column_stack([x, row_y(land, 0, x)])
    turn = np.linspace(0.0, np.pi, 64)
    ax = RING_HALF_M * np.cos(turn) + 60.0 * np.sin(turn) * np.sin(3 * turn)
    rise = np.abs(np.sin(turn)) ** 0.62
    ay = row_y(land, 0, ax) + 1400.0 * rise + 60.0 * np.sin(2.6 * turn + 0.6) * np.sin(turn)
    return [(float(p[0]), float(p[1])) for p in [*bank, *np.column_stack([ax, ay])[1:-1], bank[0]]]


def _row(land: Land, k: int, inside: Polygon, name: str, kind: str) -> Street:
    x = np.linspace(-RING_HALF_M - 40, RING_HALF_M + 40, 110)
    line = LineString(np.column_stack([x, row_y(land, k, x)]))
    if k == 0:
        x = np.linspace(-RING_HALF_M, RING_HALF_M, 60)
        return make_street(name, kind, np.column_stack([x, row_y(land, 0, x)]))
    cut = line.intersection(inside)
    cut = max(cut.geoms, key=lambda g: g.length) if cut.geom_type != "LineString" else cut
    return make_street(name, kind, list(_stretch(cut).coords))


def _ring_streets(ring: list[Point], land: Land) -> list[Street]:
    """The northern arc in three named parts."""
    arc = LineString(ring[59:-1] + ring[:1])
    cuts = (0.0, 0.24, 0.74, 1.0)
    parts = zip(("东环路", "北环路", "西外环"), cuts, cuts[1:], strict=False)
    return [
        make_street(n, "main", list(substring(arc, a, b, normalized=True).coords), 26.0) for n, a, b in parts
    ]


def _cross(
    land: Land, rng: np.random.Generator, inside: Polygon, x0: float, first: int, last: int, name: str, kind: str
) -> Street:  # fmt: skip
    """One cross street from arterial ``first`` to ``last`` (4: the ring road)."""
    v = np.linspace(-300.0, 1900.0, 56)
    lean, phase = rng.uniform(-0.05, 0.09), rng.uniform(0, 6.3)
    x = x0 + lean * v + 20.0 * np.sin(v / 330.0 + phase) - 20.0 * np.sin(phase)
    y = land.river.y(x0) + 78.0 + v
    line = LineString(np.column_stack([x, y])).intersection(inside)
    line = max(line.geoms, key=lambda g: g.length) if line.geom_type != "LineString" else line
    a, b = 0.0, line.length
    if first:
        a = _meet(line, _whole_row(land, first), a)
    if last < 4:
        b = _meet(line, _whole_row(land, last), b)
    return make_street(name, kind, list(_stretch(substring(line, a, b)).coords))


def _meet(line: LineString, other: LineString, instead: float) -> float:
    """Distance along ``line`` where it meets ``other``."""
    hit = line.intersection(other)
    return instead if hit.is_empty else float(line.project(Dot(hit.representative_point())))


def _whole_row(land: Land, k: int) -> LineString:
    x = np.linspace(-RING_HALF_M - 60, RING_HALF_M + 60, 110)
    return LineString(np.column_stack([x, row_y(land, k, x)]))


def _locals(streets: list[Street], rng: np.random.Generator, old: Polygon, river: LineString) -> list[Street]:
    """Short streets that split the super-blocks; they end at the next street (T crossings)."""
    out: list[Street] = []
    for limit in (170_000.0, 100_000.0, 82_000.0):
        lines = unary_union([s.shape for s in [*streets, *out]])
        for block in sorted(polygonize(lines), key=lambda b: (round(b.centroid.x), round(b.centroid.y))):
            if block.area < limit * rng.uniform(0.9, 1.35) or old.intersection(block).area > 0.3 * block.area:
                continue
            if block.intersects(river):
                continue
            cut = _halve(block, rng)
            if cut is not None:
                name = _LOCAL_NAMES[len(out) % len(_LOCAL_NAMES)] + ("路" if len(out) % 3 else "巷")
                out.append(make_street(name, "local", list(cut.segmentize(60.0).coords)))
    return out


def _halve(block: Polygon, rng: np.random.Generator) -> LineString | None:
    """A street across the long side of ``block``, a little off the middle and off square."""
    box = block.minimum_rotated_rectangle
    (x0, y0), (x1, y1), (x2, y2), *_ = box.exterior.coords
    long = np.array([x1 - x0, y1 - y0])
    if np.hypot(*long) < np.hypot(x2 - x1, y2 - y1):
        long = np.array([x2 - x1, y2 - y1])
    long /= np.hypot(*long)
    middle = np.array(block.centroid.coords[0]) + long * rng.uniform(-30, 30)
    turn = rng.normal(0.0, 0.045)
    across = np.array([-long[1] + turn * long[0], long[0] + turn * long[1]])
    cut = LineString([middle - 900 * across, middle + 900 * across]).intersection(block)
    if cut.geom_type != "LineString" or cut.length < 110:
        return None
    return _stretch(cut)


def _stretch(line: LineString, by_m: float = 2.0) -> LineString:
    """Longer at both ends, so that it surely meets the streets it ends at."""
    p = np.array(line.coords)
    a, b = p[0] - p[1], p[-1] - p[-2]
    p[0] += a / np.hypot(*a) * by_m
    p[-1] += b / np.hypot(*b) * by_m
    return LineString(p)


_LOCAL_NAMES = (
    "春风", "兴隆", "安居", "和平", "青年", "新华", "朝阳", "永安", "丰收", "团结", "光明", "友谊", "振兴", "锦绣", "长宁", "泰和",
    "书院", "柳荫", "玉泉", "石桥", "凤鸣", "杏园", "集贤", "康乐", "望河", "粮站", "纺织", "农机", "苗圃", "向阳", "福寿", "吉祥",
)  # fmt: skip


def _old_town(land: Land) -> Polygon:
    """The old walled quarter about the drum tower: three of its four quarters still stand."""
    x0, x1, x2 = OLD_TOWN_X
    west, east, whole = np.linspace(x0, x1, 6), np.linspace(x1, x2, 6), np.linspace(x2, x0, 8)
    ring = [
        *zip(whole, row_y(land, 0, whole), strict=True), *zip(west, row_y(land, 2, west), strict=True),
        *zip(east, row_y(land, 1, east), strict=True),
    ]  # fmt: skip
    return Polygon(ring)


def _south_bank(land: Land, rng: np.random.Generator) -> tuple[Polygon, list[Street]]:
    """The new quarter across the river: a bank road, an outer arc, two streets between them."""
    x = np.linspace(-1050.0, 2050.0, 60)
    bank = np.column_stack([x, land.river.y(x) - 80.0 - 8.0 * np.sin(x / 380.0)])
    turn = np.linspace(0.0, np.pi, 40)
    ax = 500.0 - 1550.0 * np.cos(turn)
    depth = 560.0
    arc = np.column_stack([ax, np.interp(ax, x, bank[:, 1]) - depth * np.sin(turn) ** 0.6])
    streets = [make_street("南滨河路", "secondary", bank), make_street("南环路", "secondary", arc)]
    hull = Polygon(np.concatenate([bank, arc[::-1]]))
    for n, (at, name) in enumerate(
        ((-420.0, "南门路"), (190.0, "望山路"), (830.0, "新城大道"), (1400.0, "体育路"))
    ):
        y = float(np.interp(at, x, bank[:, 1]))
        lean = 0.0 if n in (0, 2) else rng.uniform(-30, 30)
        cut = LineString([(at, y + 5), (at + lean, y - 900)]).intersection(hull)
        cut = max(cut.geoms, key=lambda g: g.length) if cut.geom_type != "LineString" else cut
        streets.append(make_street(name, "main" if n == 2 else "secondary", list(_stretch(cut).coords)))
    mid = np.column_stack([x, np.interp(x, x, bank[:, 1]) - 0.52 * depth + 14 * np.sin(x / 500.0)])
    cut = LineString(mid).intersection(hull)
    cut = max(cut.geoms, key=lambda g: g.length) if cut.geom_type != "LineString" else cut
    streets.append(make_street("新区街", "local", list(_stretch(cut).coords), 14.0))
    return hull, streets


def _estate(land: Land, rows: list[Street]) -> tuple[Polygon, list[Street]]:
    """The industrial estate west of the ring, between the county road and 工业大道."""
    start = next(s for s in rows if s.name == "人民路").line[0]
    x = np.linspace(start[0], ESTATE_WEST_X, 40)
    low = np.column_stack([x, county_road_y(land, x, start)])
    away = np.clip((start[0] - x) / 300.0, 0.0, 1.0)
    high = low + np.column_stack([0 * x, 45.0 + 345.0 * away + 18.0 * np.sin(x / 260.0)])
    ring = next(s for s in rows if s.name == "西外环")
    far = ring.shape.interpolate(ring.shape.length - 330.0)
    high[0] = (far.x + 2.0, far.y)
    streets = [make_street("工业大道", "secondary", high), make_street("G310国道", "county", low)]
    for n, name in enumerate(("纬一路", "纬二路", "纬三路", "电厂路")):
        i = (12, 21, 30, 39)[n]
        streets.append(make_street(name, "local", list(_stretch(LineString([low[i], high[i]])).coords), 13.0))
    return Polygon(np.concatenate([low, high[::-1]])), streets


def county_road_y(land: Land, x: Floats, end: Point) -> Floats:
    """The county road beyond ``end`` of the main street, along the middle of the northern terrace."""
    away = np.clip(np.abs(x - end[0]) / 900.0, 0.0, 1.0)
    y = axis_y(x) + 130.0 + 50.0 * np.sin(x / 700.0)
    return np.asarray(end[1] + (y - end[1]) * away * away * (3 - 2 * away))


def _bridges(land: Land, cross: list[Street], south: list[Street]) -> list[Street]:
    """Two bridges that carry a cross street over the river."""
    out = []
    for name, street, other in (("渭川老桥", "鼓楼街", "南门路"), ("渭川大桥", "中山路", "新城大道")):
        above = next(s for s in cross if s.name == street).line[0]
        below = next(s for s in south if s.name == other).line
        foot = max(below, key=lambda p: p[1])
        out.append(make_street(name, "main", [above, foot], 18.0 if name.endswith("老桥") else 28.0))
    return out


def outer_roads(land: Land, town: Town) -> list[Street]:
    """The county road through the valley, the expressway along the southern foot, the railway in the north."""
    out = []
    for side in (-1, 1):
        end = town.find("人民路").line[0 if side < 0 else -1]
        x = np.linspace(ESTATE_WEST_X if side < 0 else end[0], WEST + 40 if side < 0 else EAST - 40, 60)
        line = np.column_stack([x, county_road_y(land, x, end)])
        out.append(make_street("G310国道", "county", line))
    x = np.linspace(WEST, EAST, 150)
    south = axis_y(x) - half_width(x, False) + 15.0
    for a, b, name in ((WEST + 40.0, -1050.0, "南川路"), (2050.0, EAST - 40.0, "南川路")):
        x = np.linspace(a, b, 70)
        bank = town.find("南滨河路").line[0 if a < 0 else -1]
        near = np.clip(1.0 - np.abs(x - bank[0]) / 1100.0, 0.0, 1.0)
        near = near * near * (3.0 - 2.0 * near)
        line = np.column_stack([x, south_road_y(x) * (1.0 - near) + bank[1] * near])
        out.append(make_street(name, "county", line, 9.0))
    x = np.linspace(WEST, EAST, 150)
    out.append(Street("天宝高速", "expressway", _path(x, _soft(south, 9)), 27.0))
    north = axis_y(x) + half_width(x, True) - 70.0
    out.append(Street("陇海支线", "rail", _path(x, _soft(north, 9)), 9.0))
    return out


def south_road_y(x: Floats) -> Floats:
    """The small road along the southern edge of the valley."""
    return np.asarray(axis_y(x) - half_width(x, False) + 105.0 + 22.0 * np.sin(x / 410.0))


def _path(x: Floats, y: Floats) -> tuple[Point, ...]:
    return tuple((round(float(a), 2), round(float(b), 2)) for a, b in zip(x, y, strict=True))


def _soft(y: Floats, reach: int) -> Floats:
    kernel = np.hanning(2 * reach + 3)[1:-1]
    wide = np.pad(y, reach, mode="edge")
    return np.asarray(np.convolve(wide, kernel / kernel.sum(), mode="valid"))
