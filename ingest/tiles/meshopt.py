"""meshoptimizer by its C interface: simplification that keeps texture seams, and its buffer decoder.

Debian's ``libmeshoptimizer2d`` is used as it is. It is looked for when first needed; who lacks it is told
its name. Simplification moves no vertex, it only leaves some out, so texture coordinates stay true.

Source: Kapoulkine, meshoptimizer 0.18; Khronos EXT_meshopt_compression.
"""

import ctypes
from ctypes import POINTER, byref, c_float, c_int, c_size_t, c_uint, c_void_p
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.model.errors import InputError

LIBRARIES = ("libmeshoptimizer.so.2d", "libmeshoptimizer.so")
LOCK_BORDER = 1
FILTERS = ("OCTAHEDRAL", "QUATERNION", "EXPONENTIAL")
MAX_DECODED_BYTES = 1 << 30
MAX_RATIO = 512
"""The codec cannot pack tighter; a larger claim is damage."""


@cache
def _library() -> ctypes.CDLL:
    for name in LIBRARIES:
        try:
            lib = ctypes.CDLL(name)
        except OSError:
            continue
        _declare(lib)
        return lib
    raise InputError(
        "meshoptimizer is not installed; it makes the coarse levels and reads EXT_meshopt_compression: "
        "apt-get install libmeshoptimizer2d, then import again"
    )


def _declare(lib: ctypes.CDLL) -> None:
    lib.meshopt_simplify.restype = c_size_t
    lib.meshopt_simplify.argtypes = [
        c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_size_t, c_size_t, c_float, c_uint,
        POINTER(c_float),
    ]  # fmt: skip
    lib.meshopt_simplifyScale.restype = c_float
    lib.meshopt_simplifyScale.argtypes = [c_void_p, c_size_t, c_size_t]
    for name in ("decodeVertexBuffer", "decodeIndexBuffer", "decodeIndexSequence"):
        function = getattr(lib, f"meshopt_{name}")
        function.restype = c_int
        function.argtypes = [c_void_p, c_size_t, c_size_t, c_void_p, c_size_t]
    for name in ("decodeFilterOct", "decodeFilterQuat", "decodeFilterExp"):
        function = getattr(lib, f"meshopt_{name}")
        function.restype = None
        function.argtypes = [c_void_p, c_size_t, c_size_t]


def simplify(
    positions: NDArray[Any], triangles: NDArray[Any], target: int, *, lock_border: bool = True
) -> tuple[NDArray[np.uint32], float]:
    """Leave triangles out until ``target`` are left or nothing more can go.

    Parameters
    ----------
    positions : (n, 3) m; vertices that differ in texture only lie at the very same place
    triangles : (m, 3) rows of ``positions``
    lock_border : keep open edges where they are, so that neighbours still meet

    Returns
    -------
    triangles : (k, 3) rows of the same ``positions``
    error_m : farthest that the surface has moved
    """
    lib = _library()
    xyz = np.ascontiguousarray(positions, np.float32)
    rows = np.ascontiguousarray(triangles, np.uint32).reshape(-1)
    out = np.empty_like(rows)
    error = c_float(0.0)
    kept = lib.meshopt_simplify(
        out.ctypes.data, rows.ctypes.data, rows.size, xyz.ctypes.data, len(xyz), 12,
        3 * max(target, 1), 1.0, LOCK_BORDER if lock_border else 0, byref(error),
    )  # fmt: skip
    scale = float(lib.meshopt_simplifyScale(xyz.ctypes.data, len(xyz), 12))
    return out[:kept].reshape(-1, 3).copy(), float(error.value) * scale


def decode_buffer(data: bytes, count: int, stride: int, mode: str, filter_name: str, name: str) -> bytes:
    """Unpack one buffer view of EXT_meshopt_compression.

    Raises
    ------
    InputError : sizes out of bounds, unknown mode, data that do not unpack
    """
    if not (
        count > 0 and 0 < stride <= 256 and count * stride <= min(MAX_DECODED_BYTES, MAX_RATIO * len(data))
    ):
        raise InputError(f"{name}: a meshopt buffer of {count} x {stride} bytes; export it again")
    legal = {
        "ATTRIBUTES": ("meshopt_decodeVertexBuffer", stride % 4 == 0),
        "TRIANGLES": ("meshopt_decodeIndexBuffer", stride in (2, 4) and count % 3 == 0),
        "INDICES": ("meshopt_decodeIndexSequence", stride in (2, 4)),
    }
    if mode not in legal or not legal[mode][1] or filter_name not in ("NONE", *FILTERS):
        raise InputError(f"{name}: meshopt mode {mode}, filter {filter_name}, stride {stride} do not fit")
    if filter_name != "NONE" and stride not in {"OCTAHEDRAL": (4, 8), "QUATERNION": (8,)}.get(
        filter_name, (stride,)
    ):
        raise InputError(f"{name}: meshopt filter {filter_name} cannot have a stride of {stride} bytes")
    lib = _library()
    out = ctypes.create_string_buffer(count * stride)
    if getattr(lib, legal[mode][0])(out, count, stride, data, len(data)) != 0:
        raise InputError(f"{name}: its meshopt data are damaged; copy or export it again")
    if filter_name != "NONE":
        short = {"OCTAHEDRAL": "Oct", "QUATERNION": "Quat", "EXPONENTIAL": "Exp"}[filter_name]
        getattr(lib, f"meshopt_decodeFilter{short}")(out, count, stride)
    return out.raw
