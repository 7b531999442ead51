"""The corrections carried from moment to moment: innovations averaged, gated, taken, and told.

A reading teaches only while it is believed: not while it stands further than ``GATE`` standard deviations off
what is expected of it, not while a finding speaks of it or of the whole network (``held``), and slowly enough
(days) that a fault is found long before it could be learnt. No parameter goes beyond ``BOUND`` standard
deviations of what was believed before: what would, is told as unusual.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.assimilation.filter import Belief, FadingFilter
from twin.assimilation.layout import Layout, compile_layout
from twin.assimilation.members import Members, Slopes, walk_members
from twin.compare import Comparison, Correction, PointBook, as_steady, exchange_heat, spread_near
from twin.heat import CompiledNetwork
from twin.model.network import HeatNetwork

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

UPDATE_S = 300.0
"""Innovations are averaged so long, and then taken."""
MEMORY_S = 6 * 3600.0
"""Errors of the simulation last about so long (weather, hours of the day): the readings of six hours count as
one."""
FRONT_MEMORY_S, FRONT_K = 2 * 86_400.0, 0.5
"""Where waters meet errors last about this long; a reading that is less sure than this for that is such a
place."""
FORGET_S = 5 * 86_400.0
SPREAD_S, YOUNG_S = 86_400.0, 6 * 3600.0
"""Times of forgetting: of what was learnt, and of how readings spread; weight of the first guess of it."""
GATE, CLIP, BOUND = 4.0, 3.0, 2.5
SURER, SURE_AFTER_S = 0.5, 6 * 3600.0
"""A point's uncertainty becomes what was seen of it, after so long, but never less than this share of the
usual one, and never more: what stands off for good shall be seen."""
UNUSUAL = 2.0
"""Parameters beyond this many standard deviations of what was believed before are told."""
LONGEST_S, SETTLE_S = 1800.0, 3600.0
"""After a longer pause the water in the pipes may be a guess: for so long nothing is learnt from it."""
UA_STEP = 0.1


@dataclass
class Learner:
    """Everything that goes from one moment to the next; owned by the caller, changed by :func:`learn`.

    Per reading (n_place, n_row): ``spread2`` usual square of an innovation, in squares of its floor;
    ``score2`` the same of single moments; ``plain2`` of the simulation without any correction; ``known_s``
    time it has taught; ``refused_s`` for how long it has been beyond the gate without a break. ``t`` of the
    last moment, ``taken_t`` of the last one learnt from, ``settled_t`` before which none is.
    """

    layout: Layout
    filter: FadingFilter
    belief: Belief
    spread2: Floats
    score2: Floats
    plain2: Floats
    known_s: Floats
    refused_s: Floats
    t: float = float("-inf")
    taken_t: float = float("-inf")
    settled_t: float = float("-inf")
    total: Floats = field(init=False)
    count: Floats = field(init=False)
    members: Members | None = None

    def __post_init__(self) -> None:
        self.total, self.count = np.zeros(self.spread2.shape), np.zeros(self.spread2.shape)

    @property
    def parameters(self) -> tuple[Floats, Floats]:
        """Common (k,) and places' (n_place, n_row + 1) parameters within their bounds."""
        g, own = BOUND * self.layout.prior_g, BOUND * self.layout.prior_l
        return np.clip(self.belief.g, -g, g), np.clip(self.belief.own, -own, own)


def begin_learner(network: HeatNetwork, book: PointBook) -> Learner:
    """A learner that knows nothing yet."""
    layout = compile_layout(network, book)
    fading = FadingFilter(layout.prior_g, layout.prior_l)
    shape = layout.point.shape
    one, zero = np.ones(shape), np.zeros(shape)
    return Learner(
        layout, fading, fading.solve(), one.copy(), one.copy(), one.copy(), zero.copy(), zero.copy()
    )  # fmt: skip


