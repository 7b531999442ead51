"""What people do: water is taken in bouts, windows are left open."""

import math
from collections.abc import Mapping

CYCLE_S = 2400.0
"""Somebody opens a tap about this often ..."""
AIRING_S = 1500.0
"""... and an aired room falls with this time constant."""


def tell_bout(t: float) -> float:
    """Share of a draw that is running at ``t`` (s since 1970): bouts of 10 to 18 minutes, never alike."""
    n = math.floor(t / CYCLE_S)
    start, length = 300.0 * ((n * 7) % 5) / 4.0, 600.0 + 480.0 * ((n * 5) % 7) / 6.0
    into = t - n * CYCLE_S
    return (0.8 + 0.2 * ((n * 3) % 4) / 3.0) if start <= into < start + length else 0.0


def cool_rooms(
    now_k: Mapping[str, float], wide: Mapping[str, float], out_k: float, dt_s: float
) -> dict[str, float]:
    """By how much each room with open windows is below what it would be, after ``dt_s``.

    Parameters
    ----------
    now_k : room -> K before; ``wide``: room -> share of ``out_k`` (rooms to outdoor air, K) it ends at
    """
    follow = 1.0 - math.exp(-dt_s / AIRING_S)
    rooms = {**dict.fromkeys(wide, 0.0), **now_k}
    out = {r: k + follow * (wide.get(r, 0.0) * out_k - k) for r, k in rooms.items()}
    return {r: k for r, k in out.items() if k > 0.02 or r in wide}
