"""Binary frames of ``/ws/live``; the layout is documented in ``docs/live-protocol.md``.

Little-endian. Header of 24 bytes: magic ``CT``, version, kind, count (u32), frame number (u64), server time
(f64, s since 1970 UTC). Columns of 8-byte numbers come first, so that a browser can view them in place.
"""

import json
import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ingest.store.api import LatestTable, NetworkState, SimulatedTable

MAGIC = b"CT"
VERSION = 1
HEADER = struct.Struct("<2sBBIQd")


class Kind(IntEnum):
    """What a frame carries."""

    SNAPSHOT = 1
    DELTA = 2
    SIMULATED = 3
    NETWORK = 4
    STATUS = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """A body waiting for its number; the hub numbers frames as it sends them."""

    kind: Kind
    count: int
    body: bytes

    def encode(self, number: int, server_time: float) -> bytes:
        """The bytes on the wire."""
        return HEADER.pack(MAGIC, VERSION, self.kind, self.count, number, server_time) + self.body


def _bytes(x: NDArray[np.generic], kind: str) -> bytes:
    return np.ascontiguousarray(x, dtype=kind).tobytes()


def make_readings(table: LatestTable, kind: Kind = Kind.DELTA) -> Frame:
    """``t`` f64[], ``value`` f64[], ``point_no`` u32[], ``quality`` u8[]."""
    body = (
        _bytes(table.t, "<f8")
        + _bytes(table.value, "<f8")
        + _bytes(table.point_no, "<u4")
        + _bytes(table.quality, "u1")
    )
    return Frame(kind, table.point_no.size, body)


def make_simulated(table: SimulatedTable) -> Frame:
    """Time of the run f64, then ``value``, ``sigma``, ``residual``, ``z`` f64[], ``point_no`` u32[]."""
    body = struct.pack("<d", table.t) + b"".join(
        _bytes(x, "<f8") for x in (table.value, table.sigma, table.residual, table.z)
    )
    return Frame(Kind.SIMULATED, table.point_no.size, body + _bytes(table.point_no, "<u4"))


def make_network(state: NetworkState) -> Frame:
    """Time f64, nodes u32, pipes u32, then f32 arrays: supply and return temperature and pressure per node,
    mass flow and water temperature per pipe."""
    head = struct.pack("<dII", state.t, state.t_supply_c.size, state.mass_flow_kg_s.size)
    arrays = (
        state.t_supply_c,
        state.t_return_c,
        state.p_supply_pa,
        state.p_return_pa,
        state.mass_flow_kg_s,
        state.t_pipe_c,
    )
    return Frame(Kind.NETWORK, state.t_supply_c.size, head + b"".join(_bytes(a, "<f4") for a in arrays))


def make_status(status: dict[str, object]) -> Frame:
    """UTF-8 JSON; ``count`` is its length."""
    body = json.dumps(status, ensure_ascii=False, allow_nan=False).encode()
    return Frame(Kind.STATUS, len(body), body)
