"""JSON as the adapters accept it: one object, not too large, not too deep."""

import msgspec

from ingest.adapters.base import MAX_PAYLOAD
from twin.model.errors import PayloadError


def flatten(table: dict[str, object], beginning: str = "", depth: int = 8) -> dict[str, object]:
    """Nested objects as one, keys joined by dots; beyond ``depth`` they stay what they are."""
    out: dict[str, object] = {}
    for key, value in table.items():
        if isinstance(value, dict) and depth:
            out |= flatten(value, f"{beginning}{key}.", depth - 1)
        else:
            out[beginning + key] = value
    return out


def decode_json(payload: bytes) -> object:
    """Read JSON.

    Raises
    ------
    PayloadError : too large, not UTF-8 JSON, or too deep
    """
    if len(payload) > MAX_PAYLOAD:
        raise PayloadError(f"{len(payload)} bytes, at most {MAX_PAYLOAD} are read")
    if not payload:
        raise PayloadError("empty payload")
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise PayloadError(f"not JSON: {e}") from e
    except RecursionError as e:
        raise PayloadError("JSON nested too deeply") from e


def decode_object(payload: bytes) -> dict[str, object]:
    """Read a JSON object.

    Raises
    ------
    PayloadError : as ``decode_json``, or not an object
    """
    found = decode_json(payload)
    if not isinstance(found, dict):
        raise PayloadError(f"a JSON object is needed, not {type(found).__name__}")
    return found
