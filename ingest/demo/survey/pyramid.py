"""The quadtree: which tiles there are, and how each is made from the four below it."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ingest.demo.survey.atlas import Atlas
from ingest.demo.survey.mesh import Site, build_surface
from ingest.demo.survey.ortho import paint_ortho
from ingest.demo.survey.things import Cars, Trees, park_cars, plant_trees
from ingest.demo.survey.walls import Strip, paint_strip
from ingest.demo.survey.world import COTTAGES, Box, Floats, World, make_world
from ingest.tiles.frames import CountyFrame
from ingest.tiles.glb import Material, Part, write_glb
from ingest.tiles.glb import Picture as GlbPicture
from ingest.tiles.tileset import Tile, Volume, translation
from twin.model.county import County

LEAF_M = 288.0
"""Side of the finest tiles."""
LEAF_PX, TILE_PX = 1088, 1024
QUALITY = 50
ERROR_PER_TEXEL = 16.0
"""A tile gives way when one of its texels would cover a pixel, at the usual 16 pixels of allowed error."""
PLAIN_LEVELS = 3
"""So many halvings everywhere; further ones where something stands."""
USED_LAND = frozenset({"field", "orchard", "greenhouse", "residential", "industrial", "vacant", "park"})


@dataclass(frozen=True, slots=True)
class Node:
    """A square of the quadtree, its picture ``px`` wide."""

    level: int
    col: int
    row: int
    box: Box
    px: int
    children: tuple["Node", ...] = ()

    @property
    def metres_per_px(self) -> float:
        """Size of a texel."""
        return (self.box[2] - self.box[0]) / self.px

    @property
    def name(self) -> str:
        """File of its content."""
        return f"{self.level}/{self.col}_{self.row}.glb"


@dataclass(slots=True)
class Made:
    """What the tile above needs: the picture from above, strips of walls, the tile itself and its middle."""

    picture: Image.Image
    strips: dict[int, Strip]
    tile: Tile
    middle: Floats
    triangles: int
    texture_bytes: int
    bytes: int
    tiles: int = 1


@dataclass(frozen=True)
class Studio:
    """Everything a tile is made with."""

    world: World
    trees: Trees
    cars: Cars
    frame: CountyFrame
    deepest: int
    root_m: float
    folder: Path


def open_studio(county: County, folder: Path) -> Studio:
    """Lay out the county once for all tiles."""
    world = make_world(county)
    west, south, east, north = world.extent
    deepest = max(1, int(np.ceil(np.log2(max(east - west, north - south) / LEAF_M))))
    return Studio(
        world, plant_trees(world), park_cars(world), CountyFrame(county.meta.center), deepest,
        LEAF_M * 2.0**deepest, folder,
    )  # fmt: skip


def plan_tree(studio: Studio, level: int = 0, col: int = 0, row: int = 0) -> Node | None:
    """The squares that meet the county, finer where there is more to see."""
    w = studio.world
    size = studio.root_m / 2.0**level
    west = (w.extent[0] + w.extent[2] - studio.root_m) / 2.0 + col * size
    south = (w.extent[1] + w.extent[3] - studio.root_m) / 2.0 + row * size
    box = (west, south, west + size, south + size)
    if (
        box[0] >= w.extent[2] - 1
        or box[2] <= w.extent[0] + 1
        or box[1] >= w.extent[3] - 1
        or box[3] <= w.extent[1] + 1
    ):
        return None
    children: list[Node] = []
    if level < studio.deepest and _is_busy(studio, level, box):
        for i in (0, 1):
            for j in (0, 1):
                child = plan_tree(studio, level + 1, 2 * col + j, 2 * row + i)
                if child is not None:
                    children.append(child)
    px = LEAF_PX if level == studio.deepest else TILE_PX
    if not children and level > PLAIN_LEVELS and not _is_busy(studio, level, box, itself=True):
        px //= 2  # nothing but open ground beside something finer
    return Node(level, col, row, box, px, tuple(children))


def _is_busy(studio: Studio, level: int, box: Box, itself: bool = False) -> bool:
    """Whether a square is worth four finer ones; ``itself``: whether it is worth its own grain."""
    w, left = studio.world, studio.deepest - level + int(itself)
    if left > 3:
        return True
    houses = [w.houses[i] for i in w.near("houses", box)]
    if left == 3:
        return bool(houses) or any(w.patches[i].use in USED_LAND for i in w.near("patches", box))
    if left == 2:
        return len(houses) > 2
    return w.has_network(box) or any(h.use not in COTTAGES for h in houses)


def make_tile(studio: Studio, node: Node, below: list[Made]) -> Made:
    """Make one tile; ``below`` are its children, made already. Writes its glb."""
    m, px = node.metres_per_px, node.px
    if node.children:
        picture, strips = _gather(node, below)
    else:
        picture = paint_ortho(node.box, px, studio.world, studio.trees, studio.cars)
        strips = _paint_walls(studio, node, m)
    site = Site(node.box, m, studio.world, strips, studio.trees)
    atlas = Atlas(px)
    xyz, uv, rows, height = build_surface(site, atlas).finish(atlas)
    texture = _encode(atlas.draw(picture, height))
    lon_lat = studio.world.plane.to_degrees(xyz[:, :2])
    enu = studio.frame.from_degrees(lon_lat[:, 0], lon_lat[:, 1], xyz[:, 2])
    low, high = enu.min(axis=0), enu.max(axis=0)
    for child in below:  # a volume holds those below it
        numbers = np.array(child.tile.volume.numbers)
        half = numbers[[3, 7, 11]]
        low = np.minimum(low, child.middle + numbers[:3] - half)
        high = np.maximum(high, child.middle + numbers[:3] + half)
    middle = ((low + high) / 2.0).round(3)
    glb = write_glb(
        [
            Part(
                enu - middle,
                rows,
                Material(GlbPicture(texture, "image/jpeg")),
                (uv * 65535.0).round().astype(np.uint16),
            )
        ]
    )
    path = studio.folder / node.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(glb)
    half = np.maximum((high - low) / 2.0, 0.05)
    volume = Volume("box", (0.0, 0.0, 0.0, half[0], 0.0, 0.0, 0.0, half[1], 0.0, 0.0, 0.0, half[2]))
    tile = Tile(volume, ERROR_PER_TEXEL * m if node.children else 0.0, node.name, [b.tile for b in below])
    for child in below:
        child.tile.transform = translation(child.middle - middle)
    return Made(
        picture, strips, tile, middle, len(rows) + sum(b.triangles for b in below),
        len(texture) + sum(b.texture_bytes for b in below), len(glb) + sum(b.bytes for b in below),
        1 + sum(b.tiles for b in below),
    )  # fmt: skip


def _gather(node: Node, below: list[Made]) -> tuple[Image.Image, dict[int, Strip]]:
    """The picture and the walls of the children at half their grain."""
    px, m = node.px, node.metres_per_px
    picture = Image.new("RGB", (px, px), (150, 134, 104))
    strips: dict[int, Strip] = {}
    for child, made in zip(node.children, below, strict=True):
        half = made.picture.resize((px // 2, px // 2), Image.Resampling.BOX)
        at = (0 if child.box[0] == node.box[0] else px // 2, px // 2 if child.box[1] == node.box[1] else 0)
        picture.paste(half, at)
        share = child.metres_per_px / m
        for row, strip in made.strips.items():
            if row not in strips:
                rows, cols, _ = strip.shape
                size = max(2, round(cols * share)), max(2, round(rows * share))
                strips[row] = np.asarray(Image.fromarray(strip).resize(size, Image.Resampling.BOX))
    return picture, strips


def _paint_walls(studio: Studio, node: Node, m: float) -> dict[int, Strip]:
    """Strips of the houses of a leaf, painted at twice its grain where that is coarse."""
    out: dict[int, Strip] = {}
    fine = 1.0 if m < 0.4 else 0.5
    for i in studio.world.near("houses", node.box):
        h = studio.world.houses[i]
        strip = paint_strip(h, 1.0 / (m * fine))
        if fine != 1.0:
            rows, cols, _ = strip.shape
            strip = np.asarray(
                Image.fromarray(strip).resize((max(2, cols // 2), max(2, rows // 2)), Image.Resampling.BOX)
            )
        out[h.row] = strip
    return out


def _encode(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def make_subtree(studio: Studio, node: Node) -> Made:
    """Make a node and all below it, deepest first."""
    return make_tile(studio, node, [make_subtree(studio, child) for child in node.children])
