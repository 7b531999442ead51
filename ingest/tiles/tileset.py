"""``tileset.json`` of 3D Tiles 1.1: a typed tree, written clean, read with care.

Volumes and contents are z-up (the glb of a content is y-up, as glTF is; see :mod:`ingest.tiles.glb`).
Matrices are numpy (4, 4) here and 16 numbers column by column in the file.

Source: OGC 22-025r4, 3D Tiles Specification 1.1.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.tiles.glb import parse_json
from twin.model.errors import InputError

Floats = NDArray[np.float64]
MAX_DEPTH = 200
MIN_HALF_M = 0.01


@dataclass(frozen=True, slots=True)
class Volume:
    """A bounding volume: ``kind`` is ``box`` (12 numbers), ``region`` (6) or ``sphere`` (4)."""

    kind: str
    numbers: tuple[float, ...]

    def corners(self) -> Floats:
        """Return points that enclose it, (n, 3), in the tile's frame; a region has none there."""
        if self.kind == "box":
            v = np.array(self.numbers)
            signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], float)
            return np.asarray(v[:3] + signs @ v[3:].reshape(3, 3))
        if self.kind == "sphere":
            x, y, z, r = self.numbers
            return np.array([[x - r, y - r, z - r], [x + r, y + r, z + r]])
        raise InputError("a region lies on the earth and has no corners in the tile's own frame")


def box_around(points: NDArray[Any]) -> Volume:
    """Return the least upright box around ``points`` (n, 3), never thinner than 2 cm."""
    low, high = points.min(axis=0).astype(float), points.max(axis=0).astype(float)
    half = np.maximum((high - low) / 2.0, MIN_HALF_M)
    return Volume("box", tuple(map(float, [*(low + high) / 2.0, *np.diag(half).ravel()])))


@dataclass(slots=True)
class Tile:
    """One tile. ``error_m``: how far its content is from the truth; finer ones have less.

    ``content``: address relative to the tileset's file, a glb or another tileset. ``transform``: from the
    tile's frame into its parent's.
    """

    volume: Volume
    error_m: float
    content: str = ""
    children: list["Tile"] = field(default_factory=list)
    refine: str = "REPLACE"
    transform: Floats | None = None
    extras: dict[str, Any] = field(default_factory=dict)

    def walk(self) -> Iterator["Tile"]:
        """Yield this tile and all below it, without recursion."""
        stack = [self]
        while stack:
            tile = stack.pop()
            yield tile
            stack.extend(reversed(tile.children))


def translation(offset: Floats | tuple[float, float, float]) -> Floats:
    """Return the matrix that moves by ``offset`` (m)."""
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    return matrix


def transform_points(matrix: Floats, points: NDArray[Any]) -> Floats:
    """Return ``points`` (n, 3) moved by a (4, 4) matrix, in double."""
    return np.asarray(points.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3])


