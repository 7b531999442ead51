"""Sources as other programs write them, made small."""

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ingest.county import save_county
from ingest.tiles.frames import enu_matrix
from ingest.tiles.glb import pack_glb
from tests.support.tiny import make_tiny_county

SQUARE = np.array([[0.0, 0, 0], [10, 0, 0], [10, 20, 0], [0, 20, 4]], "<f4")
UV = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], "<f4")
ROWS = np.array([0, 1, 2, 0, 2, 3], "<u2")


def make_county(folder: Path) -> tuple[Path, tuple[float, float]]:
    """A county folder, and its centre."""
    county = make_tiny_county()
    save_county(county, folder)
    return folder, county.meta.center


def make_jpeg(red: int = 150, green: int = 110, blue: int = 70, side: int = 64) -> bytes:
    """A picture with the colours of tiles and soil, not grey, and with some grain."""
    grain = np.random.default_rng(1).integers(-30, 30, (side, side, 1))
    rgb = np.clip(np.array([red, green, blue]) + grain, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=85)
    return out.getvalue()


def pack(doc: dict[str, Any], pieces: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """Add buffer views for ``pieces`` in order to a 2.0 document."""
    blob = b""
    views = []
    for piece in pieces:
        blob += b"\0" * (-len(blob) % 4)
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(piece), "byteStride": 0})
        blob += piece
    return doc | {"bufferViews": views, "buffers": [{"byteLength": len(blob)}]}, blob


def make_square(material: dict[str, Any], picture: bytes, mime: str = "image/jpeg", *, turn: bool = True,
                **more: Any) -> bytes:  # fmt: skip
    """A glb 2.0 of one textured square, y-up unless ``turn`` is False."""
    xyz = np.stack([SQUARE[:, 0], SQUARE[:, 2], -SQUARE[:, 1]], axis=1) if turn else SQUARE
    doc = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [1.0]}],
        "nodes": [{"mesh": 0}, {"children": [0.0]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2,
                                    "material": 0}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5126, "count": 4, "type": "VEC2"},
            {"bufferView": 2, "componentType": 5123, "count": 6, "type": "SCALAR"},
        ],
        "materials": [material], "textures": [{"source": 0}],
        "images": [{"bufferView": 3, "mimeType": mime}],
    } | more  # fmt: skip
    return pack_glb(*pack(doc, [xyz.astype("<f4").tobytes(), UV.tobytes(), ROWS.tobytes(), picture]))


WEBGL = {"extensions": {"KHR_technique_webgl": {"technique": 0, "values": {"diffuse": 0}}},
         "technique": 0, "values": {"diffuse": {"index": 0, "texCoord": 0}}}  # fmt: skip
"""The material that CesiumLab 1 writes, with float node numbers and byteStride 0 around it."""
PBR = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}


def make_glb1(picture: bytes) -> bytes:
    """A binary glTF 1.0 with KHR_materials_common."""
    pieces = [SQUARE[:, [0, 2, 1]] * np.array([1, 1, -1], "<f4"), UV, ROWS]
    blob = b"".join(p.tobytes() for p in pieces) + picture
    views, at = {}, 0
    for name, size in zip(("xyz", "uv", "rows", "jpg"), (48, 32, 12, len(picture)), strict=True):
        views[name] = {"buffer": "binary_glTF", "byteOffset": at, "byteLength": size}
        at += size
    doc = {
        "extensionsUsed": ["KHR_binary_glTF", "KHR_materials_common"], "scene": "s",
        "scenes": {"s": {"nodes": ["n"]}}, "nodes": {"n": {"meshes": ["m", "m"]}},
        "meshes": {"m": {"primitives": [{"attributes": {"POSITION": "p", "TEXCOORD_0": "t"}, "indices": "i",
                                         "material": "a", "mode": 4}]}},
        "accessors": {
            "p": {"bufferView": "xyz", "byteOffset": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            "t": {"bufferView": "uv", "byteOffset": 0, "componentType": 5126, "count": 4, "type": "VEC2"},
            "i": {"bufferView": "rows", "byteOffset": 0, "componentType": 5123, "count": 6, "type": "SCALAR"},
        },
        "materials": {"a": {"extensions": {"KHR_materials_common": {"technique": "CONSTANT",
                                                                    "values": {"diffuse": "x"}}}}},
        "textures": {"x": {"source": "g", "sampler": "q"}}, "samplers": {"q": {}},
        "images": {"g": {"extensions": {"KHR_binary_glTF": {"bufferView": "jpg", "mimeType": "image/jpeg"}}}},
        "bufferViews": views, "buffers": {"binary_glTF": {"byteLength": len(blob), "type": "arraybuffer"}},
    }  # fmt: skip
    text = json.dumps(doc).encode()
    return struct.pack("<4sIIII", b"glTF", 1, 20 + len(text) + len(blob), len(text), 0) + text + blob


def legacy(magic: bytes, table: dict[str, Any], body: bytes, rest: bytes, *more: int) -> bytes:
    """A tile of 3D Tiles 1.0 around ``rest``."""
    text = json.dumps(table).encode()
    head = 28 + 4 * len(more)
    text += b" " * (-(head + len(text)) % 8)
    total = head + len(text) + len(body) + len(rest)
    return (
        struct.pack("<4sIIIIII", magic, 1, total, len(text), len(body), 0, 0)
        + b"".join(struct.pack("<I", m) for m in more) + text + body + rest
    )  # fmt: skip


def write_tree(folder: Path, place: tuple[float, float], root: dict[str, Any], version: str = "1.0",
               **asset: str) -> Path:  # fmt: skip
    """A tileset.json whose root stands at ``place`` (lon, lat), 400 m up."""
    folder.mkdir(parents=True, exist_ok=True)
    matrix = enu_matrix(*place, 400.0).T.ravel().tolist()
    root = {"boundingVolume": {"sphere": [0, 0, 0, 100]}, "geometricError": 8} | root | {"transform": matrix}
    doc = {"asset": {"version": version} | asset, "geometricError": 100, "root": root}
    (folder / "tileset.json").write_text(json.dumps(doc))
    return folder


def leaf(uri: str, error: float = 0.0, **more: Any) -> dict[str, Any]:
    """One tile with a content."""
    return {"boundingVolume": {"box": [0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9]}, "geometricError": error,
            "content": {"uri": uri}} | more  # fmt: skip
