"""The tile formats of 3D Tiles 1.0: b3dm, i3dm, pnts and cmpt, brought to plain surfaces.

Source: OGC 18-053r2, 3D Tiles Specification 1.0.
"""

import json
import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.tiles.accessors import Fetch
from ingest.tiles.draco import decode_draco
from ingest.tiles.glb import MAGIC, Material, Part, parse_json
from ingest.tiles.gltf import Content, read_gltf
from twin.model.errors import InputError

Floats = NDArray[np.float64]
MAX_PARTS = 256
MAX_DEPTH = 8
MAX_VERTICES = 20_000_000
TYPES = {"BYTE": "<i1", "UNSIGNED_BYTE": "<u1", "SHORT": "<i2", "UNSIGNED_SHORT": "<u2", "INT": "<i4",
         "UNSIGNED_INT": "<u4", "FLOAT": "<f4", "DOUBLE": "<f8"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A feature or batch table: JSON with numbers that may lie in a binary body."""

    name: str
    doc: dict[str, Any]
    body: memoryview

    def array(self, key: str, dtype: str, count: int, width: int) -> NDArray[Any] | None:
        """Return (count, width) numbers of ``key``, or None where the table has none.

        Raises
        ------
        InputError : they reach beyond the table
        """
        value = self.doc.get(key)
        if value is None:
            return None
        if isinstance(value, dict):
            start = value.get("byteOffset", -1)
            kind = np.dtype(TYPES.get(str(value.get("componentType")), dtype))
            size = kind.itemsize * width * count
            if not isinstance(start, int) or start < 0 or start + size > len(self.body):
                raise InputError(
                    f"{self.name}: {key} needs {size} bytes at {start}, {len(self.body)} are there"
                )
            return np.frombuffer(self.body, kind, width * count, start).reshape(count, width)
        out = np.array(value, float).reshape(-1, width)
        if len(out) != count:
            raise InputError(f"{self.name}: {key} has {len(out)} rows, not {count}; export it again")
        return out

    def count(self, key: str) -> int:
        """Return a whole number of the table's JSON, 0 where it says none."""
        value = self.doc.get(key, 0)
        if isinstance(value, dict):
            found = self.array(key, "<u4", 1, 1)
            value = int(found[0, 0]) if found is not None else 0
        if not isinstance(value, int) or not 0 <= value <= MAX_VERTICES:
            raise InputError(
                f"{self.name}: {key} is {value}; at most {MAX_VERTICES} are read; split the tile"
            )
        return value

    def vector(self, key: str) -> Floats | None:
        """Return three numbers of the table."""
        found = self.array(key, "<f4", 1, 3)
        return None if found is None else found[0].astype(float)


def read_content(
    data: bytes | memoryview, name: str, fetch: Fetch, *, up: str = "Y", depth: int = 0
) -> Content:
    """Read the content of a tile of any kind; the first four bytes tell which.

    Raises
    ------
    InputError : unknown, damaged, or needs what is not read here
    """
    view = memoryview(data)
    magic = bytes(view[:4])
    if magic == MAGIC or magic[:1] in (b"{", b" ", b"\xef"):
        return read_gltf(view, name, fetch, up=up)
    if magic not in (b"b3dm", b"i3dm", b"pnts", b"cmpt"):
        raise InputError(
            f"{name}: no tile (it begins with {magic!r}); b3dm, i3dm, pnts, cmpt and glb are read"
        )
    if len(view) < 16:
        raise InputError(f"{name}: cut off after {len(view)} bytes; copy it again")
    version, total = struct.unpack_from("<II", view, 4)
    if version != 1:
        raise InputError(f"{name}: {magic.decode()} version {version}; version 1 is read here")
    if not 16 <= total <= len(view):
        raise InputError(f"{name}: cut off, {len(view)} of {total} bytes are there; copy it again")
    view = view[:total]
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            if magic == b"b3dm":
                return _read_b3dm(view, name, fetch, up)
            if magic == b"i3dm":
                return _read_i3dm(view, name, fetch, up)
            if magic == b"pnts":
                return _read_pnts(view, name)
            return _read_cmpt(view, name, fetch, up, depth)
    except (struct.error, KeyError, TypeError, ValueError) as e:
        raise InputError(f"{name}: its {magic.decode()} is not built as the standard says ({e!r})") from e


def _tables(
    view: memoryview, at: int, lengths: tuple[int, ...], name: str
) -> tuple[Table, Table, memoryview]:
    """Feature table, batch table and what comes after them."""
    if at + sum(lengths) > len(view):
        raise InputError(
            f"{name}: its tables say {sum(lengths)} bytes, {len(view) - at} are left; copy it again"
        )
    parts = []
    for length in lengths:
        parts.append(view[at : at + length])
        at += length
    docs = [parse_json(part, name) if len(part) else {} for part in (parts[0], parts[2])]
    return Table(name, docs[0], parts[1]), Table(name, docs[1], parts[3]), view[at:]


def _read_b3dm(view: memoryview, name: str, fetch: Fetch, up: str) -> Content:
    lengths = struct.unpack_from("<IIII", view, 12)
    at = 28
    if bytes(view[20:24]) == MAGIC:  # header of the very first draft: batch table, batch length
        lengths, at = (0, 0, struct.unpack_from("<I", view, 12)[0], 0), 20
    elif bytes(view[24:28]) == MAGIC:  # and of the second
        lengths, at = (0, 0, *struct.unpack_from("<II", view, 12)), 24
    table, _, rest = _tables(view, at, lengths, name)
    content = read_gltf(rest, name, fetch, up=up)
    moved = table.vector("RTC_CENTER")
    return content if moved is None else Content(content.parts, content.centre + moved)


def _read_i3dm(view: memoryview, name: str, fetch: Fetch, up: str) -> Content:
    table, _, rest = _tables(view, 32, struct.unpack_from("<IIII", view, 12), name)
    embedded = struct.unpack_from("<I", view, 28)[0]
    if not embedded:
        rest = memoryview(fetch(bytes(rest).rstrip(b"\0 ").decode("utf-8")))
    model = read_gltf(rest, name, fetch, up=up)
    n = table.count("INSTANCES_LENGTH")
    size = sum(len(p.positions) for p in model.parts) * n
    if not n or size > MAX_VERTICES:
        raise InputError(
            f"{name}: {n} instances make {size} vertices, more than {MAX_VERTICES}; split the tile"
        )
    places, centre = _positions(table, n)
    turns = _turns(table, n, places, centre)
    sizes = np.ones((n, 3))
    for key, width in (("SCALE", 1), ("SCALE_NON_UNIFORM", 3)):
        found = table.array(key, "<f4", n, width)
        if found is not None:
            sizes = sizes * found
    return Content([_repeat(p, model.centre, places, turns, sizes) for p in model.parts], centre)


def _repeat(part: Part, shift: Floats, places: Floats, turns: Floats, sizes: Floats) -> Part:
    n, count = len(places), len(part.positions)
    local = (part.positions + shift)[None] * sizes[:, None]
    xyz = (np.einsum("nij,nvj->nvi", turns, local) + places[:, None]).reshape(-1, 3)
    rows = None
    if part.triangles is not None:
        rows = (part.triangles[None] + (np.arange(n) * count)[:, None, None]).reshape(-1, 3)

    def tile(array: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if array is None else np.tile(array, (n, 1))

    features = np.repeat(np.arange(n), count)
    return replace(part, positions=xyz, triangles=rows, uv=tile(part.uv), colours=tile(part.colours),
                   features=features)  # fmt: skip


def _positions(table: Table, n: int) -> tuple[Floats, Floats]:
    """Positions (n, 3) and their centre (3,)."""
    centre = table.vector("RTC_CENTER")
    centre = np.zeros(3) if centre is None else centre
    found = table.array("POSITION", "<f4", n, 3)
    if found is not None:
        return found.astype(float), centre
    packed = table.array("POSITION_QUANTIZED", "<u2", n, 3)
    offset, scale = table.vector("QUANTIZED_VOLUME_OFFSET"), table.vector("QUANTIZED_VOLUME_SCALE")
    if packed is None or offset is None or scale is None:
        raise InputError(f"{table.name}: its feature table has no POSITION; export it again")
    return packed / 65535.0 * scale + offset, centre


def _turns(table: Table, n: int, places: Floats, centre: Floats) -> Floats:
    """Rotation of each instance, (n, 3, 3); x goes to the right vector, y to the up vector."""
    up, right = table.array("NORMAL_UP", "<f4", n, 3), table.array("NORMAL_RIGHT", "<f4", n, 3)
    if up is None or right is None:
        packed_up = table.array("NORMAL_UP_OCT32P", "<u2", n, 2)
        packed_right = table.array("NORMAL_RIGHT_OCT32P", "<u2", n, 2)
        if packed_up is not None and packed_right is not None:
            up, right = _unfold(packed_up, 65535.0), _unfold(packed_right, 65535.0)
    if up is not None and right is not None:
        forward = np.cross(right, up)
        return np.asarray(np.stack([right, up, forward], axis=-1), float)
    if table.doc.get("EAST_NORTH_UP"):
        high = places + centre
        z = high / np.linalg.norm(high, axis=1, keepdims=True)
        east = np.cross(np.array([0.0, 0.0, 1.0]), z)
        east /= np.maximum(np.linalg.norm(east, axis=1, keepdims=True), 1e-12)
        return np.stack([east, np.cross(z, east), z], axis=-1)
    return np.tile(np.eye(3), (n, 1, 1))


def _unfold(packed: NDArray[Any], top: float) -> Floats:
    """Directions from octahedral coordinates."""
    xy = packed / top * 2.0 - 1.0
    z = 1.0 - np.abs(xy).sum(axis=1)
    folded = (1.0 - np.abs(xy[:, ::-1])) * np.where(xy >= 0.0, 1.0, -1.0)
    out = np.column_stack([np.where(z[:, None] < 0.0, folded, xy), z])
    return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))


