"""Versions in the store: made, adopted, taken back; the twin worker follows."""

import threading
from pathlib import Path

import pytest

from app.web.rehearsal_routes import Room
from app.workers.calibrations import (
    adopt_version,
    find_adopted,
    find_version,
    is_due,
    list_versions,
    make_version,
    withdraw_version,
)
from app.workers.plan import Planner
from app.workers.twin import TwinWorker
from tests.calibration.synthetic import make_history
from tests.support.fake_store import FakeStore
from twin.calibration import Calibration, Factor, group_pipes
from twin.model.errors import InputError


@pytest.fixture
def store():
    county, _ = make_history(days=0.1)
    return FakeStore(county)


def keep(store, value):
    groups = group_pipes(store.county.network)
    factors = tuple(Factor("heat_loss", g, value, 0.1, 0.3) for g in sorted(set(groups.values())))
    body = Calibration(factors, (), groups, (0.0, 1.0), (1.0, 2.0), ()).as_body()
    return store.keep("calibration", "", body)


def test_the_version_adopted_last_is_in_force_until_it_is_taken_back(store):
    first, second = keep(store, 1.2), keep(store, 1.4)
    assert find_adopted(store) == 0
    adopt_version(store, second, "li")
    adopt_version(store, first, "li")
    assert find_adopted(store) == first
    withdraw_version(store, first, "li")
    assert find_adopted(store) == second
    withdraw_version(store, second, "li")
    assert find_adopted(store) == 0
    assert len(list_versions(store)) == 2


def test_the_worker_takes_up_what_is_adopted_and_gives_it_back(store):
    worker = TwinWorker(store.county, store, threading.Event(), warmed_up=True)
    surveyed = worker.net.u_w_m_k.copy()
    assert not worker.follow_calibration()
    no = keep(store, 1.25)
    adopt_version(store, no, "li")
    assert worker.follow_calibration()
    assert worker.net.u_w_m_k == pytest.approx(1.25 * surveyed)
    assert not worker.warmed_up  # the water in the pipes is walked anew
    assert not worker.follow_calibration()
    withdraw_version(store, no, "li")
    assert worker.follow_calibration()
    assert worker.net.u_w_m_k == pytest.approx(surveyed)


def test_mistakes_get_a_sentence(store):
    with pytest.raises(InputError, match="there is no calibration 7"):
        find_version(store, 7)
    no = keep(store, 1.1)
    with pytest.raises(InputError, match="nothing to take back"):
        withdraw_version(store, no, "li")
    with pytest.raises(InputError, match="fewer than two moments"):
        make_version(store, store.county, 1.8e9, 2.0)


def test_a_version_is_due_when_the_newest_is_a_week_old(store):
    assert is_due(store, 0.0)
    no = keep(store, 1.1)
    made = next(r for r in list_versions(store) if r.no == no).made
    assert not is_due(store, made + 86_400.0)
    assert is_due(store, made + 8 * 86_400.0)


def test_rehearsals_and_plans_begin_with_the_calibration_in_force(store):
    groups = group_pipes(store.county.network)
    loss = tuple(Factor("building_loss", s.id, 0.8, 0.05, 0.2) for s in store.county.network.substations)
    gain = tuple(Factor("building_gain", s.id, 1.3, 0.1, 0.15) for s in store.county.network.substations)
    no = store.keep(
        "calibration", "", Calibration((*loss, *gain), (), groups, (0.0, 1.0), (1.0, 2.0), ()).as_body()
    )
    room = Room(store.county)
    surveyed = room.stage.system().buildings
    adopt_version(store, no, "li")
    room.follow(store.county, store)
    learnt = room.stage.system().buildings
    assert learnt.ua_w_k == pytest.approx(0.8 * surveyed.ua_w_k)
    assert learnt.people_w == pytest.approx(1.3 * surveyed.people_w)
    assert learnt.sun_m2 == pytest.approx(1.3 * surveyed.sun_m2)
    planner = Planner(store.county, store, Path("nowhere"), threading.Event())
    with pytest.raises(InputError, match="hour"):
        planner.plan(1.8e9)  # too little history, but the desk is there
    assert planner.calibration == no and planner.desk is not None
    assert planner.desk.houses.people_w.sum() == pytest.approx(learnt.people_w.sum())
