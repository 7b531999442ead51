"""Valves that stand while their water leaves the curve."""

import numpy as np

from twin.diagnosis.valves import LEAST_K_S, Valves

WHOLE = np.zeros(1, bool)


def _live(valves: Valves, hours: float, rng: np.random.Generator) -> None:
    """A living valve: it moves whenever it has left a little undone."""
    opening, undone = 0.4, 0.0
    for _ in range(round(60 * hours)):
        error = float(rng.normal(0.0, 0.15)) + 0.02
        undone += 60.0 * error
        if abs(undone) > 150.0:
            opening, undone = opening + 0.006 * float(np.sign(undone)), 0.0
        valves.take(np.array([opening]), np.array([error]), WHOLE, 60.0)


def test_a_valve_that_moves_now_and_then_is_never_idle() -> None:
    valves, rng = Valves(1), np.random.default_rng(3)
    for _ in range(24):
        _live(valves, 1.0, rng)
        assert valves.idle()[0] < 1.0


def test_what_a_stuck_valve_left_undone_is_remembered_when_the_weather_comes_back() -> None:
    valves, rng = Valves(1), np.random.default_rng(4)
    _live(valves, 12.0, rng)
    stuck = valves.stand.copy()
    for error in (0.35, 0.0):  # an hour and a half off the curve, then on it again
        for _ in range(90):
            valves.take(stuck, np.array([error]), WHOLE, 60.0)
        assert valves.idle()[0] >= 1.0
    valves.take(stuck + 0.01, np.array([0.0]), WHOLE, 60.0)
    assert valves.idle()[0] == 0.0


def test_a_valve_of_which_no_habit_is_known_is_not_blamed() -> None:
    valves = Valves(2)
    for _ in range(300):
        valves.take(np.array([0.4, np.nan]), np.array([0.5, 0.5]), np.zeros(2, bool), 60.0)
    assert valves.peak[0] > 2.0 * LEAST_K_S
    assert np.array_equal(valves.idle(), [0.0, 0.0])


def test_what_another_fault_leaves_undone_is_not_the_valve() -> None:
    valves, rng = Valves(1), np.random.default_rng(5)
    _live(valves, 12.0, rng)
    for _ in range(180):
        valves.take(valves.stand.copy(), np.array([-2.0]), ~WHOLE, 60.0)
    assert valves.idle()[0] == 0.0


def test_what_all_stations_are_off_together_is_nobodys_valve_but_one_station_alone_still_is() -> None:
    valves, rng = Valves(8), np.random.default_rng(6)
    none = np.zeros(8, bool)
    for k in range(60):
        valves.take(np.full(8, 0.4 + 0.006 * k), rng.normal(0.0, 0.1, 8), none, 60.0)
    stand = valves.stand.copy()
    for _ in range(180):
        valves.take(stand, np.full(8, -0.4), none, 60.0)
    assert valves.idle().max() < 1.0
    alone = np.full(8, -0.4)
    alone[3] = -1.0
    for _ in range(180):
        valves.take(stand, alone, none, 60.0)
    assert np.flatnonzero(valves.idle() >= 1.0).tolist() == [3]
