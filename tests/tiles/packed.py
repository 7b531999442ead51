"""Squares packed with Draco and with meshoptimizer."""

import ctypes
from typing import Any

import DracoPy
import numpy as np

from ingest.tiles.glb import pack_glb
from ingest.tiles.meshopt import _library
from tests.tiles.make import PBR, ROWS, SQUARE, UV, make_square, pack

Y_UP = np.stack([SQUARE[:, 0], SQUARE[:, 2], -SQUARE[:, 1]], axis=1).astype("<f4")


def make_draco(picture: bytes) -> bytes:
    blob = DracoPy.encode(
        Y_UP, ROWS.reshape(-1, 3).astype(np.uint32), quantization_bits=16, tex_coord=UV.astype(float)
    )
    known = {a["attribute_type"]: a["unique_id"] for a in DracoPy.decode(blob).attributes}
    said = {"bufferView": 4, "attributes": {"POSITION": known[0], "TEXCOORD_0": known[3]}}
    doc: dict[str, Any] = {
        "asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "extensionsRequired": ["KHR_draco_mesh_compression"],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2,
                                    "material": 0, "extensions": {"KHR_draco_mesh_compression": said}}]}],
        "accessors": [{"componentType": 5126, "count": 4, "type": "VEC3"}] * 3,
        "materials": [PBR], "textures": [{"source": 0}],
        "images": [{"bufferView": 3, "mimeType": "image/jpeg"}],
    }  # fmt: skip
    return pack_glb(*pack(doc, [b"", b"", b"", picture, blob]))


def make_meshopt(picture: bytes) -> bytes:
    """Positions in a view packed by the library itself."""
    lib = _library()
    rows = np.zeros((4, 4), "<f4")  # a stride of 16
    rows[:, :3] = Y_UP
    lib.meshopt_encodeVertexBufferBound.restype = ctypes.c_size_t
    lib.meshopt_encodeVertexBuffer.restype = ctypes.c_size_t
    lib.meshopt_encodeVertexBuffer.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p] + [
        ctypes.c_size_t
    ] * 2
    room = lib.meshopt_encodeVertexBufferBound(ctypes.c_size_t(4), ctypes.c_size_t(16))
    out = ctypes.create_string_buffer(room)
    size = lib.meshopt_encodeVertexBuffer(out, room, rows.ctypes.data, 4, 16)
    plain = make_square(PBR, picture)
    from ingest.tiles.glb import unpack_glb

    doc, blob = unpack_glb(plain, "")
    data = bytes(blob) + out.raw[:size]
    said = {
        "buffer": 0,
        "byteOffset": len(blob),
        "byteLength": size,
        "byteStride": 16,
        "count": 4,
        "mode": "ATTRIBUTES",
    }
    doc["bufferViews"][0] = {"buffer": 1, "byteLength": 64, "byteStride": 16,
                             "extensions": {"EXT_meshopt_compression": said}}  # fmt: skip
    doc["buffers"] = [{"byteLength": len(data)}, {"byteLength": 64, "extensions": {}}]
    doc["extensionsRequired"] = ["EXT_meshopt_compression"]
    return pack_glb(doc, data)
