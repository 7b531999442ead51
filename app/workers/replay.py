"""Which moments of the past are walked again, and whether the live runs go on from where the walk ends.

Water needs hours from the source to the last station. A simulated temperature means something only when that
much past has been walked, so a walk starts ``LEAD_S`` before the first moment that is to be kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from twin.compare import Memory

GRID_S = 300.0
CATCH_UP_S = 24 * 3600.0
"""Gaps older than this are left."""
LEAD_S = 6 * 3600.0
WARM_UP_S = 6 * 3600.0
"""At a start this much past is kept first: what the charts open with. Older gaps come afterwards."""


@dataclass
class Replay:
    """A walk through the past.

    ``moments`` still to come, rising; ``missing`` those to be kept; ``hands_over``: the live runs go on from
    its end; ``memory`` the network so far, ``corrected`` the same with what was learnt.
    """

    moments: list[float]
    missing: set[float]
    hands_over: bool
    memory: Memory | None = None
    corrected: Memory | None = None


def plan_warm_up(known: Sequence[float], missing: Sequence[float], now: float) -> Replay | None:
    """Walk the last hours at a start; None when nothing is known of them.

    Parameters
    ----------
    known : moments of the grid with a measured boundary, s since 1970, rising
    missing : those of them without a run
    """
    moments = [t for t in known if t >= now - WARM_UP_S - LEAD_S]
    if not moments:
        return None
    return Replay(moments, {t for t in missing if t >= now - WARM_UP_S}, hands_over=True)


def plan_gap(known: Sequence[float], missing: Sequence[float], now: float) -> Replay | None:
    """Walk from before the first gap to behind the last; to the present when its water is still on its way.

    Parameters as :func:`plan_warm_up`; None when there is no gap.
    """
    if not missing:
        return None
    to_present = missing[-1] >= now - LEAD_S
    last = now if to_present else missing[-1]
    moments = [t for t in known if missing[0] - LEAD_S <= t <= last]
    return Replay(moments, set(missing), hands_over=to_present)
