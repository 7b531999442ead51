"""What a published layer holds, measured on its files and not on what the report says."""

from pathlib import Path
from typing import Any

import numpy as np

from ingest.tiles.catalogue import read_catalogue
from ingest.tiles.frames import CountyFrame
from ingest.tiles.gltf import read_gltf
from ingest.tiles.pictures import mean_colour
from ingest.tiles.tileset import read_tileset, transform_points

County = tuple[Path, tuple[float, float]]
Content = tuple[str, list[Any], np.ndarray]


def look(county: Path, layer: str = "a") -> list[Content]:
    """Every content: its file, its parts, its vertices in earth-centred metres; boxes must enclose them."""
    folder = county / "tiles" / next(x.folder for x in read_catalogue(county) if x.id == layer)
    out: list[Content] = []

    def visit(path: str, matrix: np.ndarray) -> None:
        stack = [(read_tileset(folder / path), matrix)]
        while stack:
            tile, above = stack.pop()
            here = above if tile.transform is None else above @ tile.transform
            if tile.content.endswith(".json"):
                visit(tile.content, here)
            elif tile.content:
                parts = read_gltf((folder / tile.content).read_bytes(), tile.content).parts
                local = np.concatenate([p.positions for p in parts])
                box = tile.volume.corners()
                assert (local >= box.min(axis=0) - 0.02).all() and (local <= box.max(axis=0) + 0.02).all()
                out.append((tile.content, parts, transform_points(here, local)))
            assert all(child.error_m <= tile.error_m for child in tile.children)
            stack += [(child, here) for child in tile.children]

    visit("tileset.json", np.eye(4))
    return out


def to_enu(county: County, ecef: np.ndarray) -> np.ndarray:
    return CountyFrame(county[1]).from_ecef(ecef)


def check_photograph(part: Any, colour: tuple[int, int, int], within: float = 12.0) -> None:
    (red, green, blue), _ = mean_colour(part.material.picture)
    assert np.abs(np.array([red, green, blue]) - colour).max() < within
