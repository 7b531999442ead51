"""glTF 1.0 brought into the shape of 2.0: tables by name become lists by number.

Materials keep their ``values``; :mod:`ingest.tiles.gltf` reads those of every generation.

Source: Khronos, glTF 1.0; KHR_binary_glTF; KHR_materials_common.
"""

import struct
from typing import Any

from ingest.tiles.glb import MAGIC, parse_json
from twin.model.errors import InputError

HEADER = struct.Struct("<4sIIII")
TABLES = (
    "accessors",
    "bufferViews",
    "buffers",
    "images",
    "materials",
    "meshes",
    "nodes",
    "scenes",
    "textures",
)
BINARY = "binary_glTF"


def unpack_glb1(data: bytes | memoryview, name: str) -> tuple[dict[str, Any], memoryview]:
    """Return document (as 2.0) and buffer of a binary glTF 1.0.

    Raises
    ------
    InputError : cut off, lengths beyond the file, references that lead nowhere
    """
    view = memoryview(data)
    if len(view) < HEADER.size:
        raise InputError(f"{name}: cut off in its first {HEADER.size} bytes; copy it again")
    magic, _, total, length, kind = HEADER.unpack_from(view)
    if magic != MAGIC or kind != 0:
        raise InputError(f"{name}: not a binary glTF 1.0 with JSON inside; export it again")
    if total > len(view) or length > total - HEADER.size:
        raise InputError(f"{name}: cut off, {len(view)} of {total} bytes are there; copy it again")
    body = view[HEADER.size : HEADER.size + length]
    return upgrade(parse_json(body, name), name), view[HEADER.size + length : total]


def upgrade(doc: dict[str, Any], name: str) -> dict[str, Any]:
    """Turn a 1.0 document into the lists of 2.0.

    Raises
    ------
    InputError : a reference that leads nowhere, a table that is none
    """
    names: dict[str, dict[str, int]] = {}
    for table in TABLES:
        rows = doc.get(table) or {}
        if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
            raise InputError(f"{name}: {table} is not a table; is this glTF 1.0?")
        keys = sorted(rows, key=lambda key: key != BINARY) if table == "buffers" else list(rows)
        names[table] = {key: i for i, key in enumerate(keys)}

    def number(table: str, key: Any) -> int:
        try:
            return names[table][key]
        except (KeyError, TypeError) as e:
            raise InputError(f"{name}: names {key!r}, which {table} does not have; export it again") from e

    out: dict[str, Any] = {table: [dict(doc[table][key]) for key in names[table]] for table in TABLES}
    out["asset"] = {"version": "2.0"}
    out["extensionsUsed"] = doc.get("extensionsUsed", [])
    out["extensions"] = doc.get("extensions", {})
    for view in out["bufferViews"]:
        view["buffer"] = number("buffers", view.get("buffer"))
    for accessor in out["accessors"]:
        accessor["bufferView"] = number("bufferViews", accessor.get("bufferView"))
    for buffer, key in zip(out["buffers"], names["buffers"], strict=True):
        if key == BINARY:
            buffer.pop("uri", None)
    for image in out["images"]:
        if binary := (image.get("extensions") or {}).get("KHR_binary_glTF"):
            image.pop("uri", None)
            image["bufferView"] = number("bufferViews", binary.get("bufferView"))
    for texture in out["textures"]:
        texture["source"] = number("images", texture.get("source"))
        texture.pop("sampler", None)
    for material in out["materials"]:
        _upgrade_material(material, names["textures"])
    for mesh in out["meshes"]:
        for primitive in mesh.get("primitives", ()):
            _upgrade_primitive(primitive, number)
    _upgrade_nodes(out, doc, number)
    return out


def _upgrade_primitive(primitive: dict[str, Any], number: Any) -> None:
    primitive["attributes"] = {k: number("accessors", v) for k, v in primitive.get("attributes", {}).items()}
    for key, table in (("indices", "accessors"), ("material", "materials")):
        if key in primitive:
            primitive[key] = number(table, primitive[key])


def _upgrade_nodes(out: dict[str, Any], doc: dict[str, Any], number: Any) -> None:
    rows: list[dict[str, Any]] = out["nodes"]
    for node in list(rows):
        node["children"] = [number("nodes", key) for key in node.get("children", ())]
        meshes = [number("meshes", key) for key in node.pop("meshes", ())]
        for mesh in meshes[1:]:  # one mesh a node in 2.0: the others hang below it
            node["children"].append(len(rows))
            rows.append({"mesh": mesh})
        if meshes:
            node["mesh"] = meshes[0]
    for scene in out["scenes"]:
        scene["nodes"] = [number("nodes", key) for key in scene.get("nodes", ())]
    if "scene" in doc:
        out["scene"] = number("scenes", doc["scene"])


def _upgrade_material(material: dict[str, Any], textures: dict[str, int]) -> None:
    """Texture names inside ``values`` become numbers in the form of 2.0."""
    common = (material.get("extensions") or {}).get("KHR_materials_common") or {}
    for values in (material.get("values") or {}, common.get("values") or {}):
        for key, value in list(values.items()):
            if isinstance(value, str) and value in textures:
                values[key] = {"index": textures[value]}
