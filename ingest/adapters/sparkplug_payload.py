"""Bytes of Sparkplug B: compressed payloads, values of every integer type, the metric of a command."""

import zlib

from google.protobuf.message import DecodeError

from ingest.adapters.base import MAX_PAYLOAD
from ingest.adapters.sparkplug_b_pb2 import Payload
from twin.model.errors import PayloadError

BOOLEAN, DOUBLE = 11, 10
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
"""Datatype -> bits; what is above them in the unsigned field is no part of the number."""
_FIELDS = {**dict.fromkeys((1, 2, 3, 5, 6, 7), "int_value"), 4: "long_value", 8: "long_value",
           9: "float_value", DOUBLE: "double_value", BOOLEAN: "boolean_value"}  # fmt: skip
_WIDTH = {**_SIGNED, 5: 8, 6: 16, 7: 32, 8: 64}
COMPRESSED = "SPBV1.0_COMPRESSED"
"""``uuid`` of a payload whose ``body`` is another payload, deflated or gzipped (Eclipse Tahu's clients)."""
_DATA = "DATA/"
_GROUPS = (_DATA, "ATTR/", "CMD/")
_EITHER = 32 + zlib.MAX_WBITS


def parse(payload: bytes) -> Payload:
    """Read a payload; of a compressed one, the payload inside.

    Raises
    ------
    PayloadError : too large (also when unpacked), or none
    """
    message = _parse_plain(payload)
    if message.uuid != COMPRESSED:
        return message
    unpacker = zlib.decompressobj(_EITHER)
    try:
        inner = unpacker.decompress(message.body, MAX_PAYLOAD + 1)
    except zlib.error as e:
        raise PayloadError(f"a compressed Sparkplug B payload that cannot be unpacked: {e}") from e
    if not unpacker.eof and len(inner) <= MAX_PAYLOAD:
        raise PayloadError("a compressed Sparkplug B payload that ends early")
    return _parse_plain(inner)


def _parse_plain(payload: bytes) -> Payload:
    if len(payload) > MAX_PAYLOAD:
        raise PayloadError(f"{len(payload)} bytes, at most {MAX_PAYLOAD} are read")
    message = Payload()
    try:
        message.ParseFromString(payload)
    except DecodeError as e:
        raise PayloadError(f"not a Sparkplug B payload: {len(payload)} bytes of another structure") from e
    if not all(isinstance(m.name, str) for m in message.metrics):
        raise PayloadError("the name of a metric is not UTF-8")  # protobuf hands it out as bytes
    return message


def drop_groups(
    metrics: list[tuple[Payload.Metric, str | None]],
) -> list[tuple[Payload.Metric, str | None]]:
    """Measured metrics of a birth by the names that data will use.

    mqtt-spb-wrapper puts ``DATA/``, ``ATTR/`` or ``CMD/`` before every name of a birth, and before none of
    data. Only a birth in which every metric has one of them is taken for its.
    """
    if not all(name is not None and name.startswith(_GROUPS) for _, name in metrics):
        return metrics
    return [
        (m, name.removeprefix(_DATA)) for m, name in metrics if name is not None and name.startswith(_DATA)
    ]


def read_value(metric: Payload.Metric, born_as: int) -> object:
    """The metric's value; None: none.

    Parameters
    ----------
    born_as : datatype its birth gave it, for data that repeats none; 0: unknown

    Notes
    -----
    Signed integers travel in unsigned fields. Some senders fill the whole field (-5 as 2**32 - 5), some only
    the bits of the type (-5 as 2**16 - 5): the bits of the type say both.
    """
    kind = metric.WhichOneof("value")
    if metric.is_null or kind is None:
        return None
    value: object = getattr(metric, kind)
    bits = _SIGNED.get(metric.datatype or born_as)
    if bits is None or not isinstance(value, int) or kind not in ("int_value", "long_value"):
        return value
    low = value & (1 << bits) - 1
    return low - (1 << bits) if low >> bits - 1 else low


def add_order(command: Payload, name: str, alias: int | None, born_as: int, number: float) -> None:
    """Add the metric of a set-point in the datatype of its birth (Double when that is unknown or no number).

    One born with an alias goes by alias alone (specification 3.0.0, 6.4.6: the name is then left out).
    """
    datatype = born_as if born_as in _FIELDS else DOUBLE
    metric = command.metrics.add(datatype=datatype)
    if alias is None:
        metric.name = name
    else:
        metric.alias = alias
    kind = _FIELDS[datatype]
    if datatype == BOOLEAN:
        metric.boolean_value = number != 0.0
    elif kind.startswith(("float", "double")):
        setattr(metric, kind, number)
    else:
        field_bits = 32 if kind == "int_value" else 64
        whole = round(number) & (1 << _WIDTH[datatype]) - 1
        if datatype in _SIGNED and whole >> _WIDTH[datatype] - 1:
            whole += (1 << field_bits) - (1 << _WIDTH[datatype])
        setattr(metric, kind, whole)