def _read_pnts(view: memoryview, name: str) -> Content:
    table, _, _ = _tables(view, 28, struct.unpack_from("<IIII", view, 12), name)
    n = table.count("POINTS_LENGTH")
    if not n:
        raise InputError(f"{name}: a point cloud without points; leave it out")
    packed = (table.doc.get("extensions") or {}).get("3DTILES_draco_point_compression")
    if packed:
        start, length = int(packed["byteOffset"]), int(packed["byteLength"])
        if not 0 <= start <= start + length <= len(table.body):
            raise InputError(f"{name}: its Draco data lie beyond the file; copy it again")
        arrays, _ = decode_draco(table.body[start : start + length], dict(packed["properties"]), name)
        xyz, centre = arrays["POSITION"].astype(float), table.vector("RTC_CENTER")
        centre = np.zeros(3) if centre is None else centre
        colours = _fill_alpha(arrays.get("RGB", arrays.get("RGBA")), n)
    else:
        xyz, centre = _positions(table, n)
        colours = _point_colours(table, n)
    if not np.isfinite(xyz).all():
        raise InputError(f"{name}: holds positions that are no numbers; export it again")
    return Content([Part(xyz, None, Material(), colours=colours)], centre)


def _point_colours(table: Table, n: int) -> NDArray[np.uint8]:
    for key, width in (("RGBA", 4), ("RGB", 3)):
        found = table.array(key, "<u1", n, width)
        if found is not None:
            return _fill_alpha(found, n)
    packed = table.array("RGB565", "<u2", n, 1)
    if packed is not None:
        v = packed[:, 0].astype(np.uint32)
        rgb = np.stack([(v >> 11) * 255 // 31, (v >> 5 & 63) * 255 // 63, (v & 31) * 255 // 31], axis=1)
        return _fill_alpha(rgb, n)
    one = table.array("CONSTANT_RGBA", "<u1", 1, 4)
    return _fill_alpha(None if one is None else np.tile(one, (n, 1)), n)


def _fill_alpha(colours: NDArray[Any] | None, n: int) -> NDArray[np.uint8]:
    out = np.full((n, 4), 255, np.uint8)
    if colours is not None:
        out[:, : colours.shape[1]] = np.clip(np.nan_to_num(colours), 0, 255)
    return out


def _read_cmpt(view: memoryview, name: str, fetch: Fetch, up: str, depth: int) -> Content:
    count = struct.unpack_from("<I", view, 12)[0]
    if count > MAX_PARTS or depth >= MAX_DEPTH:
        raise InputError(f"{name}: a composite of {count} tiles, {depth} deep; split the tile")
    contents, at = [], 16
    for i in range(count):
        if at + 12 > len(view):
            raise InputError(f"{name}: {i} of {count} inner tiles are there; copy it again")
        length = struct.unpack_from("<I", view, at + 8)[0]
        if length < 12 or at + length > len(view):
            raise InputError(
                f"{name}: inner tile {i} says {length} bytes, {len(view) - at} are left; copy it again"
            )
        contents.append(read_content(view[at : at + length], f"{name}[{i}]", fetch, up=up, depth=depth + 1))
        at += length
    if not contents:
        return Content([], np.zeros(3))
    centre = contents[0].centre
    parts = [
        replace(part, positions=part.positions + (c.centre - centre)) for c in contents for part in c.parts
    ]
    return Content(parts, centre)


def pack_b3dm(glb: bytes, feature_table: dict[str, Any] | None = None) -> bytes:
    """Put a glb into a b3dm, as old exporters do (for tests and benches)."""
    text = json.dumps(feature_table or {"BATCH_LENGTH": 0}).encode()
    text += b" " * (-(28 + len(text)) % 8)
    return struct.pack("<4sIIIIII", b"b3dm", 1, 28 + len(text) + len(glb), len(text), 0, 0, 0) + text + glb
