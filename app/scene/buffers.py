"""Binary attribute buffers: what the renderer uploads as it is, without a JSON detour.

A *pack* is one file with several typed arrays, each at a multiple of four bytes. A *slot* says where one
array lies in it; slots go into the layer spec as ``{"@@buffer": pack, "dtype", "offset", "length", "size"}``.
"""

import gzip
import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Slot = dict[str, Any]

_DTYPES = {"float32", "uint32", "uint16", "uint8"}


@dataclass(frozen=True, slots=True)
class Blob:
    """One file to serve. ``digest`` names its content, so the address may be cached for ever."""

    name: str
    media_type: str
    digest: str
    plain: bytes
    packed: bytes

    @classmethod
    def make(cls, name: str, media_type: str, plain: bytes, *, compress: bool = True) -> "Blob":
        """Hash ``plain`` and compress it once. ``packed`` is empty where compression is not worth it."""
        packed = gzip.compress(plain, compresslevel=6, mtime=0) if compress else b""
        return cls(name, media_type, hashlib.sha256(plain).hexdigest()[:16], plain, packed)


@dataclass(slots=True)
class PackWriter:
    """Collects typed arrays into one pack."""

    name: str
    _parts: list[bytes] = field(default_factory=list)
    _offset: int = 0

    def add(self, values: NDArray[Any], size: int = 1) -> Slot:
        """Append an array and return its slot.

        Parameters
        ----------
        values : any shape; written in C order. dtype float32, uint32, uint16 or uint8
        size : numbers per vertex (3 for x, y, z)
        """
        dtype = values.dtype.name
        if dtype not in _DTYPES:
            raise TypeError(f"buffer {self.name}: dtype {dtype} is not one of {sorted(_DTYPES)}")
        raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
        slot = {
            "@@buffer": self.name,
            "dtype": dtype,
            "offset": self._offset,
            "length": int(values.size),
            "size": size,
        }
        padded = raw + b"\0" * (-len(raw) % 4)
        self._parts.append(padded)
        self._offset += len(padded)
        return slot

    def to_blob(self) -> Blob:
        """Return the file."""
        return Blob.make(f"{self.name}.bin", "application/octet-stream", b"".join(self._parts))


def join_ragged(
    parts: list[NDArray[np.float64]], width: int
) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    """Join lines or rings of different lengths.

    Parameters
    ----------
    parts : each (n_i, width)

    Returns
    -------
    vertices : (sum n_i, width) float32
    starts : (len(parts) + 1,) first vertex of each part, and the total
    """
    counts = [len(p) for p in parts]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
    vertices = np.concatenate(parts).astype(np.float32) if parts else np.zeros((0, width), np.float32)
    return vertices, starts


def repeat_per_vertex(values: NDArray[Any], starts: NDArray[np.uint32]) -> NDArray[Any]:
    """Spread one value per part over the part's vertices."""
    return np.repeat(values, np.diff(starts).astype(np.intp), axis=0)
