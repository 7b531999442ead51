"""The learner over a history of the tiny county with hidden factors, noise and meters that read wrong."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from tests.calibration import synthetic
from twin.assimilation import (
    Doubt,
    Learner,
    as_body,
    begin_learner,
    correct,
    doubted_points,
    hold_readings,
    learn,
    list_learnt,
    list_refused,
    read_learner,
    score_keys,
)
from twin.compare import Comparison, PointBook, Snapshot, StandIn, compare_network, compile_points
from twin.heat import CompiledNetwork, compile_network
from twin.model.county import County
from twin.model.errors import InputError

STEP_S = 600.0


@dataclass
class Walk:
    """Plain and corrected comparisons of a stretch of history."""

    county: County
    net: CompiledNetwork
    book: PointBook
    t: np.ndarray
    value: np.ndarray

    def run(
        self,
        learner: Learner,
        start_h: float,
        end_h: float,
        teach: bool = True,
        doubts: tuple[Doubt, ...] = (),
        teach_from_h: float = 0.0,
    ) -> list[tuple[Comparison, Comparison]]:
        hours, out = (self.t - self.t[0]) / 3600.0, []
        plain = c = None
        inside = (hours >= start_h) & (hours < end_h)
        held = hold_readings(learner.layout, doubts, {})
        for t, value in zip(self.t[inside], self.value[inside], strict=True):
            s, network = Snapshot(float(t), value), self.county.network
            plain = compare_network(self.net, network, self.book, s, plain and plain.memory)
            learnt = correct(learner, len(self.county.points))
            c = compare_network(self.net, network, self.book, s, c and c.memory, learnt)
            if teach and t - self.t[0] >= 3600.0 * teach_from_h:
                learn(learner, self.net, network, self.book, c, plain, held)
            out.append((c, plain))
        return out

    def rms(self, comparisons: list[Comparison], key: str) -> float:
        rows = [p.no for p in self.county.points if p.key == key]
        miss = [(c.measured - c.value)[np.isin(c.point_no, rows)] for c in comparisons]
        return float(np.sqrt(np.nanmean(np.square(np.concatenate(miss)))))


@pytest.fixture(scope="module")
def walk() -> Walk:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "STEP_S", STEP_S)
        county, records = synthetic.make_history(days=2.5)
    return Walk(county, compile_network(county.network), compile_points(county), records.t, records.value)


@pytest.fixture(scope="module")
def taught(walk: Walk) -> Learner:
    learner = begin_learner(walk.county.network, walk.book)
    walk.run(learner, 0.0, 40.0)
    return learner


def body_of(learner: Learner) -> dict:
    return json.loads(json.dumps(as_body(learner)))


def again(walk: Walk, learner: Learner) -> Learner:
    return read_learner(body_of(learner), walk.county.network, walk.book)


def offset(learner: Learner, point_id: str) -> float:
    return next(x.value for x in list_learnt(learner) if x.kind == "offset" and x.place == point_id)


def test_hours_that_taught_nothing_are_predicted_better_for_every_kind_of_point(
    walk: Walk, taught: Learner
) -> None:
    rows = walk.run(again(walk, taught), 40.0, 60.0, teach=False)[36:]  # the water at the start is a guess
    corrected, plain = [r[0] for r in rows], [r[1] for r in rows]
    for key, share in (("p1_ts", 0.8), ("p1_tr", 0.5), ("s2_ts", 0.5), ("p1_ps", 0.7), ("p1_pr", 0.8)):
        assert walk.rms(corrected, key) < share * walk.rms(plain, key), key
    spread = {s.key: (s.before, s.after) for s in score_keys(taught)}
    assert spread["p1_tr"][1] < spread["p1_tr"][0]
    z = np.concatenate([(c.measured - c.value) / c.sigma for c in corrected])
    assert np.mean(np.abs(z[np.isfinite(z)]) < 2.0) > 0.9, "uncertainties as told are not too small"


def test_what_was_learnt_is_told_with_its_interval_and_lies_near_the_truth(taught: Learner) -> None:
    told = {(x.kind, x.place): x for x in list_learnt(taught)}
    for (kind, place), value in synthetic.HIDDEN.items():
        if kind == "exchanger":
            x = told[kind, place]
            assert x.learnt and x.low < x.value < x.high
            assert abs(np.log(x.value / value)) < abs(np.log(value)), place
    assert not told["exchanger", "S04"].unusual
    for kind, sigma in (("heat_loss", 0.3), ("roughness", 0.7)):  # effective: they say nothing of the pipe
        groups = [x for x in told.values() if x.kind == kind]
        assert groups and all(np.log(x.high / x.low) >= 2 * 1.96 * sigma for x in groups)


def test_a_meter_that_jumps_is_refused_and_one_that_creeps_is_seen_before_it_is_learnt(
    walk: Walk, taught: Learner
) -> None:
    point = walk.county.point_by_id["S03/p1_ts"]
    hours = (walk.t - walk.t[0]) / 3600.0
    for wrong in (np.where(hours > 40.0, 3.0, 0.0), 0.15 * np.maximum(hours - 40.0, 0.0)):
        learner, value = again(walk, taught), walk.value.copy()
        value[:, point.no] += wrong
        before = offset(learner, point.id)
        c, _ = Walk(walk.county, walk.net, walk.book, walk.t, value).run(
            learner, 30.0, 60.0, teach_from_h=38.0
        )[-1]
        seen = c.point_no == point.no
        z = (c.measured[seen] - c.value[seen]) / c.sigma[seen]
        assert z[0] > 2.5, "the page of what differs shows it"
        assert offset(learner, point.id) - before < 0.3 * wrong[-1], "and not learnt"
    assert list_refused(taught) == ()


def test_nothing_is_learnt_while_a_finding_speaks_of_it(walk: Walk, taught: Learner) -> None:
    for doubts, moved in (
        ((Doubt("fouling", "S02"),), {"S01", "S03"}),
        ((Doubt("leak", "P02-S"),), set()),
        ((Doubt("sensor_bias", "SRC1/src_ts"),), set()),
        ((), {"S01", "S02", "S03"}),
    ):
        learner = again(walk, taught)
        before = {p: offset(learner, f"{p}/p1_tr") for p in ("S01", "S02", "S03")}
        walk.run(learner, 34.0, 43.0, doubts=doubts, teach_from_h=40.0)
        step = {p: abs(offset(learner, f"{p}/p1_tr") - x) for p, x in before.items()}
        assert {p for p, x in step.items() if x > 0.25 * max(step.values())} == moved, doubts
    assert doubted_points([Doubt("sensor_drift", "S01/p1_ts"), Doubt("leak", "P02-S")]) == {"S01/p1_ts"}


def test_it_goes_on_after_a_restart_as_if_it_had_not_stopped(walk: Walk, taught: Learner) -> None:
    body = body_of(taught)
    back = read_learner(body, walk.county.network, walk.book)
    assert back.t == taught.t
    np.testing.assert_allclose(back.belief.own, taught.belief.own, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(back.belief.sigma_g, taught.belief.sigma_g, rtol=1e-3)
    for change, words in (
        ({"format": 9}, "format"),
        ({"places": ["X"]}, "other stations"),
        ({"gg": [[1.0]]}, "gg"),
        ({"t": None}, "cannot be read"),
    ):
        with pytest.raises(InputError, match=words):
            read_learner(body | change, walk.county.network, walk.book)


def test_a_meter_in_doubt_is_left_out_and_what_the_network_says_stands_in(walk: Walk) -> None:
    k, point = 60, walk.county.point_by_id["S02/p1_flow"]
    value = walk.value[k].copy()
    right = compare_network(walk.net, walk.county.network, walk.book, Snapshot(float(walk.t[k]), value))
    virtual = np.full(len(walk.county.points), np.nan)
    virtual[right.point_no] = right.value
    value[point.no] *= 3.0
    doubted = np.zeros(len(walk.county.points), bool)
    doubted[point.no] = True
    c = compare_network(
        walk.net, walk.county.network, walk.book, Snapshot(float(walk.t[k]), value), None, None,
        StandIn(doubted, virtual),
    )  # fmt: skip
    assert c.status == "assumed:S02/p1_flow"
    assert c.boundary.flow_kg_s == pytest.approx(right.boundary.flow_kg_s, rel=0.08)
    assert c.measured[c.point_no == point.no] == pytest.approx(value[point.no]), "what it shows is still told"
