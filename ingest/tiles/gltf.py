"""glTF of any generation as surfaces: 2.0, 1.0, with the materials and packings that tiles come with.

Node transforms are applied, light is left out, pictures become JPEG or PNG. What would be drawn wrong
without a word is refused by the name of its extension.

Source: Khronos, glTF 2.0 and 1.0; KHR_technique_webgl, KHR_materials_common, KHR_draco_mesh_compression.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.tiles.accessors import Fetch, Numbers, no_files, read_uri
from ingest.tiles.draco import decode_draco
from ingest.tiles.glb import MAGIC, Material, Part, Picture, parse_json, unpack_glb
from ingest.tiles.gltf1 import unpack_glb1, upgrade
from ingest.tiles.pictures import normalise_picture
from twin.model.errors import InputError

Floats = NDArray[np.float64]
UNDERSTOOD = frozenset({
    "CESIUM_RTC", "CESIUM_primitive_outline", "EXT_mesh_features", "EXT_meshopt_compression",
    "EXT_structural_metadata", "EXT_texture_webp", "KHR_binary_glTF", "KHR_draco_mesh_compression",
    "KHR_materials_common", "KHR_materials_emissive_strength", "KHR_materials_pbrSpecularGlossiness",
    "KHR_materials_unlit", "KHR_mesh_quantization", "KHR_meshopt_compression", "KHR_technique_webgl",
    "KHR_techniques_webgl", "KHR_texture_basisu", "KHR_texture_transform", "MSFT_texture_dds",
})  # fmt: skip
PICTURE_SOURCES = ("KHR_texture_basisu", "EXT_texture_webp", "MSFT_texture_dds")
DIFFUSE = (
    "diffuse",
    "u_diffuse",
    "tex",
    "u_tex",
    "diffuseTexture",
    "u_diffuseTexture",
    "texture0",
    "colorTex",
)
FEATURES = ("_FEATURE_ID_0", "_BATCHID", "BATCHID")
POINTS, TRIANGLES, STRIP, FAN = 0, 4, 5, 6
MAX_NODES = 100_000
MAX_NODE_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Content:
    """What one file of a tile holds; ``centre`` (3,) m is to be added to every position. All z-up."""

    parts: list[Part]
    centre: Floats


def read_gltf(data: bytes | memoryview, name: str, fetch: Fetch = no_files, *, up: str = "Y") -> Content:
    """Read a glb of any version, or the JSON of a ``.gltf``.

    Parameters
    ----------
    up : the axis that points up inside the file: ``Y`` (the standard), ``Z`` or ``X`` (old exporters)

    Raises
    ------
    InputError : damaged, or it needs what is not read here; names ``name`` and the mend
    """
    view = memoryview(data)
    if bytes(view[:4]) == MAGIC and bytes(view[4:8]) == b"\1\0\0\0":
        doc, blob = unpack_glb1(view, name)
    elif bytes(view[:4]) == MAGIC:
        doc, blob = unpack_glb(view, name)
    else:
        doc, blob = parse_json(view, name), memoryview(b"")
        if isinstance(doc.get("meshes"), dict):
            doc = upgrade(doc, name)
    reader = _Reader(Numbers(doc, blob, name, fetch), up)
    try:
        with np.errstate(invalid="ignore", over="ignore"):  # positions are looked at when they are placed
            return reader.read()
    except (TypeError, AttributeError, KeyError, IndexError, OverflowError) as e:
        raise InputError(
            f"{name}: its glTF is not built as the standard says ({e!r}); export it again"
        ) from e


class _Reader:
    def __init__(self, numbers: Numbers, up: str) -> None:
        self.numbers, self.doc, self.name = numbers, numbers.doc, numbers.name
        self.to_z_up = _AXES[up]
        self._pictures: dict[int, Picture] = {}
        self._materials: dict[Any, tuple[Material, int, Floats | None]] = {}

    def read(self) -> Content:
        needed = set(self.doc.get("extensionsRequired") or ()) - UNDERSTOOD
        if needed or "WEB3D_quantized_attributes" in (self.doc.get("extensionsUsed") or ()):
            said = ", ".join(sorted(needed)) or "WEB3D_quantized_attributes"
            raise InputError(f"{self.name}: needs {said}, which is not read here; export without it")
        rtc = (self.doc.get("extensions") or {}).get("CESIUM_RTC") or {}
        centre = np.array(rtc.get("center", (0.0, 0.0, 0.0)), float)
        if centre.shape != (3,) or not np.isfinite(centre).all():
            raise InputError(f"{self.name}: CESIUM_RTC has no centre of three numbers; export it again")
        parts: list[Part] = []
        for node, matrix in self._nodes():
            if "EXT_mesh_gpu_instancing" in (node.get("extensions") or {}):
                raise InputError(f"{self.name}: needs EXT_mesh_gpu_instancing; export without it")
            mesh = self.numbers.row("meshes", node["mesh"])
            parts += [p for row in mesh.get("primitives", ()) if (p := self._part(row, matrix)) is not None]
        shown = any(part.material.picture is not None for part in parts)
        if self.doc.get("images") and not shown and any(part.triangles is not None for part in parts):
            raise InputError(
                f"{self.name}: holds pictures, but its materials show none in a way that is understood "
                "here, and it would be drawn grey; export it with the materials of glTF 2.0"
            )
        return Content(parts, centre)

    def _nodes(self) -> list[tuple[dict[str, Any], Floats]]:
        """Every node with a mesh and its matrix; a node below itself is refused."""
        nodes = self.doc.get("nodes") or []
        scenes = self.doc.get("scenes") or []
        scene = self.doc.get("scene", 0)
        if scenes:
            roots = self.numbers.row("scenes", scene).get("nodes", [])
        else:
            below = {int(c) for node in nodes for c in node.get("children") or ()}
            roots = [i for i in range(len(nodes)) if i not in below]
        out, seen = [], 0
        stack = [(number, np.eye(4), 0) for number in reversed(roots)]
        while stack:
            number, above, depth = stack.pop()
            seen += 1
            if depth > MAX_NODE_DEPTH or seen > MAX_NODES:
                raise InputError(
                    f"{self.name}: its nodes go round in a circle or are too many; export it again"
                )
            node = self.numbers.row("nodes", number)
            matrix = above @ _node_matrix(node, self.name)
            if node.get("mesh") is not None:
                out.append((node, matrix))
            stack.extend((child, matrix, depth + 1) for child in reversed(node.get("children") or ()))
        return out

    def _part(self, row: dict[str, Any], matrix: Floats) -> Part | None:
        mode = row.get("mode", TRIANGLES)
        if mode not in (POINTS, TRIANGLES, STRIP, FAN):
            return None  # lines: nothing that a camera took
        arrays, triangles = self._arrays(row)
        if "POSITION" not in arrays or not len(arrays["POSITION"]):
            return None
        local = np.asarray(arrays["POSITION"][:, :3], float)
        xyz = (local @ matrix[:3, :3].T + matrix[:3, 3]) @ self.to_z_up.T
        if not np.isfinite(xyz).all():
            raise InputError(f"{self.name}: holds positions that are no numbers; export it again")
        material, channel, turn = self._material(row.get("material"))
        uv = arrays.get(f"TEXCOORD_{channel}")
        if uv is not None and turn is not None:
            uv = uv[:, :2] @ turn[:, :2].T + turn[:, 2]
        rows = None if mode == POINTS else _triangles(triangles, mode, len(xyz), self.name)
        if rows is not None and not len(rows):
            return None
        if rows is not None and np.linalg.det(matrix[:3, :3]) < 0.0:
            rows = rows[:, ::-1]
        if material.picture is not None and uv is None:
            raise InputError(
                f"{self.name}: a surface with a picture but without TEXCOORD_{channel}; export it again"
            )
        ids = next((arrays[key][:, 0] for key in FEATURES if key in arrays), None)
        places = (
            None if uv is None or material.picture is None else np.nan_to_num(uv[:, :2], posinf=0, neginf=0)
        )
        return Part(xyz, rows, material, places, None, _colours(arrays.get("COLOR_0")), _numbers(ids))

    def _arrays(self, row: dict[str, Any]) -> tuple[dict[str, NDArray[Any]], NDArray[Any] | None]:
        packed = (row.get("extensions") or {}).get("KHR_draco_mesh_compression")
        if packed:
            return decode_draco(
                self.numbers.view(packed["bufferView"]), dict(packed["attributes"]), self.name
            )
        arrays: dict[str, NDArray[Any]] = {}
        wanted = ("POSITION", "TEXCOORD_", "COLOR_0", *FEATURES)
        for key, number in (row.get("attributes") or {}).items():
            if key.startswith(wanted):
                arrays[key] = self.numbers.read(number)
        lengths = {len(a) for a in arrays.values()}
        if len(lengths) > 1:
            raise InputError(f"{self.name}: its attributes have {sorted(lengths)} rows; export it again")
        triangles = self.numbers.read(row["indices"])[:, 0] if row.get("indices") is not None else None
        return arrays, triangles

    def _material(self, number: Any) -> tuple[Material, int, Floats | None]:
        if number is None:
            return Material(), 0, None
        key = int(number)
        if key not in self._materials:
            self._materials[key] = self._read_material(self.numbers.row("materials", number))
        return self._materials[key]

    def _read_material(self, row: dict[str, Any]) -> tuple[Material, int, Floats | None]:
        colour, texture = find_diffuse(row)
        picture, repeat, channel, turn = None, False, 0, None
        if texture is not None:
            picture, repeat = self._picture(texture["index"])
            channel = int(texture.get("texCoord", 0))
            moved = (texture.get("extensions") or {}).get("KHR_texture_transform")
            if moved:
                channel = int(moved.get("texCoord", channel))
                turn = _uv_matrix(moved)
        alpha = str(row.get("alphaMode", "OPAQUE"))
        alpha = alpha if alpha in ("OPAQUE", "MASK", "BLEND") else "OPAQUE"
        return Material(picture, colour, alpha, True, repeat), channel, turn

    def _picture(self, number: Any) -> tuple[Picture, bool]:
        texture = self.numbers.row("textures", number)
        extensions = texture.get("extensions") or {}
        source = next(
            (extensions[k]["source"] for k in PICTURE_SOURCES if k in extensions), texture.get("source")
        )
        image, key = self.numbers.row("images", source), int(source or 0)
        if key not in self._pictures:
            if image.get("bufferView") is not None:
                data: bytes | memoryview = self.numbers.view(image["bufferView"])
            else:
                data = read_uri(str(image.get("uri", "")), self.numbers.fetch, self.name)
            self._pictures[key] = normalise_picture(data, f"{self.name} (picture {source})")
        sampler = texture.get("sampler")
        wrap = 10497 if sampler is None else self.numbers.row("samplers", sampler).get("wrapS", 10497)
        return self._pictures[key], wrap != 33071


def find_diffuse(row: dict[str, Any]) -> tuple[tuple[float, float, float, float], dict[str, Any] | None]:
    """Return colour and texture that a material of any generation shows without light."""
    pbr = row.get("pbrMetallicRoughness") or {}
    extensions = row.get("extensions") or {}
    gloss = extensions.get("KHR_materials_pbrSpecularGlossiness") or {}
    colour, texture = pbr.get("baseColorFactor"), pbr.get("baseColorTexture")
    texture = texture or gloss.get("diffuseTexture")
    colour = colour or gloss.get("diffuseFactor")
    places = [row] + [extensions.get(f"KHR_{k}") or {} for k in
                      ("technique_webgl", "techniques_webgl", "materials_common")]  # fmt: skip
    for place in places:
        values = place.get("values") or {}
        names = [*DIFFUSE, *(k for k in values if k not in DIFFUSE and "iffuse" in k)]
        for key in names:
            found = _texture_of(values.get(key))
            texture = texture or found
            if found is None and isinstance(values.get(key), list) and len(values[key]) in (3, 4):
                colour = colour or values[key]
        # Under whatever name: a value that names a texture is what the shader shows.
        texture = texture or next((v for v in values.values() if isinstance(v, dict) and "index" in v), None)
    if texture is None and row.get("emissiveTexture"):
        texture, colour = row["emissiveTexture"], None
    if colour is None:
        return (1.0, 1.0, 1.0, 1.0), texture
    r, g, b, a = (*map(float, colour), 1.0)[:4]
    return (r, g, b, a), texture


def _texture_of(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict) and isinstance(value.get("index"), int | float):
        return value
    return {"index": value} if isinstance(value, int) and not isinstance(value, bool) else None


def _uv_matrix(row: dict[str, Any]) -> Floats:
    (tx, ty), (sx, sy) = row.get("offset", (0.0, 0.0)), row.get("scale", (1.0, 1.0))
    c, s = np.cos(row.get("rotation", 0.0)), np.sin(row.get("rotation", 0.0))
    return np.array([[c * sx, s * sy, tx], [-s * sx, c * sy, ty]], float)


_AXES = {
    "Y": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "Z": np.eye(3),
    "X": np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]),
}


def _node_matrix(node: dict[str, Any], name: str) -> Floats:
    if node.get("matrix") is not None:
        matrix = np.array(node["matrix"], float)
        if matrix.shape != (16,) or not np.isfinite(matrix).all():
            raise InputError(f"{name}: the matrix of a node is not 16 finite numbers; export it again")
        return matrix.reshape(4, 4).T
    x, y, z, w = map(float, node.get("rotation") or (0, 0, 0, 1))
    turn = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.array(node.get("scale") or (1, 1, 1), float)
    matrix[:3, 3] = node.get("translation") or (0, 0, 0)
    return matrix


def _triangles(rows: NDArray[Any] | None, mode: int, count: int, name: str) -> NDArray[np.int64]:
    flat = (np.arange(count) if rows is None else rows).astype(np.int64).reshape(-1)
    if len(flat) and (int(flat.max()) >= count or int(flat.min()) < 0):
        raise InputError(f"{name}: a triangle names vertex {int(flat.max())}; there are {count}")
    if mode == TRIANGLES:
        return flat[: len(flat) // 3 * 3].reshape(-1, 3)
    if len(flat) < 3:
        return np.zeros((0, 3), np.int64)
    if mode == FAN:
        out = np.stack([np.full(len(flat) - 2, flat[0]), flat[1:-1], flat[2:]], axis=1)
    else:
        out = np.stack([flat[:-2], flat[1:-1], flat[2:]], axis=1)
        out[1::2] = out[1::2, [1, 0, 2]]
    thin = (out[:, 0] == out[:, 1]) | (out[:, 1] == out[:, 2]) | (out[:, 0] == out[:, 2])
    return np.asarray(out[~thin])


def _numbers(ids: NDArray[Any] | None) -> NDArray[np.int64] | None:
    """Feature numbers as whole ones; what is none becomes 0."""
    if ids is None:
        return None
    return np.asarray(np.rint(np.nan_to_num(ids)).clip(0, 2**24).astype(np.int64))


def _colours(values: NDArray[Any] | None) -> NDArray[np.uint8] | None:
    if values is None:
        return None
    top = 255.0 if values.dtype.kind == "f" else 255.0 / np.iinfo(values.dtype).max
    out = np.full((len(values), 4), 255, np.uint8)
    out[:, : values.shape[1]] = np.clip(np.rint(np.nan_to_num(values) * top), 0, 255)
    return out
