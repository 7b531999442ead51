"""Everything the scene serves for one county: buffers, the ground pictures, tables. Made once, on demand."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from app.scene import content, ground, palette
from app.scene.buffers import Blob, PackWriter, Slot
from app.scene.content import Lines, Polygons
from app.scene.frame import GroundMesh, LocalFrame, make_frame, make_mesh
from twin.model.county import County
from twin.model.network import Side

HEIGHT_STEPS = 65535


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
    places: list[dict[str, Any]]
    focus: dict[str, Any]


def _add_lines(pack: PackWriter, lines: Lines) -> LayerData:
    return LayerData(
        length=len(lines.row),
        starts=pack.add(lines.starts),
        attributes={
            "getPath": pack.add(lines.vertices, 3),
            "getWidth": pack.add(lines.width_m),
        },
        extra={"row": pack.add(lines.row)},
    )


def _add_polygons(pack: PackWriter, polygons: Polygons) -> LayerData:
    return LayerData(
        length=len(polygons.row),
        starts=pack.add(polygons.starts),
        attributes={
            "getPolygon": pack.add(polygons.vertices, 3),
            "getElevation": pack.add(polygons.elevation_m),
        },
        extra={"row": pack.add(polygons.row)},
    )


def _add_heights(pack: PackWriter, mesh: GroundMesh) -> Slot:
    """Heights as 16-bit steps between the lowest and the highest node: centimetres, at half the bytes."""
    low, high = float(mesh.height_m.min()), float(mesh.height_m.max())
    step = max(high - low, 1e-3) / HEIGHT_STEPS
    slot = pack.add(np.round((mesh.height_m - low) / step).astype(np.uint16))
    n_y, n_x = mesh.height_m.shape
    return {
        **slot, "low": low, "step": step, "nx": n_x, "ny": n_y,
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
    layers = {
        "roads": _add_lines(packs["roads"], content.make_roads(county, frame, mesh)),
        "shadows": _add_polygons(packs["buildings"], content.make_shadows(county, frame, mesh)),
        "buildings": buildings,
        "pipes.supply": _add_lines(packs["pipes"], content.make_pipes(county, frame, mesh, Side.SUPPLY)),
        "pipes.return": _add_lines(packs["pipes"], content.make_pipes(county, frame, mesh, Side.RETURN)),
    }
    blobs = {f"{name}.bin": pack.to_blob() for name, pack in packs.items()}
    pipes = county.network.pipes
    tables = {
        "buildings": rows,
        "pipes": {
            "id": [p.id for p in pipes],
            "side": [p.side.value for p in pipes],
            "from": [county.network.node_index.get(p.from_node, -1) for p in pipes],
            "to": [county.network.node_index.get(p.to_node, -1) for p in pipes],
            "diameter_m": [round(p.diameter_m, 4) for p in pipes],
            "length_m": [round(p.length_m, 1) for p in pipes],
            "year": [p.year for p in pipes],
        },
    }
    text = json.dumps(tables, ensure_ascii=False, separators=(",", ":")).encode()
    blobs["tables.json"] = Blob.make("tables.json", "application/json", text)
    return SceneAssets(
        county=county,
        frame=frame,
        mesh=mesh,
        blobs=blobs,
        layers=layers,
        heights=heights,
        places=content.list_places(county, frame, mesh),
        focus=content.find_focus(county, frame, mesh),
    )


def _hash_ground(assets: SceneAssets, theme: str) -> str:
    """Digest of what the ground picture is painted from: its inputs and the painter itself."""
    digest = hashlib.sha256(theme.encode())
    for source in ("ground.py", "palette.py", "content.py", "frame.py"):
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

    def read_ground(self, theme: str) -> Blob:
        """Ground picture of ``theme`` (a key of ``PALETTES``); painting takes about a second."""
        assets = self.assets
        with self._ground_lock:
            if theme not in self._pictures:
                picture = ground.paint_ground(
                    assets.county, assets.frame, assets.mesh, palette.PALETTES[theme]
                )
                self._pictures[theme] = Blob.make(
                    f"ground-{theme}.webp", "image/webp", picture, compress=False
                )
            return self._pictures[theme]
