"""Binary attribute buffers: what the renderer uploads as it is, without a JSON detour.

A *pack* is one file with several typed arrays, each at a multiple of four bytes. A *slot* says where one
array lies in it; slots go into the layer spec as ``{"@@buffer": pack, "dtype", "offset", "length", "size"}``.
Places are written as steps from vertex to vertex in planes of bytes (``planes``, ``step``), which compress to
a third.
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
        self._append(raw)
        return slot

    def add_places(self, values: NDArray[Any], step: float, size: int = 3) -> Slot:
        """Append coordinates, kept to ``step``, and return their slot.

        Parameters
        ----------
        values : any shape with ``size`` columns, in units of which ``step`` is one
        step : what neighbouring values differ by at least; a power of two is exact in float32

        Notes
        -----
        Each column: whole steps, the difference to the vertex before, sign in the lowest bit; all lowest
        bytes first, then the next plane. The browser adds them up again (``kit.readSlot``).
        """
        whole = np.round(np.asarray(values, np.float64).reshape(-1, size) / step).astype(np.int64)
        move = np.diff(whole, axis=0, prepend=np.zeros((1, size), np.int64))
        folded = ((move << 1) ^ (move >> 63)).astype(np.uint64)
        planes = max(1, -(-int(folded.max(initial=0)).bit_length() // 8))
        if planes > 4:
            raise ValueError(f"buffer {self.name}: places differ by more than 2^31 steps of {step}")
        raw = b"".join(
            ((folded[:, column] >> np.uint64(8 * plane)) & np.uint64(255)).astype(np.uint8).tobytes()
            for column in range(size)
            for plane in range(planes)
        )
        slot = {
            "@@buffer": self.name, "dtype": "float32", "offset": self._offset, "length": int(whole.size),
            "size": size, "planes": planes, "step": step,
        }  # fmt: skip
        self._append(raw)
        return slot

    def _append(self, raw: bytes) -> None:
        padded = raw + b"\0" * (-len(raw) % 4)
        self._parts.append(padded)
        self._offset += len(padded)

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
