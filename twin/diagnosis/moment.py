"""One moment, read for diagnosis: values by key, crossed meters put right, and all signs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.compare import Comparison
from twin.compare.crossed import SOURCE_PAIRS, STATION_PAIRS, find_crossed, put_right
from twin.diagnosis.book import DiagnosisBook
from twin.diagnosis.signs import (
    Simulated,
    mean_of_buildings,
    read_simulated,
    relate_network,
    relate_source,
    relate_station,
)
from twin.heat import CompiledNetwork

Floats = NDArray[np.float64]
Crossed = tuple[dict[str, NDArray[np.bool_]], dict[str, NDArray[np.bool_]]]


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """``stations``, ``sources``: key -> measured values, SI; ``raw`` (n_sign,) signs before they are told as
    means and differences; ``circulation`` kg/s; ``crossed``: pairs found the wrong way round."""

    stations: dict[str, Floats]
    sources: dict[str, Floats]
    sim: Simulated
    t_out_c: float
    circulation: float
    raw: Floats
    crossed: Crossed


def read_moment(
    net: CompiledNetwork, book: DiagnosisBook, c: Comparison, value: Floats,
    wrong: frozenset[str] = frozenset(),
) -> Moment:  # fmt: skip
    """Read ``value`` (n_point,) beside the comparison of the same moment.

    ``wrong``: points that were known to be off before: a meter that has drifted past the other one of its
    pair is not crossed with it.
    """
    stations, sources = book.read_station(value), book.read_source(value)
    flows = {"p1": stations["p1_flow"], "s2": stations["s2_flow"], "sr": sources["src_flow"]}
    crossed = find_crossed(stations, STATION_PAIRS, flows), find_crossed(sources, SOURCE_PAIRS, flows)
    _leave_out(crossed[0], book.station_ids, wrong)
    _leave_out(crossed[1], book.source_ids, wrong)
    stations = put_right(stations, crossed[0], STATION_PAIRS)
    sources = put_right(sources, crossed[1], SOURCE_PAIRS)
    stations["b_ts"] = mean_of_buildings(value, book.building_supply, book.n_station)
    stations["b_tr"] = mean_of_buildings(value, book.building_return, book.n_station)
    sim = read_simulated(book, c, net.station_node, net.source_node, net.source_holds)
    t_out = c.boundary.t_outdoor_c
    raw, circulation = relate_all(book, stations, sources, sim, t_out)
    return Moment(stations, sources, sim, t_out, circulation, raw, crossed)


def _leave_out(crossed: dict[str, NDArray[np.bool_]], ids: tuple[str, ...], wrong: frozenset[str]) -> None:
    for supply, mask in crossed.items():
        for i in np.flatnonzero(mask):
            if not wrong.isdisjoint((f"{ids[i]}/{supply}", f"{ids[i]}/{supply[:-1]}r")):
                mask[i] = False


def relate_all(
    book: DiagnosisBook,
    stations: dict[str, Floats],
    sources: dict[str, Floats],
    sim: Simulated,
    t_out_c: float,
) -> tuple[Floats, float]:  # fmt: skip
    """All signs (n_sign,), NaN where a value is missing, and the circulation, kg/s."""
    make_up, gap, circulation = relate_network(stations, sources)
    raw = np.concatenate(
        [relate_station(book, stations, sim, t_out_c).ravel(), relate_source(sources, sim).ravel(),
         [make_up, gap, 0.0, 0.0, 0.0]]
    )  # fmt: skip
    return raw, circulation
