"""Which check to do next: the one that tells most about where the leak is for the crew's time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.diagnosis.search.answers import Answers, answer_checks
from twin.diagnosis.search.districts import list_districts
from twin.diagnosis.search.kit import CLAMP, LISTEN, VALVE, Check, Kit
from twin.diagnosis.search.trench import Trench
from twin.diagnosis.search.weigh import expect
from twin.heat import CompiledNetwork, SteadyState

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ZONE = 0.8
NEAR_M = 200.0
MOST_PAIRS, MOST_EARS, MOST_WEIGHED = 400, 40, 24
"""Sections looked at with a clamp-on meter, those listened at, and checks of a kind reckoned in full."""
SUPPORT = 1e-7
GRID = 128
SHOWN = 3
SLOW_M_S = 0.05
"""In water that hardly moves nothing is measured."""
FLAT = 0.02
"""Checks that tell less than this (nats) are not worth a way."""


@dataclass(frozen=True, slots=True)
class Advised:
    """A check with what it promises: ``gain`` nats about the place, ``minutes`` of the crew, ``zone_m`` m
    of pipe left on average. ``beyond``, ``before``: what it will show if the leak is behind it or not, and
    ``error`` its standard deviation (kg/s of difference; listening: probabilities to hear it). ``share``:
    probability that the leak is behind it (listening: within earshot). ``cut``: stations without water."""

    check: Check
    gain: float
    minutes: float
    zone_m: float
    beyond: float
    before: float
    error: float
    share: float
    flow_m3_s: float
    cut: int


@dataclass(frozen=True, slots=True)
class Advice:
    """Next checks, best first; ``zone_m`` metres of pipe that hold the leak with ``ZONE`` now, ``near`` the
    probability that it is within ``NEAR_M`` of the most probable pipe."""

    checks: tuple[Advised, ...]
    zone_m: float
    near: float


def measure_zone(length_m: Floats, chance: Floats) -> float:
    """Metres of pipe that together hold the leak with ``ZONE``, the most probable first."""
    order = np.argsort(-chance, kind="stable")
    many = int(np.searchsorted(np.cumsum(chance[order]), ZONE)) + 1
    return float(length_m[order[:many]].sum())


def near_share(trench: Trench, chance: Floats) -> float:
    """Probability within ``NEAR_M`` of the most probable pipe, middle to middle."""
    away = np.hypot(*(trench.middle - trench.middle[int(np.argmax(chance))]).T)
    return float(chance[away <= NEAR_M].sum())


def advise(
    net: CompiledNetwork, trench: Trench, state: SteadyState, chance: Floats, size_kg_s: Floats, kit: Kit,
    done: Sequence[Check] = (),
) -> Advice:  # fmt: skip
    """Rank the checks of a leak.

    Parameters
    ----------
    chance : (n_pipe,) probability of every pipe; ``size_kg_s`` (n_pipe,) of the leak there
    done : checks with a result, the last one last: the crew stands at its chamber
    """
    zone, near = measure_zone(net.length_m, chance), near_share(trench, chance)
    answers = answer_checks(net, trench, state, _list_checks(net, trench, chance, done, kit), kit)
    mine = np.flatnonzero(chance > SUPPORT * chance.max())
    rows = _worth_weighing(answers, chance, size_kg_s, mine, kit)
    stand = done[-1].node_id if done else ""
    told = []
    for i in rows:
        one = _promise(answers, i, chance, size_kg_s, mine, kit)
        way_min = kit.way_min if one.check.node_id != stand else 0.0
        if one.gain > FLAT:
            told.append((replace(one, minutes=one.minutes + way_min), i))
    told.sort(key=lambda t: -t[0].gain / t[0].minutes)
    shown = []
    for one, i in _differing(told):
        weight, after, _, _ = _outcomes(answers, i, chance, size_kg_s, mine, kit)
        left = float(weight @ np.array([measure_zone(net.length_m[mine], a) for a in after]))
        shown.append(replace(one, zone_m=left))
    return Advice(tuple(shown), zone, near)


def _differing(told: list[tuple[Advised, int]]) -> list[tuple[Advised, int]]:
    """The best of each chamber and kind."""
    out: dict[tuple[str, str], tuple[Advised, int]] = {}
    for t in told:
        out.setdefault((t[0].check.node_id, t[0].check.kind), t)
    return list(out.values())[:SHOWN]


def _list_checks(
    net: CompiledNetwork, trench: Trench, chance: Floats, done: Sequence[Check], kit: Kit
) -> list[Check]:
    """Everything that can be done where the leak may be."""
    nodes, ids = net.network.nodes, trench.pair_ids
    whole = trench.pair_of >= 0
    per_pair = np.bincount(trench.pair_of[whole], chance[whole], minlength=len(ids))
    pairs = np.argsort(-per_pair, kind="stable")[:MOST_PAIRS]
    out = [Check(CLAMP, (ids[n],), nodes[e].id) for n in pairs for e in trench.ends[n]]
    for border in list_districts(net, trench, chance, kit)[:MOST_WEIGHED]:
        first = trench.ends[border[0], trench.valve_end[border[0]]]
        out.append(Check(VALVE, tuple(ids[n] for n in border), nodes[first].id))
    for node in dict.fromkeys(trench.ends[pairs[:MOST_EARS]].ravel().tolist()):
        out.append(Check(LISTEN, (), nodes[node].id))
    seen = set(done)
    return [c for c in out if c not in seen]


def _worth_weighing(answers: Answers, chance: Floats, size_kg_s: Floats, mine: Ints, kit: Kit) -> list[int]:
    """Those whose expected readings differ most between the pipes, in their errors."""
    mean, sd = expect(answers, size_kg_s, kit)
    p = chance[mine] / chance[mine].sum()
    mean, sd = mean[:, mine], sd[:, mine]
    centre = mean @ p
    between = np.square(mean - centre[:, None]) @ p
    listens = np.array([c.kind == LISTEN for c in answers.checks], bool)
    noise = np.where(listens, centre * (1.0 - centre), np.square(sd) @ p)
    score = between / np.maximum(noise, 1e-12)
    slow = answers.flow / (answers.area_m2 * answers.rho_kg_m3)
    clamps = np.array([c.kind == CLAMP for c in answers.checks], bool)
    score[clamps & (slow.min(axis=1) < SLOW_M_S)] = 0.0
    score[(answers.cut < 0) | (answers.cut > kit.most_cut)] = 0.0
    out: list[int] = []
    for group in (clamps, listens, ~clamps & ~listens):
        rows = np.flatnonzero(group & (score > 0.0))
        out += rows[np.argsort(-score[rows])][:MOST_WEIGHED].tolist()
    return out


def _outcomes(
    answers: Answers, i: int, chance: Floats, size_kg_s: Floats, mine: Ints, kit: Kit
) -> tuple[Floats, Floats, Floats, Floats]:
    """Probability of every outcome (m,) of a check, the places' after it (m, n), and what it shows for a leak
    in each of the pipes ``mine`` with its standard deviation (n,)."""
    p = chance[mine] / chance[mine].sum()
    mean, sd = (x[0, mine] for x in expect(answers.pick([i]), size_kg_s, kit))
    heard = np.stack([mean, 1.0 - mean])
    seen = heard if answers.checks[i].kind == LISTEN else _densities(mean, sd, kit)
    both = seen * p
    total = both.sum(axis=1)
    return total / total.sum(), both / np.maximum(total, 1e-300)[:, None], mean, sd


def _promise(answers: Answers, i: int, chance: Floats, size_kg_s: Floats, mine: Ints, kit: Kit) -> Advised:
    check = answers.checks[i]
    weight, after, mean, sd = _outcomes(answers, i, chance, size_kg_s, mine, kit)
    p = chance[mine] / chance[mine].sum()
    far = mean > 0.5 * (mean.max() + mean.min())
    beyond, before = (_average(mean, p, f) for f in (far, ~far))
    error = 0.0 if check.kind == LISTEN else float(sd @ p)
    flow = float(answers.flow[i, 0] / answers.rho_kg_m3[i, 0]) if check.kind == CLAMP else 0.0
    gain = float(weight @ _entropy_drop(after, p))
    return Advised(check, gain, kit.minutes(check), float("nan"), beyond, before, error,
                   float(p[far].sum()), flow, int(answers.cut[i]))  # fmt: skip


def _densities(mean: Floats, sd: Floats, kit: Kit) -> Floats:
    """(GRID, n) probability of each cell of what may be read, for a leak in each pipe."""
    low, high = float((mean - 3.0 * sd).min()), float((mean + 3.0 * sd).max())
    y = np.linspace(low, high, GRID)
    wide = np.maximum(sd, 1.5 * (y[1] - y[0]))  # a finer needle than the grid would fall between its cells
    needle = np.exp(-0.5 * np.square((y[:, None] - mean) / wide)) / wide
    out: Floats = (1.0 - kit.wrong) * needle / needle.sum(axis=0) + kit.wrong / GRID
    return out


def _entropy_drop(after: Floats, p: Floats) -> Floats:
    """Nats that each outcome (n, m) tells about the place."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(after > 0.0, after * np.log(after / p), 0.0)
    out: Floats = terms.sum(axis=1)
    return out


def _average(mean: Floats, p: Floats, who: NDArray[np.bool_]) -> float:
    return float(mean[who] @ p[who] / p[who].sum()) if p[who].sum() > 0.0 else float("nan")
