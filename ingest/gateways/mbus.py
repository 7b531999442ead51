"""M-Bus (EN 13757-2 link layer, EN 13757-3 application layer) as far as reading meters goes.

Records come out in SI (J, W, m³, m³/s, °C, K). What the standard calls the same quantity in another unit is
one quantity here. Source: EN 13757-3:2018, tables 4 to 12; the M-Bus documentation 4.8, chapters 5 and 6.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.gateways.link import LinkError

ACK = 0xE5
FUNCTIONS = ("instant", "max", "min", "error")
MORE = 0x1F
"""DIF: more records follow in another telegram."""
FORWARD = 0x3B
"""VIFE: counted only when it goes forward."""
_SIZES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
_HOUR, _MINUTE = 3600.0, 60.0
QUANTITIES = ("energy", "volume", "mass", "power", "flow", "t_supply", "t_return", "dt", "t_outside")


class MBusError(LinkError):
    """The meter did not answer, or what it said is not M-Bus."""


@dataclass(frozen=True, slots=True)
class Record:
    """One value. ``value`` in SI, NaN: the meter has none; ``storage`` 0: now; ``function`` of FUNCTIONS.

    ``forward``: of a meter that counts both ways, what went forward (heat, not cold).
    """

    quantity: str
    value: float
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    function: str = "instant"
    forward: bool = False


def short_frame(control: int, address: int) -> bytes:
    """A frame without data: reset (0x40) or request of data (0x5B, 0x7B)."""
    return bytes((0x10, control, address, (control + address) & 0xFF, 0x16))


def select_frame(number: str) -> bytes:
    """Selects the meter of this identification number (8 digits) by secondary address; asked as 253."""
    body = bytes((0x53, 0xFD, 0x52)) + bytes.fromhex(number)[::-1] + b"\xff\xff\xff\xff"
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


def take_frame(data: bytes) -> bytes:
    """User data (control, address, CI, ...) of a long frame.

    Raises
    ------
    MBusError : not a whole long frame, or its check sum is wrong
    """
    if len(data) < 9 or data[0] != 0x68 or data[3] != 0x68 or data[1] != data[2]:
        raise MBusError(f"not an M-Bus frame: {data[:12].hex(' ')}")
    size = data[1]
    if len(data) != size + 6 or data[-1] != 0x16:
        raise MBusError(f"an M-Bus frame of {size + 6} bytes came with {len(data)}")
    body = data[4:-2]
    if sum(body) & 0xFF != data[-2]:
        raise MBusError("the check sum of the M-Bus frame is wrong")
    return body


def decode_records(body: bytes) -> tuple[list[Record], bool]:
    """(records of known quantities, whether more follow in another telegram).

    In the order of the telegram, but what counts forward only comes last: who asks for an energy means the
    plain one where there is one.

    Raises
    ------
    MBusError : not an answer with variable data (CI 0x72), or it ends within a record
    """
    if len(body) < 15 or body[2] != 0x72:
        raise MBusError(f"not variable data: CI is {body[2]:#04x}" if len(body) > 2 else "an empty answer")
    at = 15
    found: list[Record] = []
    while at < len(body):
        dif = body[at]
        if dif in (0x0F, MORE):
            return sorted(found, key=_comes_last), dif == MORE
        if dif == 0x2F:  # filler
            at += 1
            continue
        record, at = _take_record(body, at)
        if record is not None:
            found.append(record)
    return sorted(found, key=_comes_last), False


def read_number(body: bytes) -> str:
    """The identification number (8 digits) in the head of variable data that ``decode_records`` has read."""
    return body[3:7][::-1].hex()


def _comes_last(record: Record) -> bool:
    return record.forward


def _take_record(body: bytes, at: int) -> tuple[Record | None, int]:
    try:
        dif = body[at]
        at += 1
        storage, tariff, subunit, shift, more = dif >> 6 & 1, 0, 0, 0, dif & 0x80
        while more:
            dife, at = body[at], at + 1
            storage |= (dife & 15) << (1 + 4 * shift)
            tariff |= (dife >> 4 & 3) << (2 * shift)
            subunit |= (dife >> 6 & 1) << shift
            shift, more = shift + 1, dife & 0x80
        vif, vifes, at = _take_vif(body, at)
        kind = dif & 15
        size = _SIZES.get(kind)
        if kind == 13:  # variable length: text and long numbers, none of them read here
            size, at = _variable_size(body[at]), at + 1
        if size is None or at + size > len(body):
            raise IndexError
        raw = body[at : at + size]
    except IndexError:
        raise MBusError("the answer ends within a record") from None
    meant = find_quantity(vif, vifes)
    if meant is None or kind in (0, 8, 13):
        return None, at + size
    quantity, factor = meant
    function = FUNCTIONS[dif >> 4 & 3]
    value = math.nan if function == "error" else _number(kind, raw) * factor
    return Record(quantity, value, storage, tariff, subunit, function, FORWARD in vifes), at + size


def _variable_size(length: int) -> int:
    if length < 0xC0:
        return length
    return length - 0xC0 if length < 0xD0 else length - 0xD0 if length < 0xE0 else length - 0xE0


def _take_vif(body: bytes, at: int) -> tuple[int, tuple[int, ...], int]:
    vif, at = body[at], at + 1
    vifes: list[int] = []
    more = vif & 0x80
    if vif & 0x7F == 0x7C:  # unit as text: its length and letters come before further VIFEs
        at += 1 + body[at]
    while more:
        vifes.append(body[at])
        more, at = body[at] & 0x80, at + 1
    return vif, tuple(vifes), at


def _number(kind: int, raw: bytes) -> float:
    """An integer, a real, or decimal digits (least byte first); NaN for digits that are none."""
    if kind == 5:
        return float(struct.unpack("<f", raw)[0])
    if kind < 8:
        return float(int.from_bytes(raw, "little", signed=True))
    digits = raw[::-1].hex()
    negative = digits[0] == "f"
    digits = digits[1:] if negative else digits
    if not digits.isdecimal():
        return math.nan
    return -float(digits) if negative else float(digits)


def find_quantity(vif: int, vifes: tuple[int, ...]) -> tuple[str, float] | None:
    """(quantity, factor into SI) of a value information block; None: something else, or changed by a VIFE.

    The factor is NaN when the meter says that this record is in error (EN 13757-3, codes 0x01 to 0x1F).
    """
    code, rest = vif & 0x7F, vifes
    if vif == 0xFB:
        meant, rest = _extended(rest[0] & 0x7F) if rest else None, rest[1:]
    elif vif in (0xFD, 0xFF, 0x7F) or code >= 0x7C:
        meant = None
    else:
        meant = _plain(code)
    if meant is None:
        return None
    quantity, factor = meant
    for vife in rest:
        if 0 < vife & 0x7F < 0x20:  # an error of this record, such as 0x15: no data
            factor = math.nan
        elif vife & 0x78 == 0x70:  # a decimal factor leaves the quantity what it is
            factor *= 10.0 ** ((vife & 7) - 6)
        elif vife & 0x7F not in (0, FORWARD):  # 0: no error
            return None
    return quantity, factor


def _plain(code: int) -> tuple[str, float] | None:
    n3, n2 = code & 7, code & 3
    by_8 = {
        0x00: ("energy", _HOUR * 10.0 ** (n3 - 3)), 0x08: ("energy", 10.0**n3),
        0x10: ("volume", 10.0 ** (n3 - 6)), 0x18: ("mass", 10.0 ** (n3 - 3)),
        0x28: ("power", 10.0 ** (n3 - 3)), 0x30: ("power", 10.0**n3 / _HOUR),
        0x38: ("flow", 10.0 ** (n3 - 6) / _HOUR), 0x40: ("flow", 10.0 ** (n3 - 7) / _MINUTE),
        0x48: ("flow", 10.0 ** (n3 - 9)),
    }  # fmt: skip
    by_4 = {
        0x58: ("t_supply", 10.0 ** (n2 - 3)), 0x5C: ("t_return", 10.0 ** (n2 - 3)),
        0x60: ("dt", 10.0 ** (n2 - 3)), 0x64: ("t_outside", 10.0 ** (n2 - 3)),
    }  # fmt: skip
    return by_8.get(code & 0x78) if code < 0x58 else by_4.get(code & 0x7C)


def _extended(code: int) -> tuple[str, float] | None:
    """The second table (VIF 0xFB): the units of large meters."""
    n = 10.0 ** ((code & 1) - 1)
    table = {
        0x00: ("energy", 1e6 * _HOUR * n), 0x08: ("energy", 1e9 * n), 0x10: ("volume", 1e3 * n),
        0x28: ("power", 1e6 * n), 0x30: ("power", 1e9 * n / _HOUR),
    }  # fmt: skip
    return table.get(code & 0x7E)


def find_frames(wanted: int) -> Iterator[int]:
    """Control fields of the requests for one telegram after another: the frame count bit turns."""
    for i in range(wanted):
        yield 0x7B if i % 2 == 0 else 0x5B