def to_json(root: Tile, *, error_m: float | None = None, extras: dict[str, Any] | None = None) -> bytes:
    """Write the tree as the text of a ``tileset.json``.

    Parameters
    ----------
    error_m : error when nothing at all is drawn; default: the root's own, doubled
    """
    doc: dict[str, Any] = {"asset": {"version": "1.1", "generator": "County Twin"}}
    doc["geometricError"] = root.error_m * 2.0 if error_m is None else error_m
    if extras:
        doc["extras"] = extras
    doc["root"] = _tile_json(root, "", 0)
    return json.dumps(doc, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _tile_json(tile: Tile, refine: str, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise InputError(f"a tree deeper than {MAX_DEPTH} tiles cannot be written; use external tilesets")
    row: dict[str, Any] = {}
    if tile.transform is not None and not np.array_equal(tile.transform, np.eye(4)):
        row["transform"] = [float(v) for v in tile.transform.T.ravel()]
    row["boundingVolume"] = {tile.volume.kind: [round(v, 9) for v in tile.volume.numbers]}
    row["geometricError"] = round(tile.error_m, 6)
    if tile.refine != refine:
        row["refine"] = tile.refine
    if tile.content:
        row["content"] = {"uri": tile.content}
    if tile.extras:
        row["extras"] = tile.extras
    if tile.children:
        row["children"] = [_tile_json(child, tile.refine, depth + 1) for child in tile.children]
    return row


def write_tileset(root: Tile, path: Path, *, error_m: float | None = None,
                  extras: dict[str, Any] | None = None) -> None:  # fmt: skip
    """Write ``tileset.json`` whole or not at all."""
    staged = path.with_name(f".{path.name}.part")
    staged.write_bytes(to_json(root, error_m=error_m, extras=extras))
    staged.replace(path)


def read_tileset(path: Path) -> Tile:
    """Read the explicit tree of a ``tileset.json`` (1.0 or 1.1); addresses are given as they stand there.

    Raises
    ------
    InputError : not a tileset, or a tile with a broken volume, transform or error
    """
    doc = parse_json(path.read_bytes(), path.name)
    if not isinstance(doc.get("root"), dict):
        raise InputError(f"{path.name}: has no root tile; is this a tileset.json?")
    return parse_tile(doc["root"], path.name)


def parse_tile(row: dict[str, Any], name: str) -> Tile:
    """Read one tile and all below it; ``name`` is said in errors."""
    top = parse_one(row, name, "REPLACE")
    stack = [(top, row, 0)]
    while stack:
        tile, source, depth = stack.pop()
        for child in source.get("children") or ():
            if not isinstance(child, dict) or depth >= MAX_DEPTH:
                raise InputError(
                    f"{name}: a tile's child is no object or lies deeper than {MAX_DEPTH} levels"
                )
            below = parse_one(child, name, tile.refine)
            tile.children.append(below)
            stack.append((below, child, depth + 1))
    return top


def parse_one(row: dict[str, Any], name: str, refine: str) -> Tile:
    """Read one tile without its children; ``refine`` is what it inherits.

    Raises
    ------
    InputError : a broken volume, transform, error or content
    """
    error = row.get("geometricError", 0.0)
    if not isinstance(error, int | float) or not 0.0 <= error < 1e12:
        raise InputError(f"{name}: geometricError is {error}; it must be a number from 0 up")
    content = row.get("content") or {}
    uri = content.get("uri", content.get("url", "")) if isinstance(content, dict) else None
    if not isinstance(uri, str):
        raise InputError(f"{name}: the content of a tile has no uri; export it again")
    matrix = None
    if (given := row.get("transform")) is not None:
        numbers = _numbers(given, 16, f"{name}: transform")
        matrix = np.array(numbers).reshape(4, 4).T
    said = str(row.get("refine") or refine).upper()
    extras = row.get("extras")
    return Tile(
        parse_volume(row.get("boundingVolume"), name), float(error), uri, [],
        said if said in {"ADD", "REPLACE"} else "REPLACE", matrix, extras if isinstance(extras, dict) else {},
    )  # fmt: skip


def parse_volume(row: Any, name: str) -> Volume:
    """Read a ``boundingVolume``.

    Raises
    ------
    InputError : no box, region or sphere, or one with other than 12, 6 or 4 finite numbers
    """
    for kind, count in (("box", 12), ("region", 6), ("sphere", 4)):
        if isinstance(row, dict) and kind in row:
            return Volume(kind, tuple(_numbers(row[kind], count, f"{name}: {kind}")))
    raise InputError(f"{name}: a tile has no box, region or sphere as boundingVolume; export it again")


def _numbers(value: Any, count: int, what: str) -> list[float]:
    good = isinstance(value, list) and len(value) == count
    if not good or not all(isinstance(v, int | float) and abs(v) < 1e15 for v in value):
        raise InputError(f"{what} must be {count} finite numbers; export it again")
    return [float(v) for v in value]
