"""The whole of it: history in, one version of factors out, with what they are worth on days kept apart."""

import numpy as np
from numpy.typing import NDArray

from twin.calibration import exchangers, network, rooms
from twin.calibration.apply import apply_calibration
from twin.calibration.groups import group_pipes
from twin.calibration.records import Records, part_days
from twin.calibration.result import LEARNT_SHARE, SECTION_VALVES, Calibration, Factor, Kind, Score
from twin.compare import PointBook, compile_points
from twin.heat import compile_network
from twin.model.county import County

Floats = NDArray[np.float64]

TEST_SHARE = 0.3
SCORED = ("p1_ps", "p1_pr", "p1_ts", "src_tr", "p1_tr", "s2_ts", "room_t")
WHAT_WOULD_TELL: dict[Kind, str] = {
    "roughness": "pressures at stations behind these pipes, at high flow",
    "valve_loss": "pressures before and behind valves, at high flow",
    "heat_loss": "supply temperatures at stations behind these pipes, at low flow",
    "exchanger": "all four temperatures and both flows of the station",
    "building_loss": "room temperatures and the heat of the secondary circuit",
    "building_capacity": "room temperatures through a change of weather or a night set-back",
    "building_gain": "room temperatures through days of different cold, bright and dull",
    "building_wind": "room temperatures through calm and windy days",
    "building_air": "room temperatures through changes of the heating within a day",
}


def calibrate(county: County, records: Records, test_share: float = TEST_SHARE) -> Calibration:
    """Learn what the survey does not say from history.

    Parameters
    ----------
    records : history of a few days, every 5 to 60 minutes (10 are usual)
    test_share : part of the time at the end that is kept apart for the scores

    Returns
    -------
    Calibration; nothing is changed by it (:func:`twin.calibration.apply_calibration` does)

    Raises
    ------
    InputError : the history is too short
    EngineError : nothing holds the network
    """
    train, test = part_days(records, test_share)
    book, group_of = compile_points(county), group_pipes(county.network)
    factors = (
        *_fit_pipes(county, book, train, group_of),
        *_fit_exchangers(county, book, train),
        *_fit_rooms(county, book, train),
    )
    span = tuple((float(r.t[0]), float(r.t[-1])) for r in (train, test))
    made = Calibration(factors, (), group_of, span[0], span[1], name_unknown(factors))
    return _score(county, book, made, test)


def _fit_pipes(county: County, book: PointBook, train: Records, group_of: dict[str, str]) -> list[Factor]:
    walk = network.prepare_walk(compile_network(county.network), book, train, smooth=True)
    fit = network.fit_pipes(walk, group_of)
    rough = _as_factors("roughness", fit.groups, fit.roughness, fit.roughness_sigma, network.ROUGHNESS_SIGMA)
    rough += _as_factors(
        "valve_loss", (SECTION_VALVES,), np.array([fit.valves]), np.array([fit.valves_sigma]),
        network.VALVE_SIGMA,
    )  # fmt: skip
    return rough + _as_factors("heat_loss", fit.groups, fit.loss, fit.loss_sigma, network.LOSS_SIGMA)


def _fit_exchangers(county: County, book: PointBook, train: Records) -> list[Factor]:
    step_s = float(np.median(np.diff(train.t)))
    measured = exchangers.read_exchangers(book, train)
    value, sigma = exchangers.fit_exchangers(county.network.substations, measured, step_s)
    return _as_factors("exchanger", book.station_ids, value, sigma, exchangers.UA_SIGMA)


def _fit_rooms(county: County, book: PointBook, train: Records) -> list[Factor]:
    """The factors of a station hold together: one without the others would predict worse than none."""
    value, sigma = rooms.fit_rooms(rooms.prepare_rooms(county, book, train))
    out: list[Factor] = []
    for k, (kind, prior) in enumerate(rooms.PRIOR.items()):
        for g, x, s, first in zip(book.station_ids, value[:, k], sigma[:, k], sigma[:, 0], strict=True):
            told = first < LEARNT_SHARE * rooms.PRIOR["building_loss"]
            out.append(
                Factor(kind, g, float(np.exp(x)), float(s), prior)
                if told
                else Factor(kind, g, 1.0, prior, prior)
            )
    return out


def _as_factors(
    kind: Kind, groups: tuple[str, ...], log_value: Floats, sigma: Floats, prior_sigma: float
) -> list[Factor]:
    """Factors of one kind; where the data have not said anything the factor is 1, as surveyed."""
    out = []
    for g, x, s in zip(groups, log_value, sigma, strict=True):
        told = Factor(kind, g, float(np.exp(x)), float(s), prior_sigma)
        out.append(told if told.learnt else Factor(kind, g, 1.0, prior_sigma, prior_sigma))
    return out


def name_unknown(factors: tuple[Factor, ...]) -> tuple[str, ...]:
    """Sentences on what the data cannot tell, and which data would, one per kind."""
    out = []
    for kind, mend in WHAT_WOULD_TELL.items():
        groups = [f.group for f in factors if f.kind == kind and not f.learnt]
        if groups:
            more = f" and {len(groups) - 6} more" if len(groups) > 6 else ""
            where = "near the survey" if kind in rooms.PRIOR else "as surveyed"
            out.append(f"{kind} of {', '.join(groups[:6])}{more}: kept {where}; {mend} would tell.")
    return tuple(out)


def _score(county: County, book: PointBook, made: Calibration, test: Records) -> Calibration:
    """Errors on the days kept apart, before and after."""
    before = _misses(county, book, test)
    after = _misses(apply_calibration(county, made), book, test)
    scores = []
    for key in SCORED:
        both = np.isfinite(before[key]) & np.isfinite(after[key])
        if both.any():
            rms = [float(np.sqrt(np.mean(x[key][both] ** 2))) for x in (before, after)]
            scores.append(Score(key, rms[0], rms[1], int(both.sum())))
    return Calibration(made.factors, tuple(scores), made.pipes, made.trained, made.tested, made.unknown)


def _misses(county: County, book: PointBook, test: Records) -> dict[str, Floats]:
    """Measured less simulated by key, as the twin would have it: no offsets of meters taken off."""
    walk = network.prepare_walk(compile_network(county.network), book, test)
    miss, keys = walk.measured - network.walk_network(walk), np.array(walk.keys)
    out = {key: miss[:, keys == key] for key in ("p1_ps", "p1_pr", "p1_ts", "src_tr")}
    v, stations = exchangers.read_exchangers(book, test), county.network.substations
    t_back, t_warm = exchangers.simulate_exchangers(stations, v, np.ones(len(stations)))
    out |= {"p1_tr": v["p1_tr"] - t_back, "s2_ts": v["s2_ts"] - t_warm}
    r = rooms.prepare_rooms(county, book, test)
    out["room_t"] = r.room_c - rooms.simulate_rooms(r)
    return out
