"""Meters whose wires are crossed: supply shows return and return shows supply."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STATION_PAIRS = (("p1_ts", "p1_tr"), ("s2_ts", "s2_tr"), ("p1_ps", "p1_pr"), ("s2_ps", "s2_pr"))
SOURCE_PAIRS = (("src_ts", "src_tr"), ("src_ps", "src_pr"))
APART = {"ts": 4.0, "ps": 2e4}
"""Meters that differ by less the wrong way round may just be wrong: K, Pa."""
LEAST_FLOW = 1e-4
"""m³/s; below, a side stands and its meters mean little."""


def find_crossed(
    v: Mapping[str, Floats], pairs: tuple[tuple[str, str], ...], flows: Mapping[str, Floats]
) -> dict[str, Bools]:
    """Which pairs are the wrong way round: water that gives heat away is colder afterwards, and water that
    flows through something has lost pressure.

    Parameters
    ----------
    v : key -> (n,) measured values, SI; pairs of which a key is missing are left out
    flows : first two letters of the key -> (n,) what must flow for the pair to mean anything, m³/s

    Returns
    -------
    supply key -> (n,) mask
    """
    out = {}
    for supply, back in pairs:
        if supply in v and back in v:
            apart = np.nan_to_num(v[back] - v[supply]) > APART[supply[-2:]]
            out[supply] = apart & (np.nan_to_num(flows[supply[:2]]) > LEAST_FLOW)
    return out


def put_right(
    v: Mapping[str, Floats], crossed: Mapping[str, Bools], pairs: tuple[tuple[str, str], ...]
) -> dict[str, Floats]:
    """The values with crossed pairs put right: what each shows belongs to the other."""
    out = dict(v)
    for supply, back in pairs:
        wrong = crossed.get(supply)
        if wrong is not None and wrong.any():
            out[supply], out[back] = np.where(wrong, v[back], v[supply]), np.where(wrong, v[supply], v[back])
    return out