def correct(learner: Learner, n_point: int) -> Correction:
    """What has been learnt, as a comparison takes it."""
    layout = learner.layout
    g, own = learner.parameters
    loss, rough, valve, outlet = layout.common()
    offset, share, sigma = np.zeros(n_point), np.zeros(n_point), np.full(n_point, np.nan)
    known = layout.point >= 0
    stand_off = own[:, :-1]
    seen = known & (learner.known_s > SURE_AFTER_S)
    sigma[layout.point[seen]] = (np.sqrt(learner.score2) * layout.floor)[seen]
    offset[layout.point[known & ~layout.share]] = stand_off[known & ~layout.share]
    share[layout.point[known & layout.share]] = stand_off[known & layout.share]
    return Correction(
        source_k=g[outlet],
        u_factor=np.exp(g[loss])[layout.group],
        roughness_factor=np.exp(g[rough])[layout.group],
        ua_factor=np.exp(own[: len(layout.station_ids), -1]),
        valve_opening=layout.open_valves(float(g[valve][0])),
        offset=offset,
        share=share,
        spread=sigma,
        surer=SURER,
    )


def learn(
    learner: Learner,
    net: CompiledNetwork,
    network: HeatNetwork,
    book: PointBook,
    c: Comparison,
    plain: Comparison,
    held: Bools,
) -> bool:
    """Take one moment; True when the parameters have moved.

    Parameters
    ----------
    c : comparison of this moment with the corrections of :func:`correct`
    plain : the same without any correction, for the score
    held : (n_place, n_row) readings that must not teach now (:func:`hold_readings`)
    """
    dt = c.t - learner.t
    if dt <= 0.0 or not c.state.converged:
        return False
    learner.t = c.t
    if dt > LONGEST_S:
        learner.taken_t, learner.settled_t = c.t, c.t + SETTLE_S
        learner.total[:], learner.count[:] = 0.0, 0.0
    if c.t < learner.settled_t:
        learner.taken_t = c.t
        return False
    r, value = _innovations(learner.layout, c)
    _follow_scores(learner, r, plain, held, dt)
    known = np.isfinite(r)
    learner.total[known] += r[known]
    learner.count[known] += 1.0
    if c.t - learner.taken_t < UPDATE_S - 1.0:
        return False
    window, learner.taken_t = c.t - learner.taken_t, c.t
    mean = np.where(learner.count > 0.0, learner.total / np.maximum(learner.count, 1.0), np.nan)
    learner.total[:], learner.count[:] = 0.0, 0.0
    t_return = c.boundary.t_return_c if c.memory is None else c.memory.t_return_c
    correction = correct(learner, len(c.point_no) and int(learner.layout.point.max()) + 1)
    b = as_steady(c.boundary, t_return, correction)
    learner.members, slopes = walk_members(net, learner.layout, b, learner.members, c.t)
    if slopes is None or held.all():
        return False
    h_g, h_l = _slopes_of_readings(learner.layout, network, c, correction, slopes, value)
    _take(learner, h_g, h_l, mean, held, _fronts(learner.layout, book, c), min(window, LONGEST_S))
    return True


def _innovations(layout: Layout, c: Comparison) -> tuple[Floats, Floats]:
    """Measured less simulated of every reading (n_place, n_row), SI or share, and the simulated values."""
    size = int(max(layout.point.max(), c.point_no.max())) + 1
    simulated, measured = np.full((2, size + 1), np.nan)
    simulated[c.point_no], measured[c.point_no] = c.value, c.measured
    value, seen = simulated[layout.point], measured[layout.point]  # -1 is the last, which stays NaN
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(layout.share, (seen - value) / value, seen - value)
    r[layout.share & ~(np.nan_to_num(value) > 1e-4)] = np.nan
    return np.where(np.isfinite(r), r, np.nan), value


def _follow_scores(learner: Learner, r: Floats, plain: Comparison, held: Bools, dt: float) -> None:
    """Usual squares of single moments, with and without the corrections."""
    before, _ = _innovations(learner.layout, plain)
    floor2 = np.square(learner.layout.floor)
    for square, x, most in ((learner.score2, r, 2.0), (learner.plain2, before, 30.0)):
        known = np.isfinite(x) & ~held & (learner.refused_s == 0.0)
        a = np.maximum(1.0 - np.exp(-dt / SPREAD_S), dt / (learner.known_s + YOUNG_S))
        z2 = np.minimum(np.square(x) / floor2, most**2 * np.maximum(square, 1.0))
        square[known] += (a * (z2 - square))[known]
    learner.known_s += np.where(np.isfinite(r) & ~held, dt, 0.0)


