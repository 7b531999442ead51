"""Hidden factors are found within their stated uncertainty, and other days are predicted better."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.calibration.synthetic import HIDDEN, make_history
from twin.calibration import (
    Calibration,
    Factor,
    Records,
    apply_calibration,
    calibrate,
    group_pipes,
    read_calibration,
)
from twin.calibration.fit import Readings, fit_groups
from twin.model.errors import InputError


@pytest.fixture(scope="module")
def found():
    county, records = make_history()
    return county, calibrate(county, records)


def test_hidden_factors_lie_within_their_stated_uncertainty(found):
    _, made = found
    learnt = [f for f in made.factors if f.learnt and (f.kind, f.group) in HIDDEN]
    assert {f.kind for f in learnt} >= {"roughness", "heat_loss", "exchanger", "building_loss"}
    miss = [abs(np.log(f.value / HIDDEN[f.kind, f.group])) / f.sigma for f in learnt]
    assert max(miss) < 3.0
    assert np.mean(np.array(miss) < 2.0) >= 0.8


def test_other_days_are_predicted_better(found):
    _, made = found
    score = {s.key: s for s in made.scores}
    for key in ("p1_ts", "p1_tr", "s2_ts", "room_t"):
        assert score[key].after < 0.8 * score[key].before, key
    for s in made.scores:
        assert s.after < 1.05 * s.before, s
    assert made.trained[1] < made.tested[0]


def test_what_the_data_cannot_tell_stays_as_surveyed_and_is_said(found):
    _, made = found
    silent = made.find("building_loss", "S04")  # no room of this station reports
    assert silent is not None
    assert (silent.learnt, silent.value, silent.sigma) == (False, 1.0, silent.prior_sigma)
    assert any("building_loss of S04" in text and "room temperatures" in text for text in made.unknown)


def test_a_version_survives_json_and_changes_only_what_it_knows(found):
    county, made = found
    back = read_calibration(json.loads(json.dumps(made.as_body())))
    assert back == made
    learnt = apply_calibration(county, back)
    pipe, group = county.network.pipes[0], made.pipes[county.network.pipes[0].id]
    factor = made.find("heat_loss", group)
    assert factor is not None
    assert learnt.network.pipes[0].u_w_m_k == pytest.approx(pipe.u_w_m_k * factor.value)
    assert learnt.network.pipes[0].length_m == pipe.length_m
    assert [b for b in learnt.buildings if not b.heated] == [b for b in county.buildings if not b.heated]
    with pytest.raises(InputError, match="format 99"):
        read_calibration({**made.as_body(), "format": 99})
    with pytest.raises(InputError, match="cannot be read"):
        read_calibration({**made.as_body(), "factors": [{"kind": "roughness"}]})


def test_a_pipe_laid_since_stays_as_surveyed(found):
    county, made = found
    new = replace(county.network.pipes[0], id="P99-S")
    grown = replace(county, network=replace(county.network, pipes=(*county.network.pipes, new)))
    assert apply_calibration(grown, made).network.pipes[-1] == new


def test_groups_are_decades_and_sizes_and_small_ones_join():
    county, _ = make_history(days=0.1)
    pipes = [replace(p, year=1998 if i < 2 else 2010) for i, p in enumerate(county.network.pipes)]
    pipes[4] = replace(pipes[4], diameter_m=0.5, length_m=5.0)
    groups = group_pipes(replace(county.network, pipes=tuple(pipes)))
    assert groups[pipes[0].id] == "1990s/DN200-400"
    assert groups[pipes[4].id] == "2010s"


def test_history_that_is_too_short_gets_a_sentence():
    county, records = make_history(days=1.0)
    with pytest.raises(InputError, match="a day and a half"):
        calibrate(county, records)


def test_an_offset_of_a_meter_is_not_taken_for_a_parameter():
    # y = x s + b: with s that does not vary, x and b cannot be told apart, and x must say so
    n = 400
    same, varying = np.ones((n, 1)), np.linspace(-1.0, 1.0, n)[:, None]
    prior, step = np.array([1.0]), np.array([0.1])
    for s, sure in ((same, False), (varying, True)):
        y = 0.5 * s + 0.4
        fit = fit_groups(
            lambda x, s=s: x[0, 0] * s, Readings(y, np.array([0.1]), np.array([1.0]), 1.0),
            np.zeros(1, np.int64), prior, step,
        )  # fmt: skip
        assert (fit.sigma[0, 0] < 0.02) == sure
        assert abs(fit.x[0, 0] - 0.5) < 2.0 * fit.sigma[0, 0] + 0.01


def test_a_factor_names_its_interval():
    f = Factor("roughness", "2010s", 1.5, 0.1, 0.7)
    assert f.learnt
    assert f.low == pytest.approx(1.5 * np.exp(-0.196))
    assert f.high == pytest.approx(1.5 * np.exp(0.196))


def test_records_are_cut_where_history_pauses():
    t = np.array([0.0, 600.0, 1200.0, 9000.0, 9600.0, 30_000.0])
    assert Records(t, np.zeros((6, 1))).stretches() == [slice(0, 3), slice(3, 5)]


def test_nothing_learnt_changes_nothing():
    county, _ = make_history(days=0.1)
    none = Calibration((), (), group_pipes(county.network), (0.0, 1.0), (1.0, 2.0), ())
    assert apply_calibration(county, none).network.pipes == county.network.pipes
