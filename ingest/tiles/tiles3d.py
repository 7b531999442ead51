"""3D Tiles 1.0 and 1.1 as a source: which contents there are, how they hang together, where they lie.

Every ``tileset.json`` and every subtree becomes one sheet: a flat list of tiles on disk, so that memory
holds one sheet at a time however large the whole is. The source's own volumes are only checked; those of
the result are measured on what is really there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.tiles.frames import CountyFrame, Rigid, is_earth_centred, parse_placement
from ingest.tiles.glb import parse_json
from ingest.tiles.implicit import Implicit, Place, expand_subtree, find_implicit
from ingest.tiles.source import SourceFolder
from ingest.tiles.tileset import MAX_DEPTH, parse_one
from twin.model.errors import InputError

Floats = NDArray[np.float64]
MAX_SHEETS = 200_000
MAX_CHAIN = 64
UP_AXES = ("X", "Y", "Z")


@dataclass(frozen=True, slots=True)
class Item:
    """A content to convert: its files (merged), its matrix into the county's frame, its up axis."""

    key: str
    files: tuple[str, ...]
    matrix: tuple[float, ...]
    up: str


@dataclass(frozen=True, slots=True)
class Row:
    """One tile of a sheet. ``parent``: its row, -1 at the top; ``item``, ``sheet``: its content, or -1."""

    parent: int
    error_m: float
    refine: str
    item: int = -1
    sheet: int = -1


