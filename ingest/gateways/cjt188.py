"""CJ/T 188 heat meters: the request for what they hold now, and the answer.

A frame: some 0xFE, 0x68, meter type, 7 bytes of address (least byte first), control, length, data, sum, 0x16.
The data of an answer begin with the identifier 901F, which some makers send as 90 1F and some as 1F 90, and a
serial number; then numbers in BCD, least byte first, most with a unit byte, which stands behind its number
(the standard) or before it (some makers). Source: CJ/T 188-2004 and -2018, chapter 7 and annex A.
"""

import math
from dataclasses import dataclass

from ingest.gateways.link import LinkError

READ, ANSWER = 0x01, 0x81
IDENTIFIERS = {"901F": b"\x90\x1f", "1F90": b"\x1f\x90"}
HEAT = (0x20, 0x21, 0x22, 0x23, 0x24, 0x25)
_HOUR = 3600.0
# quantity, bytes of BCD, decimals, with a unit byte
_LAYOUT = (
    ("energy_settled", 4, 2, True), ("energy", 4, 2, True), ("power", 4, 2, True), ("flow", 4, 4, True),
    ("volume", 4, 2, True), ("t_supply", 3, 2, False), ("t_return", 3, 2, False), ("hours", 3, 0, False),
)  # fmt: skip
QUANTITIES = tuple(row[0] for row in _LAYOUT)
_BODY = sum(n + with_unit for _, n, _, with_unit in _LAYOUT)
# code of the unit times 1 -> factor into SI; the next two codes are 10 and 100 times as much
_UNITS = {
    0x02: _HOUR, 0x05: 1e3 * _HOUR, 0x08: 1e6 * _HOUR, 0x0B: 1e3, 0x0E: 1e6, 0x11: 1e9,
    0x14: 1.0, 0x17: 1e3, 0x1A: 1e6, 0x29: 1e-3, 0x2C: 1.0, 0x32: 1e-3 / _HOUR, 0x35: 1.0 / _HOUR,
}  # fmt: skip
_KIND = {
    "energy": range(0x01, 0x14), "energy_settled": range(0x01, 0x14), "power": range(0x14, 0x1D),
    "volume": range(0x29, 0x2F), "flow": range(0x32, 0x38),
}  # fmt: skip


class Cjt188Error(LinkError):
    """The meter did not answer, or refused, or what it said is not CJ/T 188."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one maker writes: order of the identifier's bytes, and where the unit stands."""

    identifier: str = "901F"
    unit_first: bool = False


def encode_read(address: str, meter_type: int, dialect: Dialect, serial: int = 0) -> bytes:
    """The request. ``address``: 14 digits as printed on the meter (the maker's code first)."""
    data = IDENTIFIERS[dialect.identifier] + bytes((serial & 0xFF,))
    head = bytes((0x68, meter_type)) + bytes.fromhex(address)[::-1] + bytes((READ, len(data)))
    return b"\xfe\xfe\xfe\xfe" + _close(head + data)


def _close(frame: bytes) -> bytes:
    return frame + bytes((sum(frame) & 0xFF, 0x16))


def take_frame(data: bytes, address: str) -> bytes:
    """Data of an answer, without leading 0xFE.

    Raises
    ------
    Cjt188Error : not a whole frame, a wrong sum, another meter's, or a refusal
    """
    frame = data.lstrip(b"\xfe")
    if len(frame) < 13 or frame[0] != 0x68:
        raise Cjt188Error(f"not a CJ/T 188 frame: {data[:16].hex(' ')}")
    size = frame[10]
    if len(frame) != size + 13 or frame[-1] != 0x16:
        raise Cjt188Error(f"a CJ/T 188 frame of {size + 13} bytes came with {len(frame)}")
    if sum(frame[:-2]) & 0xFF != frame[-2]:
        raise Cjt188Error("the check sum of the CJ/T 188 frame is wrong")
    if frame[2:9] != bytes.fromhex(address)[::-1]:
        raise Cjt188Error(f"meter {frame[2:9][::-1].hex()} answers instead of {address}")
    if frame[9] != ANSWER:
        raise Cjt188Error(f"the meter refuses (control {frame[9]:#04x})")
    return frame[11:-2]


def decode_heat(data: bytes, dialect: Dialect) -> dict[str, float]:
    """Values in SI (J, W, m³, m³/s, °C, s) by quantity; NaN: not decimal, which meters send for "none".

    Raises
    ------
    Cjt188Error : another identifier, too short, or a unit that does not fit: the unit stands elsewhere
    """
    if data[:2] not in IDENTIFIERS.values():
        raise Cjt188Error(f"identifier {data[:2].hex(' ')} instead of 90 1f or 1f 90")
    body = data[3:]
    if len(body) < _BODY:
        raise Cjt188Error(f"{len(body)} bytes of values, a heat meter sends at least {_BODY}")
    out: dict[str, float] = {}
    at = 0
    for quantity, size, decimals, with_unit in _LAYOUT:
        raw, at = body[at : at + size + with_unit], at + size + with_unit
        factor = _HOUR if quantity == "hours" else 1.0
        if with_unit:
            code, raw = (raw[0], raw[1:]) if dialect.unit_first else (raw[-1], raw[:-1])
            factor = find_unit(quantity, code)
        out[quantity] = _number(raw) * 10.0**-decimals * factor
    return out


def find_unit(quantity: str, code: int) -> float:
    """Factor of a unit code into SI. Raises ``Cjt188Error``: it is none of this quantity."""
    if code in _KIND[quantity]:
        if code == 0x01:
            return 1.0
        base = max(c for c in _UNITS if c <= code)
        return _UNITS[base] * 10.0 ** (code - base)
    raise Cjt188Error(
        f"{code:#04x} is no unit of {quantity}: set unit_first (or take it away) as this maker writes"
    )


def _number(raw: bytes) -> float:
    digits = raw[::-1].hex()
    return float(digits) if digits.isdecimal() else math.nan
