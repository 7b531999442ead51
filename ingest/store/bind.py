"""Numbers into SQL that travels as text.

Quack runs a query as one text on the owner and knows no bound parameters, and a filter on an attached table
is not sent along (3 million rows crossed the wire for 750). So the client sends fixed texts with ``$name``
places, and only numbers may stand there: everything is turned into ``int`` or ``float`` first, and text is
refused. See decision record 0041.
"""

import math
from collections.abc import Mapping
from string import Template

import numpy as np
from numpy.typing import NDArray

ASKED_S = 8
"""A question has so long, at the owner and at the client."""


def in_time(key: str) -> str:
    """A condition that ends a question at the owner when its time is over; ``key``: a column to draw rows by.

    Quack has no way to take a question back: one whose client has gone would run to its end. ``uuidv7`` is
    the one function that tells the time of the row, not of the question; one row in 256 looks.
    """
    return (
        f"CASE WHEN hash({key}) & 255 <> 0 THEN true "
        f"WHEN uuid_extract_timestamp(uuidv7()) > now() + INTERVAL {ASKED_S} SECOND "
        f"THEN error('the question took longer than {ASKED_S} s') ELSE true END"
    )


Bindable = int | float | NDArray[np.int64]


def bind_numbers(sql: str, values: Mapping[str, Bindable]) -> str:
    """Put numbers in the ``$name`` places of a fixed text.

    Raises
    ------
    TypeError : a value is not an int, a finite float or an array of integers
    KeyError : a place has no value
    """
    return Template(sql).substitute({k: _literal(v) for k, v in values.items()})


def _literal(value: Bindable) -> str:
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "iu":
            raise TypeError(f"only integer arrays are bound, not {value.dtype}")
        return "[" + ",".join(str(int(v)) for v in value) + "]::INTEGER[]"
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"only numbers are bound, not {type(value).__name__}")
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if not math.isfinite(value):
        raise TypeError("only finite numbers are bound")
    return repr(float(value))


def microseconds(t: float) -> int:
    """Seconds since 1970 UTC as the store's integer microseconds."""
    return round(t * 1e6)
