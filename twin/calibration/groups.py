"""Groups of pipes that are likely to have aged alike: by the decade they were laid in and their size."""

from collections import defaultdict

from twin.model.network import HeatNetwork

SMALL_M, LARGE_M = 0.2, 0.4
"""Inner diameters that part house branches, distribution and mains."""
LEAST_SHARE = 0.02
"""A group with less of the network's length joins the pipes of its decade."""


def group_pipes(network: HeatNetwork) -> dict[str, str]:
    """Name the group of every pipe.

    Returns
    -------
    group by pipe id: decade and size, such as ``2010s/DN200-400``, or the decade alone where there are few
    such pipes
    """
    names = {p.id: (f"{p.year // 10 * 10}s", _size(p.diameter_m)) for p in network.pipes}
    length: dict[tuple[str, str], float] = defaultdict(float)
    for p in network.pipes:
        length[names[p.id]] += p.length_m
    whole = sum(length.values())
    few = {name for name, metres in length.items() if metres < LEAST_SHARE * whole}
    return {pipe: name[0] if name in few else "/".join(name) for pipe, name in names.items()}


def _size(diameter_m: float) -> str:
    if diameter_m < SMALL_M:
        return "DN<200"
    return "DN200-400" if diameter_m < LARGE_M else "DN>400"