def _fronts(layout: Layout, book: PointBook, c: Comparison) -> Floats:
    """What waters of other temperatures nearby make readings unsure by (n_place, n_row), K."""
    front = np.zeros(layout.point.shape)
    k = spread_near(c.state.t_supply_c, book.near) / np.sqrt(12.0)
    for key, share in (("p1_ts", 1.0), ("p1_tr", 0.5), ("s2_ts", 0.5)):
        front[: len(k), layout.row(key)] = share * k
    return front


def _slopes_of_readings(
    layout: Layout, network: HeatNetwork, c: Comparison, correction: Correction, s: Slopes, value: Floats
) -> tuple[Floats, Floats]:
    """What each reading moves per unit of the common and of its place's parameters."""
    n, k = len(layout.station_ids), s.t_supply.shape[1]
    h_g = np.zeros((*layout.point.shape, k))
    h_l = np.zeros((*layout.point.shape, layout.n_row + 1))
    h_l[:, np.arange(layout.n_row), np.arange(layout.n_row)] = 1.0
    t = c.state.t_supply_c
    back, warm = exchange_heat(network, c.boundary, t, correction)
    back_k, warm_k = exchange_heat(network, c.boundary, t + 1.0, correction)
    back_ua, warm_ua = exchange_heat(network, c.boundary, t, correction, float(np.exp(UA_STEP)))
    t_slope = np.nan_to_num(s.t_supply)
    row = layout.row
    lift = np.maximum(np.nan_to_num(value[:n, row("p1_ts")] - value[:n, row("p1_tr")], nan=40.0), 5.0)
    h_g[:n, row("p1_ts")] = t_slope
    h_g[:n, row("p1_tr")] = (back_k - back)[:, None] * t_slope
    h_g[:n, row("s2_ts")] = (warm_k - warm)[:, None] * t_slope
    h_g[:n, row("p1_ps")], h_g[:n, row("p1_pr")] = np.nan_to_num(s.p_supply), np.nan_to_num(s.p_return)
    h_g[:n, row("p1_flow")] = -t_slope / lift[:, None]
    h_g[:n, row("p1_heat")] = ((1.0 - (back_k - back)) / lift)[:, None] * t_slope
    h_g[n:, row("src_tr")] = np.nan_to_num(s.t_back)
    h_l[:n, row("p1_tr"), -1] = (back_ua - back) / UA_STEP
    h_l[:n, row("s2_ts"), -1] = (warm_ua - warm) / UA_STEP
    h_l[:n, row("p1_heat"), -1] = -(back_ua - back) / UA_STEP / lift
    return h_g, h_l


def _take(
    learner: Learner, h_g: Floats, h_l: Floats, mean: Floats, held: Bools, front: Floats, window_s: float
) -> None:
    """Gate the innovations; learn from those that pass, also how they spread: a fault must not widen the
    gate that keeps it out."""
    floor2 = np.square(learner.layout.floor)
    noise2 = np.maximum(floor2 * np.maximum(learner.spread2, 1.0), np.square(front))
    expected2 = noise2 + learner.belief.variance_of(h_g, h_l)
    known = np.isfinite(mean) & ~held
    z2 = np.square(np.nan_to_num(mean)) / expected2
    passed = known & (z2 <= GATE**2)
    learner.refused_s = np.where(passed, 0.0, learner.refused_s + np.where(known, window_s, 0.0))
    a = np.maximum(1.0 - np.exp(-window_s / SPREAD_S), window_s / (learner.known_s + YOUNG_S))
    square = np.minimum(z2, CLIP**2) * expected2 / floor2
    learner.spread2 += np.where(passed, a * (square - learner.spread2), 0.0)
    g, own = learner.parameters
    y = np.nan_to_num(mean) + h_g @ g + np.einsum("prl,pl->pr", h_l, own)
    memory_s = np.where(front > FRONT_K, FRONT_MEMORY_S, MEMORY_S)
    weight = np.where(passed, window_s / memory_s / noise2, 0.0)
    learner.filter.fade(float(np.exp(-window_s / FORGET_S)))
    learner.filter.take(h_g, h_l, y, weight)
    learner.belief = learner.filter.solve()
