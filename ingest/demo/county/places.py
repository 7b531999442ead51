"""County, townships and communities with their boundaries."""

from shapely.geometry import MultiPoint, Polygon, box
from shapely.geometry import Point as Dot
from shapely.ops import unary_union, voronoi_diagram

from ingest.demo.county import names
from ingest.demo.county.frame import Frame
from ingest.demo.county.land import EAST, NORTH, SOUTH, WEST, Land, Point
from ingest.demo.county.villages import Village
from twin.model.county import Place


def make_places(
    land: Land, frame: Frame, villages: list[Village], center: Point
) -> tuple[list[Place], list[tuple[str, Point]]]:
    """8 townships, 40 communities as Voronoi cells clipped to the county; and (id, middle) of each community."""
    whole = box(WEST + 60, SOUTH + 60, EAST - 60, NORTH - 60)
    town = [(x, float(land.river.y(x)) + v) for *_, x, v in names.TOWN_COMMUNITIES]
    spots = [*town, *[v.centre for v in villages]]
    cells = [c.intersection(whole) for c in voronoi_diagram(MultiPoint(spots), envelope=whole).geoms]
    order = [next(c for c in cells if c.covers(Dot(p))) for p in spots]
    group = [0] * len(town) + [v.township for v in villages]
    code, name, name_en = names.COUNTY
    places = [Place(code, "county", name, name_en, "", *frame.lonlat(*center), _ring(whole, frame))]
    for t, (zh, en) in enumerate(names.TOWNSHIPS):
        shape = unary_union([order[j] for j in range(len(spots)) if group[j] == t])
        shape = max(shape.geoms, key=lambda g: g.area) if shape.geom_type == "MultiPolygon" else shape
        seat = spots[group.index(t)] if t else (-150.0, float(land.river.y(-150.0)) + 560.0)
        places.append(
            Place(f"T{t + 1:02d}", "township", zh, en, code, *frame.lonlat(*seat), _ring(shape, frame))
        )
    community: list[tuple[str, Point]] = []
    labels = [
        *[(zh, en) for zh, en, *_ in names.TOWN_COMMUNITIES],
        *[(zh, en) for zh, en, *_ in names.VILLAGES],
    ]
    for j, (p, (zh, en)) in enumerate(zip(spots, labels, strict=True)):
        cid = f"C{j + 1:03d}"
        places.append(
            Place(cid, "community", zh, en, f"T{group[j] + 1:02d}", *frame.lonlat(*p), _ring(order[j], frame))
        )
        community.append((cid, p))
    return places, community


def nearest(p: Point, community: list[tuple[str, Point]]) -> str:
    """Id of the community whose middle is nearest."""
    x, y = p
    return min(community, key=lambda c: (c[1][0] - x) ** 2 + (c[1][1] - y) ** 2)[0]


def _ring(shape: Polygon, frame: Frame) -> tuple[tuple[float, float], ...]:
    return frame.path([(float(x), float(y)) for x, y in shape.exterior.coords])
