"""Textured meshes as binary glTF 2.0 (``.glb``): what a tile holds, written for viewers without codecs.

Everything here is z-up, as maps are: x east, y north, z up, metres. glTF is y-up; the turn is made when
writing and undone when reading, so that no caller ever meets it.

Source: Khronos, glTF 2.0 Specification; KHR_materials_unlit; EXT_mesh_features.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.model.errors import InputError

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

MAGIC = b"glTF"
JSON_CHUNK, BIN_CHUNK = 0x4E4F534A, 0x004E4942
ARRAY_BUFFER, ELEMENT_BUFFER = 34962, 34963
POINTS, TRIANGLES = 0, 4
CLAMP, REPEAT = 33071, 10497
LINEAR = 9729
FLOAT, UINT8, UINT16, UINT32 = 5126, 5121, 5123, 5125
MAX_JSON_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture; ``mime`` is ``image/jpeg`` or ``image/png``."""

    data: bytes
    mime: str


@dataclass(frozen=True, slots=True)
class Material:
    """How a surface looks without light: ``colour`` (linear RGBA, 0 to 1) times the picture."""

    picture: Picture | None = None
    colour: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    alpha: str = "OPAQUE"
    double_sided: bool = True
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One surface with one material, or points where ``triangles`` is None.

    ``positions`` (n, 3) m, z-up; ``triangles`` (m, 3) rows of ``positions``, counter-clockwise from
    outside; ``uv`` (n, 2) with v = 0 at the picture's upper edge, floats or uint16 (65535 is 1);
    ``normals`` (n, 3); ``colours`` (n, 4) uint8 RGBA; ``features`` (n,) number of the thing a vertex
    belongs to.
    """

    positions: Floats
    triangles: Ints | None
    material: Material = field(default_factory=Material)
    uv: Floats | NDArray[np.uint16] | None = None
    normals: Floats | None = None
    colours: NDArray[np.uint8] | None = None
    features: Ints | None = None


def write_glb(parts: Sequence[Part], *, generator: str = "County Twin") -> bytes:
    """Write ``parts`` as one glb: unlit, pictures embedded and stored once, indices as short as they can be.

    Positions are stored as float32: give them relative to the tile's own centre and put that centre in
    the tile's ``transform``.

    Raises
    ------
    InputError : nothing to write, or a part whose arrays do not fit together
    """
    if not parts:
        raise InputError("a tile without a surface cannot be written; leave its content out")
    writer = _Writer()
    primitives = [writer.add_part(part) for part in parts]
    doc: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": generator},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": primitives}],
        "accessors": writer.accessors,
        "bufferViews": writer.views,
        "buffers": [{"byteLength": len(writer.blob)}],
        "materials": writer.materials,
    }
    used = ["KHR_materials_unlit"] + (["EXT_mesh_features"] if writer.has_features else [])
    doc["extensionsUsed"] = used
    for key in ("images", "textures", "samplers"):
        if rows := getattr(writer, key):
            doc[key] = rows
    return pack_glb(doc, bytes(writer.blob))


def pack_glb(doc: dict[str, Any], blob: bytes) -> bytes:
    """Put a glTF document and its buffer into the binary container."""
    text = json.dumps(doc, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    blob += b"\0" * (-len(blob) % 4)
    total = 12 + 8 + len(text) + (8 + len(blob) if blob else 0)
    out = [struct.pack("<4sII", MAGIC, 2, total), struct.pack("<II", len(text), JSON_CHUNK), text]
    if blob:
        out += [struct.pack("<II", len(blob), BIN_CHUNK), blob]
    return b"".join(out)


def unpack_glb(data: bytes | memoryview, name: str) -> tuple[dict[str, Any], memoryview]:
    """Return the document and the buffer of a glTF 2.0 container; nothing is trusted, nothing copied.

    Raises
    ------
    InputError : wrong magic or version, cut off, lengths beyond the file, JSON that is none
    """
    view = memoryview(data)
    if len(view) < 20 or bytes(view[:4]) != MAGIC:
        raise InputError(f"{name}: not a glb file (it does not begin with 'glTF'); export it again")
    _, version, total = struct.unpack_from("<4sII", view)
    if version != 2:
        raise InputError(f"{name}: binary glTF version {version}; version 2 is read here")
    if total > len(view):
        raise InputError(f"{name}: cut off, {len(view)} of {total} bytes are there; copy it again")
    doc: dict[str, Any] | None = None
    blob = view[:0]
    at = 12
    while at + 8 <= total:
        length, kind = struct.unpack_from("<II", view, at)
        if length > total - at - 8:
            raise InputError(f"{name}: a part says {length} bytes, {total - at - 8} are left; copy it again")
        body = view[at + 8 : at + 8 + length]
        if doc is None:
            if kind != JSON_CHUNK:
                raise InputError(f"{name}: its first part is not JSON; export it again")
            doc = parse_json(body, name)
        elif kind == BIN_CHUNK and not len(blob):
            blob = body
        at += 8 + length
    if doc is None:
        raise InputError(f"{name}: holds no JSON; export it again")
    return doc, blob


def parse_json(body: bytes | memoryview, name: str) -> dict[str, Any]:
    """Read a JSON object of a file; depth and length are bounded.

    Raises
    ------
    InputError : too long, too deep, not JSON, not an object
    """
    if len(body) > MAX_JSON_BYTES:
        raise InputError(f"{name}: {len(body)} bytes of JSON, more than {MAX_JSON_BYTES}; split the file")
    try:
        doc = json.loads(bytes(body).rstrip(b"\0 \n\r\t").decode("utf-8-sig"))
    except (ValueError, RecursionError) as e:
        raise InputError(f"{name}: its JSON cannot be read ({e}); export it again") from e
    if not isinstance(doc, dict):
        raise InputError(f"{name}: its JSON is not an object; export it again")
    return doc


def to_y_up(xyz: Floats) -> NDArray[np.float32]:
    """Turn map axes (east, north, up) into glTF axes (east, up, south)."""
    out = np.empty((len(xyz), 3), np.float32)
    out[:, 0], out[:, 1], out[:, 2] = xyz[:, 0], xyz[:, 2], -xyz[:, 1]
    return out


class _Writer:
    """Collects buffer views, accessors, pictures and materials; equal ones are stored once."""

    def __init__(self) -> None:
        self.blob = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self.materials: list[dict[str, Any]] = []
        self.images: list[dict[str, Any]] = []
        self.textures: list[dict[str, Any]] = []
        self.samplers: list[dict[str, Any]] = []
        self.has_features = False
        self._known: dict[Any, int] = {}

    def add_part(self, part: Part) -> dict[str, Any]:
        n = len(part.positions)
        _check(part, n)
        xyz = to_y_up(part.positions)
        attributes = {"POSITION": self._add_array(xyz, FLOAT, "VEC3", bounds=True)}
        if part.normals is not None:
            attributes["NORMAL"] = self._add_array(to_y_up(part.normals), FLOAT, "VEC3")
        if part.uv is not None:
            short = part.uv.dtype == np.uint16  # 0..65535 for 0..1: half the bytes
            kind, uv = (UINT16, part.uv) if short else (FLOAT, part.uv.astype("<f4"))
            attributes["TEXCOORD_0"] = self._add_array(uv, kind, "VEC2", normalized=short)
        if part.colours is not None:
            attributes["COLOR_0"] = self._add_array(part.colours, UINT8, "VEC4", normalized=True)
        out: dict[str, Any] = {"attributes": attributes, "material": self._add_material(part.material)}
        if part.features is not None:
            attributes["_FEATURE_ID_0"] = self._add_array(part.features.astype("<f4"), FLOAT, "SCALAR")
            count = len(np.unique(part.features))
            out["extensions"] = {
                "EXT_mesh_features": {"featureIds": [{"featureCount": count, "attribute": 0}]}
            }
            self.has_features = True
        if part.triangles is None:
            out["mode"] = POINTS
            return out
        rows = part.triangles.reshape(-1)
        # The highest index of each width is kept free: some graphics libraries restart the strip there.
        kind, dtype = (UINT16, "<u2") if n <= 65535 else (UINT32, "<u4")
        out["indices"] = self._add_array(rows.astype(dtype), kind, "SCALAR", target=ELEMENT_BUFFER)
        out["mode"] = TRIANGLES
        return out

    def _add_view(self, data: bytes, target: int | None) -> int:
        self.blob += b"\0" * (-len(self.blob) % 4)
        row: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.blob), "byteLength": len(data)}
        if target is not None:
            row["target"] = target
        self.blob += data
        self.views.append(row)
        return len(self.views) - 1

    def _add_array(
        self, array: NDArray[Any], component: int, kind: str, *, target: int = ARRAY_BUFFER,
        bounds: bool = False, normalized: bool = False,
    ) -> int:  # fmt: skip
        view = self._add_view(np.ascontiguousarray(array).tobytes(), target)
        row: dict[str, Any] = {
            "bufferView": view, "componentType": component, "count": len(array), "type": kind,
        }  # fmt: skip
        if normalized:
            row["normalized"] = True
        if bounds:
            row["min"] = [float(v) for v in array.min(axis=0)]
            row["max"] = [float(v) for v in array.max(axis=0)]
        self.accessors.append(row)
        return len(self.accessors) - 1

    def _add_material(self, material: Material) -> int:
        if material in self._known:
            return self._known[material]
        pbr: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 1.0}
        if material.colour != (1.0, 1.0, 1.0, 1.0):
            pbr["baseColorFactor"] = list(material.colour)
        if material.picture is not None:
            pbr["baseColorTexture"] = {"index": self._add_texture(material.picture, material.repeat)}
        row: dict[str, Any] = {"pbrMetallicRoughness": pbr, "extensions": {"KHR_materials_unlit": {}}}
        if material.alpha != "OPAQUE":
            row["alphaMode"] = material.alpha
        if material.double_sided:
            row["doubleSided"] = True
        self.materials.append(row)
        self._known[material] = len(self.materials) - 1
        return self._known[material]

    def _add_texture(self, picture: Picture, repeat: bool) -> int:
        wrap = REPEAT if repeat else CLAMP
        sampler = {"magFilter": LINEAR, "minFilter": LINEAR, "wrapS": wrap, "wrapT": wrap}
        if sampler not in self.samplers:
            self.samplers.append(sampler)
        if picture not in self._known:
            self.images.append({"bufferView": self._add_view(picture.data, None), "mimeType": picture.mime})
            self._known[picture] = len(self.images) - 1
        row = {"sampler": self.samplers.index(sampler), "source": self._known[picture]}
        if row not in self.textures:
            self.textures.append(row)
        return self.textures.index(row)


def _check(part: Part, n: int) -> None:
    if not n or part.positions.shape != (n, 3) or not np.isfinite(part.positions).all():
        raise InputError(f"positions of a surface must be finite and (n, 3), not {part.positions.shape}")
    for name, width in (("uv", 2), ("normals", 3), ("colours", 4)):
        array = getattr(part, name)
        if array is not None and array.shape != (n, width):
            raise InputError(f"{name} must have the shape ({n}, {width}), not {array.shape}")
    if part.features is not None and part.features.shape != (n,):
        raise InputError(f"features must have the shape ({n},), not {part.features.shape}")
    rows = part.triangles
    if rows is None:
        return
    if rows.ndim != 2 or rows.shape[1] != 3 or not len(rows):
        raise InputError(f"triangles must have the shape (m, 3), not {rows.shape}")
    if int(rows.min()) < 0 or int(rows.max()) >= n:
        raise InputError(f"a triangle names vertex {int(rows.max())}; there are {n}")