@dataclass(slots=True)
class Sheet:
    """The tiles of one ``tileset.json`` or subtree, parents before children."""

    number: int
    rows: list[Row] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A sheet that is still to be read. ``chain``: the tilesets above it."""

    number: int
    path: Path
    matrix: Floats
    chain: tuple[Path, ...]
    up: str = "Y"
    refine: str = "REPLACE"
    tiling: Implicit | None = None
    place: Place = (0, 0, 0, 0)


class Tiles3d:
    """A folder of 3D Tiles and the way its coordinates go."""

    def __init__(self, tileset: Path, frame: CountyFrame, crs: str, origin_m: tuple[float, float, float],
                 shift_m: float) -> None:  # fmt: skip
        self.folder = SourceFolder(tileset.parent)
        self.tileset = tileset.resolve()
        self.troubles: list[tuple[str, str]] = []
        self._next = 1
        self._start = self._place(frame, crs, origin_m, shift_m)

    def _place(
        self, frame: CountyFrame, crs: str, origin_m: tuple[float, float, float], shift_m: float
    ) -> Floats:
        root = parse_json(self.folder.read(self.tileset), self.tileset.name).get("root")
        if not isinstance(root, dict):
            raise InputError(f"{self.tileset.name}: has no root tile; is this a tileset.json?")
        top = parse_one(root, self.tileset.name, "REPLACE")
        earth = top.volume.kind == "region" or _centre_far(top.volume.numbers)
        earth = earth or (top.transform is not None and is_earth_centred(top.transform))
        if crs and crs.strip().upper() != "ECEF" and earth:
            raise InputError(f"{self.tileset.name}: says itself where on the earth it lies; leave --crs out")
        if not crs and not earth:
            raise InputError(
                f"{self.tileset.name}: does not say where on the earth it lies; give its origin, "
                "such as --crs ENU:34.22,108.96,433 (latitude, longitude, height)"
            )
        placement = parse_placement(crs or "ECEF", frame, origin_m, shift_m)
        if not isinstance(placement, Rigid):
            raise InputError(
                f"{crs}: a tileset is placed by ENU:latitude,longitude[,height] or ECEF, not by a map"
            )
        return placement.matrix

    def sheets(self) -> Iterator[Sheet]:
        """Yield every sheet, those above before those below.

        Raises
        ------
        InputError : the topmost tileset cannot be read; trouble below it is kept in ``troubles``
        """
        stack = [_Wanted(0, self.tileset, self._start, ())]
        while stack:
            wanted = stack.pop()
            sheet = Sheet(wanted.number)
            try:
                stack += reversed(self._fill(sheet, wanted))
            except InputError as e:
                if wanted.number == 0:
                    raise
                self.troubles.append((self.folder.name(wanted.path), str(e)))
            yield sheet

    def _fill(self, sheet: Sheet, wanted: _Wanted) -> list[_Wanted]:
        """Read one sheet; returns the sheets it names."""
        name = self.folder.name(wanted.path)
        if wanted.tiling is None:
            if wanted.path in wanted.chain or len(wanted.chain) > MAX_CHAIN:
                raise InputError(f"{name}: names itself, directly or through others; take the circle out")
            doc = parse_json(self.folder.read(wanted.path), name)
            _check_document(doc, name)
            up = str((doc.get("asset") or {}).get("gltfUpAxis", "Y")).upper()
            row = doc["root"]
        else:
            up = wanted.up
            row = expand_subtree(wanted.tiling, wanted.place, lambda uri: self._read(wanted, uri, name), name)
            if row is None:
                return []
        found: list[_Wanted] = []
        stack: list[tuple[dict[str, Any], int, Floats, str, int]] = [
            (row, -1, wanted.matrix, wanted.refine, 0)
        ]
        while stack:
            row, parent, above, refine, depth = stack.pop()
            if depth > MAX_DEPTH:
                raise InputError(f"{name}: a tree deeper than {MAX_DEPTH} tiles; use external tilesets")
            at = _Tile(self, sheet, wanted, name, up if up in UP_AXES else "Y", found)
            number, matrix, refine = at.add(row, parent, above, refine)
            for child in reversed(row.get("children") or ()) if number >= 0 else ():
                if not isinstance(child, dict):
                    raise InputError(f"{name}: a tile's child is no object; export it again")
                stack.append((child, number, matrix, refine, depth + 1))
        return found

    def _read(self, wanted: _Wanted, uri: str, name: str) -> bytes:
        return self.folder.read(self.folder.resolve(wanted.path.parent, uri, name))

    @property
    def count(self) -> int:
        """How many sheets were found so far."""
        return self._next

    def number(self) -> int:
        """Return the number of a new sheet."""
        if self._next >= MAX_SHEETS:
            raise InputError(f"more than {MAX_SHEETS} tilesets; import the parts one by one")
        self._next += 1
        return self._next - 1


@dataclass(slots=True)
class _Tile:
    """Puts one tile of the source into a sheet."""

    source: Tiles3d
    sheet: Sheet
    wanted: _Wanted
    name: str
    up: str
    found: list[_Wanted]

    def add(self, row: dict[str, Any], parent: int, above: Floats, refine: str) -> tuple[int, Floats, str]:
        """Return its row number (-1: nothing below it in this sheet), matrix and refinement."""
        if "subtree" in row:
            self._refer(parent, 0.0, refine, above, self.wanted.tiling, row["subtree"])
            return -1, above, refine
        if "boundingVolume" in row or self.wanted.tiling is None:
            tile = parse_one(row, self.name, refine)
            refine, error = tile.refine, tile.error_m
            matrix = above if tile.transform is None else above @ tile.transform
        else:
            matrix, error = above, float(row["geometricError"])
        error *= float(np.linalg.norm(matrix[:3, :3], axis=0).max())
        tiling = find_implicit(row, self.name) if self.wanted.tiling is None else None
        if tiling is not None:
            self._refer(parent, error, refine, matrix, tiling, (0, 0, 0, 0))
            return -1, matrix, refine
        item, external = self._contents(row, matrix)
        sheet = -1
        if external is not None:
            sheet = self.source.number()
            chain = (*self.wanted.chain, self.wanted.path)
            self.found.append(_Wanted(sheet, external, matrix, chain, refine=refine))
        self.sheet.rows.append(Row(parent, error, refine, item, sheet))
        return len(self.sheet.rows) - 1, matrix, refine

    def _refer(self, parent: int, error: float, refine: str, matrix: Floats, tiling: Implicit | None,
               place: Place) -> None:  # fmt: skip
        number = self.source.number()
        self.found.append(
            _Wanted(number, self.wanted.path, matrix, self.wanted.chain, self.up, refine, tiling, place)
        )
        self.sheet.rows.append(Row(parent, error, refine, -1, number))

    def _contents(self, row: dict[str, Any], matrix: Floats) -> tuple[int, Path | None]:
        extensions = row.get("extensions") or {}
        many = row.get("contents") or (extensions.get("3DTILES_multiple_contents") or {}).get("contents")
        rows = many or ([row["content"]] if row.get("content") else [])
        uris: list[Any] = [c.get("uri", c.get("url")) for c in rows if isinstance(c, dict)]
        if not uris:
            return -1, None
        if not all(isinstance(uri, str) and uri for uri in uris):
            raise InputError(f"{self.name}: the content of a tile has no uri; export it again")
        try:
            paths = [self.source.folder.resolve(self.wanted.path.parent, uri, self.name) for uri in uris]
        except InputError as e:
            self.source.troubles.append((self.name, str(e)))
            return -1, None
        trees = [p for p in paths if p.suffix.lower() == ".json"]
        if trees and len(paths) > 1:
            self.source.troubles.append(
                (self.name, "a tileset among several contents of one tile is not read")
            )
            return -1, None
        if trees:
            return -1, trees[0]
        key = f"{self.sheet.number}/{len(self.sheet.items)}"
        flat = tuple(float(v) for v in matrix.ravel())
        self.sheet.items.append(Item(key, tuple(map(str, paths)), flat, self.up))
        return len(self.sheet.items) - 1, None


def _check_document(doc: dict[str, Any], name: str) -> None:
    version = (doc.get("asset") or {}).get("version") if isinstance(doc.get("asset"), dict) else None
    if str(version) not in ("0.0", "1.0", "1.1"):
        raise InputError(f"{name}: 3D Tiles version {version}; 1.0 and 1.1 are read")
    if not isinstance(doc.get("root"), dict):
        raise InputError(f"{name}: has no root tile; is this a tileset.json?")
    needed = set(doc.get("extensionsRequired") or ()) - {
        "3DTILES_content_gltf", "3DTILES_implicit_tiling", "3DTILES_multiple_contents", "3DTILES_metadata",
    }  # fmt: skip
    if needed:
        raise InputError(f"{name}: needs {', '.join(sorted(map(str, needed)))}, which is not read here")


def _centre_far(numbers: tuple[float, ...]) -> bool:
    """Whether a volume's centre is written in earth-centred metres."""
    return float(np.linalg.norm(numbers[:3])) > 6.2e6


def save_sheet(sheet: Sheet, folder: Path) -> None:
    """Keep a sheet on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{sheet.number}.msgpack").write_bytes(msgspec.msgpack.encode(sheet))


def load_sheet(number: int, folder: Path) -> Sheet:
    """Return a kept sheet."""
    return msgspec.msgpack.decode((folder / f"{number}.msgpack").read_bytes(), type=Sheet)
