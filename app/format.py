"""SI to what people read: display unit, decimals, true minus, ``--`` for missing, age."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from twin.model.quantities import Quantity, find_quantity

MISSING = "--"
MINUS = "\N{MINUS SIGN}"


def format_number(x: float, decimals: int, *, sign: bool = False) -> str:
    """Thousands grouped, a true minus sign, ``--`` for NaN; ``sign`` also shows a plus."""
    if not math.isfinite(x):
        return MISSING
    text = f"{abs(x):,.{decimals}f}"
    negative = x < 0 and float(f"{abs(x):.{decimals}f}") != 0
    return (MINUS if negative else "+" if sign else "") + text


def format_value(quantity: str, value_si: float) -> str:
    """Value with display unit, for example ``0.703 MPa``."""
    q: Quantity = find_quantity(quantity)
    text = format_number(value_si * q.scale, q.decimals)
    return f"{text} {q.display_unit}".rstrip()


def format_age(seconds: float, lang: str = "zh") -> str:
    """Age in the largest fitting unit."""
    if not math.isfinite(seconds):
        return MISSING
    s = max(0.0, seconds)
    if s < 100:
        return f"{s:.0f} s"
    if s < 6000:
        return f"{s / 60:.0f} min"
    if s < 172_800:
        return f"{s / 3600:.0f} h"
    return f"{s / 86_400:.0f} " + ("天" if lang == "zh" else "d")


def local_time(t: float, timezone: str, pattern: str = "%H:%M:%S") -> str:
    """Clock time of ``t`` (s since 1970 UTC) in the county."""
    if not math.isfinite(t):
        return MISSING
    return datetime.fromtimestamp(t, ZoneInfo(timezone)).strftime(pattern)
