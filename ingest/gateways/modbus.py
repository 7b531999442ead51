"""Modbus TCP, as far as reading goes: requests, answers, and numbers in registers of every word order.

Source: MODBUS Application Protocol V1.1b3, 6.1 to 6.4 and 7; MODBUS Messaging on TCP/IP V1.0b, 3.1.3.
"""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.gateways.link import LinkError
from twin.model.errors import InputError

FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
"""Table -> function that reads it."""
KINDS = {"bit": 1, "u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2, "u64": 4, "i64": 4, "f64": 4}
"""Kind of number -> registers (or bits) it takes."""
ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
"""Bytes of a 32-bit number as they come; CDAB (low word first) is common in station controllers."""
_FORMATS = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "f32": "f", "u64": "Q", "i64": "q", "f64": "d"}
MAX_REGISTERS, MAX_BITS = 125, 2000
_REFUSALS = {
    1: "illegal function", 2: "no such address", 3: "illegal value", 4: "device failure", 6: "device busy",
    10: "gateway: no path", 11: "gateway: the device behind it does not answer",
}  # fmt: skip


class ModbusError(LinkError):
    """The device did not answer, or refused; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring registers (or bits) of one table, read in one request."""

    table: str
    address: int
    count: int


def plan_blocks(wanted: Sequence[tuple[str, int, int]], gap: int = 8) -> list[Block]:
    """Blocks that cover all ``(table, address, count)``, joined over gaps of at most ``gap`` registers."""
    blocks: list[Block] = []
    for table, address, count in sorted(wanted):
        limit = MAX_BITS if table in ("coil", "discrete") else MAX_REGISTERS
        last = blocks[-1] if blocks else None
        if last is not None and last.table == table and address <= last.address + last.count + gap:
            span = max(last.address + last.count, address + count) - last.address
            if span <= limit:
                blocks[-1] = Block(table, last.address, span)
                continue
        blocks.append(Block(table, address, count))
    return blocks


def decode_number(registers: Sequence[int], kind: str, order: str) -> float:
    """The number in ``registers`` (each 0 to 65535).

    Raises
    ------
    InputError : unknown kind or order, or not as many registers as the kind takes
    """
    if kind not in _FORMATS or order not in ORDERS:
        raise InputError(f"kind {kind!r}, order {order!r}: one of {', '.join(_FORMATS)}; {', '.join(ORDERS)}")
    if len(registers) != KINDS[kind]:
        raise InputError(f"{kind} takes {KINDS[kind]} registers, not {len(registers)}")
    words = [struct.pack(">H", r) for r in registers]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [w[::-1] for w in words]
    return float(struct.unpack(">" + _FORMATS[kind], b"".join(words))[0])


def encode_number(value: float, kind: str, order: str) -> list[int]:
    """Registers of a number; the inverse of :func:`decode_number`.

    Raises
    ------
    InputError : unknown kind or order, or the number does not fit the kind
    """
    if kind not in _FORMATS or order not in ORDERS:
        raise InputError(f"kind {kind!r}, order {order!r}: one of {', '.join(_FORMATS)}; {', '.join(ORDERS)}")
    try:
        raw = struct.pack(">" + _FORMATS[kind], value if kind[0] == "f" else round(value))
    except (struct.error, OverflowError, ValueError) as e:
        raise InputError(f"{value} does not fit {kind}") from e
    words = [raw[i : i + 2] for i in range(0, len(raw), 2)]
    if order in ("BADC", "DCBA"):
        words = [w[::-1] for w in words]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    return [int.from_bytes(w, "big") for w in words]


class ModbusTcp:
    """One connection to one server; opened by the first request, closed by any error."""

    def __init__(self, host: str, port: int = 502, timeout_s: float = 3.0) -> None:
        self._address, self._timeout_s = (host, port), timeout_s
        self._socket: socket.socket | None = None
        self._transaction = 0

    def read(self, unit: int, block: Block) -> list[int]:
        """Registers, or bits as 0 and 1, of ``block``.

        Raises
        ------
        ModbusError : no connection, no answer in time, a refusal, or an answer to something else
        """
        request = struct.pack(">BHH", FUNCTIONS[block.table], block.address, block.count)
        try:
            answer = self._ask(unit, request)
        except OSError as e:
            self.close()
            raise ModbusError(f"{self._address[0]}:{self._address[1]}: {e.strerror or e}") from e
        function = FUNCTIONS[block.table]
        if len(answer) >= 2 and answer[0] == function | 0x80:
            raise ModbusError(f"unit {unit} refuses {block}: {_REFUSALS.get(answer[1], answer[1])}")
        bits = block.table in ("coil", "discrete")
        size = (block.count + 7) // 8 if bits else 2 * block.count
        if len(answer) != 2 + size or answer[0] != function or answer[1] != size:
            self.close()
            raise ModbusError(f"unit {unit} answers something else than {block}")
        if bits:
            return [answer[2 + i // 8] >> (i % 8) & 1 for i in range(block.count)]
        return list(struct.unpack(f">{block.count}H", answer[2:]))

    def write(self, unit: int, table: str, address: int, values: Sequence[int]) -> None:
        """Write holding registers together (function 16), or one coil (function 5).

        Raises
        ------
        ModbusError : no connection, no answer in time, a refusal, or an answer to something else
        """
        if table == "coil":
            request = struct.pack(">BHH", 5, address, 0xFF00 if values[0] else 0)
            echo = request
        else:
            head = struct.pack(">BHH", 16, address, len(values))
            request = head + struct.pack(f">B{len(values)}H", 2 * len(values), *values)
            echo = head
        try:
            answer = self._ask(unit, request)
        except OSError as e:
            self.close()
            raise ModbusError(f"{self._address[0]}:{self._address[1]}: {e.strerror or e}") from e
        if len(answer) >= 2 and answer[0] == request[0] | 0x80:
            raise ModbusError(f"unit {unit} refuses {table} {address}: {_REFUSALS.get(answer[1], answer[1])}")
        if answer != echo:
            self.close()
            raise ModbusError(f"unit {unit} answers something else than {table} {address}")

    def _ask(self, unit: int, request: bytes) -> bytes:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout_s)
        self._transaction = (self._transaction + 1) % 65_536
        head = struct.pack(">HHHB", self._transaction, 0, len(request) + 1, unit)
        self._socket.sendall(head + request)
        while True:
            number, protocol, length, _ = struct.unpack(">HHHB", self._receive(7))
            if protocol != 0 or not 2 <= length <= 254:
                self.close()
                raise ModbusError(f"{self._address[0]}:{self._address[1]} does not speak Modbus TCP")
            body = self._receive(length - 1)
            if number == self._transaction:  # an answer that came too late belongs to an earlier question
                return body

    def _receive(self, count: int) -> bytes:
        assert self._socket is not None
        got = b""
        while len(got) < count:
            part = self._socket.recv(count - len(got))
            if not part:
                raise ConnectionResetError("the connection was closed")
            got += part
        return got

    def close(self) -> None:
        """Let go; the next request connects again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
