"""Numbers out of a glTF document: buffers, views and accessors, with every bound checked."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.tiles.meshopt import decode_buffer
from twin.model.errors import InputError

DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
MAX_VALUES = 200_000_000
MAX_ZEROS = 3_000_000
"""Values of an accessor that no bytes stand behind."""

Fetch = Callable[[str], bytes]
"""Reads a file beside the tile by its relative address; refuses anything outside the source."""


def no_files(uri: str) -> bytes:
    """A :data:`Fetch` for contents that stand alone.

    Raises
    ------
    InputError : always
    """
    raise InputError(f"it refers to the file {uri[:80]!r}, which cannot be reached from here")


def read_uri(uri: str, fetch: Fetch, name: str) -> bytes:
    """Return what a ``uri`` of a document stands for: data within it, or a file beside it.

    Raises
    ------
    InputError : broken data, a host elsewhere, no such file
    """
    if uri.startswith("data:"):
        head, _, body = uri.partition(",")
        try:
            return base64.b64decode(body, validate=True) if head.endswith(";base64") else body.encode()
        except (binascii.Error, ValueError) as e:
            raise InputError(f"{name}: data inside the file are damaged ({e}); export it again") from e
    if not uri:
        raise InputError(f"{name}: a picture or buffer has neither bytes nor an address; export it again")
    try:
        return fetch(uri)
    except InputError as e:
        raise InputError(str(e) if name in str(e) else f"{name}: {e}") from e


class Numbers:
    """The arrays of one document. ``blob`` is the buffer of its container, if it has one."""

    def __init__(self, doc: dict[str, Any], blob: memoryview, name: str, fetch: Fetch = no_files) -> None:
        self.doc, self.blob, self.name, self.fetch = doc, blob, name, fetch
        self._buffers: dict[int, memoryview] = {}
        self._views: dict[int, memoryview] = {}

    def row(self, table: str, number: Any) -> dict[str, Any]:
        """Return one row of a table of the document.

        Raises
        ------
        InputError : there is no such row
        """
        rows = self.doc.get(table)
        try:
            row = rows[int(number)] if isinstance(rows, list) and int(number) >= 0 else None
        except (IndexError, TypeError, ValueError, OverflowError):
            row = None
        if not isinstance(row, dict):
            raise InputError(f"{self.name}: names number {number} of {table}, which is not there")
        return row

    def buffer(self, number: int) -> memoryview:
        """Return a whole buffer."""
        if number not in self._buffers:
            row = self.row("buffers", number)
            uri = row.get("uri")
            data = memoryview(read_uri(uri, self.fetch, self.name)) if isinstance(uri, str) else self.blob
            length = row.get("byteLength", len(data))
            if not isinstance(length, int) or length > len(data) + 3:
                raise InputError(
                    f"{self.name}: a buffer of {length} bytes, {len(data)} are there; copy it again"
                )
            self._buffers[number] = data
        return self._buffers[number]

    def view(self, number: Any) -> memoryview:
        """Return the bytes of a buffer view, unpacked where they are packed."""
        key = int(number) if isinstance(number, int | float) else -1
        if key not in self._views:
            row = self.row("bufferViews", number)
            for packed in MESHOPT:
                if said := (row.get("extensions") or {}).get(packed):
                    self._views[key] = memoryview(self._unpack(said))
                    return self._views[key]
            self._views[key] = self._slice(row)
        return self._views[key]

    def _slice(self, row: dict[str, Any]) -> memoryview:
        data = self.buffer(int(row.get("buffer", -1)))
        start, length = row.get("byteOffset", 0), row.get("byteLength", 0)
        good = isinstance(start, int) and isinstance(length, int) and start >= 0 and length >= 0
        if not good or start + length > len(data):
            raise InputError(
                f"{self.name}: bytes {start} to {start}+{length} of a buffer of {len(data)}; copy it again"
            )
        return data[start : start + length]

    def _unpack(self, said: dict[str, Any]) -> bytes:
        try:
            count, stride = int(said["count"]), int(said["byteStride"])
            mode, how = str(said["mode"]), str(said.get("filter", "NONE"))
        except (KeyError, TypeError, ValueError) as e:
            raise InputError(f"{self.name}: a meshopt buffer without its sizes; export it again") from e
        return decode_buffer(bytes(self._slice(said)), count, stride, mode, how, self.name)

    def read(self, number: Any) -> NDArray[Any]:
        """Return an accessor as (n, width), normalised integers as float64.

        Raises
        ------
        InputError : it reaches beyond its bytes, or is of no known type
        """
        row = self.row("accessors", number)
        dtype, width = DTYPES.get(row.get("componentType", 0)), WIDTHS.get(str(row.get("type")))
        count = row.get("count")
        if (
            dtype is None
            or width is None
            or not isinstance(count, int)
            or not 0 <= count * width <= MAX_VALUES
        ):
            raise InputError(f"{self.name}: an accessor of {count} {row.get('type')}; export it again")
        if "bufferView" in row:
            out = self._strided(row, np.dtype(dtype), width, count)
        else:
            if count * width > MAX_ZEROS:
                raise InputError(f"{self.name}: an accessor of {count} values without bytes; export it again")
            out = np.zeros((count, width), dtype)
        if sparse := row.get("sparse"):
            out = self._fill(out.copy(), sparse, np.dtype(dtype), width)
        if row.get("normalized") and out.dtype.kind in "iu":
            return np.maximum(out.astype(np.float64) / np.iinfo(out.dtype).max, -1.0)
        return out

    def _strided(self, row: dict[str, Any], dtype: np.dtype[Any], width: int, count: int) -> NDArray[Any]:
        data = self.view(row["bufferView"])
        stride = row.get("byteStride") or self.row("bufferViews", row["bufferView"]).get("byteStride") or 0
        size = dtype.itemsize * width
        start, stride = row.get("byteOffset", 0), stride or size
        if not isinstance(start, int) or start < 0 or not isinstance(stride, int) or stride < size:
            raise InputError(f"{self.name}: an accessor at byte {start}, step {stride}; export it again")
        if count and start + stride * (count - 1) + size > len(data):
            raise InputError(
                f"{self.name}: an accessor of {count} values in {len(data)} bytes; copy it again"
            )
        flat = np.frombuffer(data, np.uint8)
        rows = np.lib.stride_tricks.as_strided(flat[start:], (count, size), (stride, 1), writeable=False)
        return np.ascontiguousarray(rows).view(dtype).reshape(count, width)

    def _fill(self, out: NDArray[Any], sparse: Any, dtype: np.dtype[Any], width: int) -> NDArray[Any]:
        try:
            count, where, what = int(sparse["count"]), dict(sparse["indices"]), dict(sparse["values"])
            kind = np.dtype(DTYPES[where["componentType"]])
        except (KeyError, TypeError, ValueError) as e:
            raise InputError(f"{self.name}: a sparse accessor is broken; export it again") from e
        rows = self._strided(where, kind, 1, count)[:, 0]
        if len(rows) and int(rows.max()) >= len(out):
            raise InputError(f"{self.name}: a sparse accessor names row {rows.max()} of {len(out)}")
        out[rows] = self._strided(what, dtype, width, count)
        return out
