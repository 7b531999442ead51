"""Implicit tiling of 3D Tiles: a subtree's bits turned into explicit tiles.

Source: OGC 22-025r4, 3D Tiles 1.1, chapter 7 (also as 1.0 extension 3DTILES_implicit_tiling).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.tiles.glb import parse_json
from twin.model.errors import InputError

MAX_LEVELS = {4: 10, 8: 7}
"""Of one subtree: about a million tiles."""
Read = Callable[[str], bytes]
Place = tuple[int, int, int, int]
"""Level, x, y, z."""


@dataclass(frozen=True, slots=True)
class Implicit:
    """What a tile says about the implicit tree below it. ``fan``: 4 or 8 children."""

    fan: int
    subtree_levels: int
    levels: int
    subtrees: str
    contents: tuple[str, ...]
    error_m: float
    refine: str

    def fill(self, template: str, place: Place) -> str:
        """Return an address of the template."""
        for key, value in zip(("level", "x", "y", "z"), place, strict=True):
            template = template.replace(f"{{{key}}}", str(value))
        return template


def find_implicit(row: dict[str, Any], name: str) -> Implicit | None:
    """Return the implicit tiling of a tile, None for an explicit one.

    Raises
    ------
    InputError : it is not built as the standard says
    """
    extensions = row.get("extensions") or {}
    said = row.get("implicitTiling") or extensions.get("3DTILES_implicit_tiling")
    if said is None:
        return None
    many = row.get("contents") or (extensions.get("3DTILES_multiple_contents") or {}).get("contents")
    contents = many or ([row["content"]] if row.get("content") else [])
    try:
        fan = {"QUADTREE": 4, "OCTREE": 8}[said["subdivisionScheme"]]
        levels = said.get("availableLevels", said.get("maximumLevel", -1) + 1)
        uris = tuple(str(c["uri"]) for c in contents)
        refine = str(row.get("refine") or "REPLACE").upper()
        out = Implicit(
            fan, int(said["subtreeLevels"]), int(levels), str(said["subtrees"]["uri"]), uris,
            float(row["geometricError"]), refine,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as e:
        raise InputError(f"{name}: its implicit tiling is not built as the standard says ({e!r})") from e
    if not 1 <= out.subtree_levels <= MAX_LEVELS[fan] or not 1 <= out.levels <= 40:
        raise InputError(
            f"{name}: subtrees of {out.subtree_levels} levels, at most {MAX_LEVELS[fan]} are read"
        )
    return out


def expand_subtree(tiling: Implicit, place: Place, read: Read, name: str) -> dict[str, Any] | None:
    """Return the tiles of one subtree as rows like those of a ``tileset.json``, without volumes.

    A further subtree stands as a row with ``subtree: (level, x, y, z)``. None: its root is not there.

    Raises
    ------
    InputError : damaged, or bits missing
    """
    address = tiling.fill(tiling.subtrees, place)
    doc, binary = _open(read(address), address)
    bits = _Bits(doc, binary, read, address)
    n = tiling.subtree_levels
    total = (tiling.fan**n - 1) // (tiling.fan - 1)
    there = bits.get(doc.get("tileAvailability"), total)
    said = doc.get("contentAvailability")
    said = said if isinstance(said, list) else [said]
    filled = [bits.get(row, total) for row in said]
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for level in range(n):
        first = (tiling.fan**level - 1) // (tiling.fan - 1)
        for m in np.flatnonzero(there[first : first + tiling.fan**level]).tolist():
            at = _place(tiling, place, level, m)
            row = {"geometricError": tiling.error_m / 2.0 ** at[0], "refine": tiling.refine, "children": []}
            uris = [u for u, f in zip(tiling.contents, filled, strict=False) if f[first + m]]
            row["contents"] = [{"uri": tiling.fill(u, at)} for u in uris]
            rows[level, m] = row
            if level and (above := rows.get((level - 1, m // tiling.fan))) is not None:
                above["children"].append(row)
    further = bits.get(doc.get("childSubtreeAvailability"), tiling.fan**n)
    for m in np.flatnonzero(further).tolist():
        if (above := rows.get((n - 1, m // tiling.fan))) is not None and place[0] + n < tiling.levels:
            above["children"].append({"subtree": _place(tiling, place, n, m)})
    return rows.get((0, 0))


def _open(data: bytes, name: str) -> tuple[dict[str, Any], bytes]:
    if data[:4] != b"subt":
        return parse_json(data, name), b""
    if len(data) < 24:
        raise InputError(f"{name}: cut off after {len(data)} bytes; copy it again")
    text, body = struct.unpack_from("<QQ", data, 8)
    if 24 + text + body > len(data):
        raise InputError(f"{name}: cut off, {len(data)} of {24 + text + body} bytes are there; copy it again")
    return parse_json(data[24 : 24 + text], name), data[24 + text : 24 + text + body]


class _Bits:
    """Availability: a constant, or bits of a buffer view."""

    def __init__(self, doc: dict[str, Any], binary: bytes, read: Read, name: str) -> None:
        self.doc, self.binary, self.read, self.name = doc, binary, read, name

    def get(self, row: Any, count: int) -> NDArray[np.bool_]:
        if row is None:
            return np.zeros(count, bool)
        try:
            if row.get("constant") is not None:
                return np.full(count, bool(row["constant"]))
            view = self.doc["bufferViews"][row.get("bitstream", row.get("bufferView"))]
            buffer = self.doc["buffers"][view["buffer"]]
            data = self.read(buffer["uri"]) if "uri" in buffer else self.binary
            start, length = int(view["byteOffset"]), int(view["byteLength"])
        except (KeyError, TypeError, IndexError, AttributeError, ValueError) as e:
            raise InputError(
                f"{self.name}: its availability is not built as the standard says ({e!r})"
            ) from e
        if start < 0 or start + length > len(data) or length * 8 < count:
            raise InputError(f"{self.name}: {count} bits are needed, {length} bytes are said; copy it again")
        bits = np.unpackbits(np.frombuffer(data, np.uint8, length, start), bitorder="little")
        return np.asarray(bits[:count].astype(bool))


def _place(tiling: Implicit, place: Place, level: int, morton: int) -> Place:
    """Level, x, y, z in the whole tree of a tile that is ``morton`` within its subtree's ``level``."""
    step = 2 if tiling.fan == 4 else 3
    x = y = z = 0
    for bit in range(level):
        group = morton >> (step * bit)
        x |= (group & 1) << bit
        y |= (group >> 1 & 1) << bit
        z |= (group >> 2 & 1) << bit if step == 3 else 0
    return place[0] + level, (place[1] << level) + x, (place[2] << level) + y, (place[3] << level) + z
