"""Everything the scene serves for one county: buffers, the ground pictures, tables. Made once, on demand."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from app.scene import canvas, content, ground, names, overlays, palette
from app.scene.buffers import Blob, PackWriter, Slot
from app.scene.content import Lines, Polygons
from app.scene.frame import GroundMesh, LocalFrame, make_frame, make_mesh
from twin.model.county import County
from twin.model.network import Side

STEP_M, COARSE_STEP_M, TREE_STEP_M = 1 / 32, 1 / 8, 1 / 4
"""What places are kept to: buildings, pipes and streets; shadows and heights of the ground; trees."""
NEAR_ROOM_M = 420.0
BUILDING_CLASSES = tuple(palette.DARK.building)
ROAD_CLASSES = tuple(palette.DARK.roads)


@dataclass(frozen=True, slots=True)
class LayerData:
    """One layer's slots: ``length`` objects, ``starts``, named attributes, and extra slots."""

    length: int
    starts: Slot
    attributes: dict[str, Slot]
    extra: dict[str, Slot]


@dataclass(frozen=True, slots=True)
class SceneAssets:
    """What the routes serve and the spec refers to."""

    county: County
    frame: LocalFrame
    mesh: GroundMesh
    blobs: dict[str, Blob]
    layers: dict[str, LayerData]
    heights: Slot
    near: tuple[int, int, int, int] | None
    places: list[dict[str, Any]]
    names: list[dict[str, Any]]
    focus: dict[str, dict[str, Any]]


def _add_lines(pack: PackWriter, lines: Lines) -> LayerData:
    return LayerData(
        length=len(lines.row),
        starts=pack.add(lines.starts),
        attributes={
            "getPath": pack.add_places(lines.vertices, STEP_M),
            "getWidth": pack.add(lines.width_m),
        },
        extra={"row": pack.add(lines.row)},
    )


def _add_polygons(pack: PackWriter, polygons: Polygons, step_m: float = STEP_M) -> LayerData:
    return LayerData(
        length=len(polygons.row),
        starts=pack.add(polygons.starts),
        attributes={
            "getPolygon": pack.add_places(polygons.vertices, step_m),
            "getElevation": pack.add(polygons.elevation_m),
        },
        extra={"row": pack.add(polygons.row)},
    )


def _add_pipes(pack: PackWriter, county: County, pipes: Lines) -> LayerData:
    """Pipes as drawn on the ground, and where they truly lie."""
    layer = _add_lines(pack, pipes)
    drop_m, width_m = content.find_true_pipes(county, pipes)
    layer.extra["under.drop"] = pack.add(drop_m)
    layer.extra["under.width"] = pack.add(width_m)
    return layer


def _add_heights(pack: PackWriter, mesh: GroundMesh) -> Slot:
    """Heights of the nodes row by row."""
    slot = pack.add_places(mesh.height_m, COARSE_STEP_M, 1)
    n_y, n_x = mesh.height_m.shape
    return {
        **slot, "nx": n_x, "ny": n_y,
        "x0": mesh.x0_m, "y0": mesh.y0_m, "dx": mesh.dx_m, "dy": mesh.dy_m,
    }  # fmt: skip


def build_assets(county: County) -> SceneAssets:
    """Build every buffer of ``county`` (a second at most for 4,000 buildings)."""
    frame = make_frame(county)
    mesh = make_mesh(county, frame)
    packs = {name: PackWriter(name) for name in ("ground", "roads", "buildings", "pipes")}
    heights = _add_heights(packs["ground"], mesh)
    buildings = _add_polygons(packs["buildings"], content.make_buildings(county, frame, mesh))
    rows = content.list_buildings(county)
    heat_index = np.array([v if v else np.nan for v in rows["heat_index"]], np.float32)
    buildings.extra["heat_index"] = packs["buildings"].add(heat_index)
    uses = [u if u in BUILDING_CLASSES else "other" for u in rows["use"]]
    buildings.extra["classes"] = _add_classes(packs["buildings"], uses, BUILDING_CLASSES)
    roads = _add_lines(packs["roads"], content.make_roads(county, frame, mesh))
    kinds = [str(f.props.get("class", "other")) for f in content.find_roads(county)]
    kinds = [k if k in ROAD_CLASSES else "other" for k in kinds]
    roads.extra["classes"] = _add_classes(packs["roads"], kinds, ROAD_CLASSES)
    trees = content.make_trees(county, frame, mesh)
    layers = {
        "roads": roads,
        "trees": LayerData(
            len(trees), {}, {"getPosition": packs["roads"].add_places(trees, TREE_STEP_M)}, {}
        ),
        "water": _add_polygons(packs["ground"], content.make_waters(county, frame, mesh)),
        "shadows": _add_polygons(
            packs["buildings"], content.make_shadows(county, frame, mesh), COARSE_STEP_M
        ),
        "buildings": buildings,
        **{
            f"pipes.{side.value}": _add_pipes(
                packs["pipes"], county, content.make_pipes(county, frame, mesh, side)
            )
            for side in (Side.SUPPLY, Side.RETURN)
        },
    }
    blobs = {f"{name}.bin": pack.to_blob() for name, pack in packs.items()}
    tables = {
        "buildings": rows,
        "pipes": _list_pipes(county),
        **overlays.list_overlays(county, frame, mesh),
        "borders": overlays.list_borders(county, frame, mesh),
    }
    addresses = [b.address for b in county.buildings]
    for name, table in (("tables.json", tables), ("addresses.json", addresses)):
        text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
        blobs[name] = Blob.make(name, "application/json", text)
    return SceneAssets(
        county=county,
        frame=frame,
        mesh=mesh,
        blobs=blobs,
        layers=layers,
        heights=heights,
        near=find_near(county, frame, mesh),
        names=names.list_names(county, frame, mesh),
        places=content.list_places(county, frame, mesh),
        focus=content.find_focus(county, frame, mesh),
    )


def _list_pipes(county: County) -> dict[str, list[str] | list[int] | list[float]]:
    """What the card of a pipe says, by row."""
    pipes, node = county.network.pipes, county.network.node_index
    return {
        "id": [p.id for p in pipes],
        "side": [p.side.value for p in pipes],
        "from": [node.get(p.from_node, -1) for p in pipes],
        "to": [node.get(p.to_node, -1) for p in pipes],
        "diameter_m": [round(p.diameter_m, 4) for p in pipes],
        "length_m": [round(p.length_m, 1) for p in pipes],
        "year": [p.year for p in pipes],
    }


def _add_classes(pack: PackWriter, values: list[str], table: tuple[str, ...]) -> Slot:
    return pack.add(np.array([table.index(v) for v in values], np.uint8))


def find_near(county: County, frame: LocalFrame, mesh: GroundMesh) -> tuple[int, int, int, int] | None:
    """Cells of the ground that get a finer picture: the network and some room around it.

    None where they are half of the county or more, or where there is no network.
    """
    nodes = county.network.nodes
    if not nodes:
        return None
    xy = frame.to_local(np.array([n.lon for n in nodes]), np.array([n.lat for n in nodes]))
    (west, south), (east, north) = xy.min(axis=0) - NEAR_ROOM_M, xy.max(axis=0) + NEAR_ROOM_M
    cells = mesh.cells_of((float(west), float(south), float(east), float(north)))
    share = (cells[2] - cells[0]) * (cells[3] - cells[1]) / mesh.height_m.size
    return cells if share < 0.5 else None


def _hash_ground(assets: SceneAssets, theme: str) -> str:
    """Digest of what the ground picture is painted from: its inputs and the painter itself."""
    digest = hashlib.sha256(theme.encode())
    for source in ("ground.py", "canvas.py", "land.py", "palette.py", "content.py", "frame.py"):
        digest.update(Path(__file__).with_name(source).read_bytes())
    digest.update(assets.mesh.height_m.tobytes())
    digest.update(repr(assets.county.features).encode())
    digest.update(assets.blobs["buildings.bin"].digest.encode())
    return digest.hexdigest()[:16]


class SceneLibrary:
    """Hands out a county's scene; each part is made at its first request and kept (thread-safe)."""

    def __init__(self, county: County) -> None:
        self._county = county
        self._lock = Lock()
        self._ground_lock = Lock()
        self._assets: SceneAssets | None = None
        self._pictures: dict[str, Blob] = {}
        self.ground_digest = lru_cache(maxsize=4)(lambda theme: _hash_ground(self.assets, theme))

    @property
    def assets(self) -> SceneAssets:
        """Buffers and tables."""
        with self._lock:
            if self._assets is None:
                self._assets = build_assets(self._county)
            return self._assets

    def warm(self, theme: str = "dark") -> None:
        """Make what the first visitor would wait for: buffers and ground (some seconds of one core)."""
        for near in (False, True) if self.assets.near else (False,):
            self.read_ground(theme, near)

    def read_ground(self, theme: str, near: bool = False) -> Blob:
        """Ground picture of ``theme`` (a key of ``PALETTES``); painting takes a second or two.

        ``near``: the finer picture of the town; there is none where ``assets.near`` is None (LookupError).
        """
        assets = self.assets
        key = f"{theme}-near" if near else theme
        if near and assets.near is None:
            raise LookupError("this county has one ground picture only")
        with self._ground_lock:
            if key not in self._pictures:
                window = None
                if near and assets.near is not None:
                    window = canvas.make_window(assets.mesh.extent_of(assets.near), ground.NEAR_PX)
                look = palette.PALETTES[theme]
                picture = ground.paint_ground(assets.county, assets.frame, assets.mesh, look, window)
                self._pictures[key] = Blob.make(f"ground-{key}.webp", "image/webp", picture, compress=False)
            return self._pictures[key]
