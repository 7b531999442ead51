import numpy as np

from twin.diagnosis.habit import LEARNING_S, Habit
from twin.diagnosis.stillness import Stillness, find_silent

STEP_S = 300.0


def _teach(habit: Habit, hours: float, law, rng: np.random.Generator, noise: float = 0.3) -> None:
    for i in range(round(hours * 3600 / STEP_S)):
        flow, load = 0.6 + 0.2 * np.sin(i / 30), 0.5 + 0.2 * np.sin(i / 50 + 1)
        sign = law(flow, load) + noise * rng.standard_normal(habit.floor.size)
        habit.take(sign, flow, load, STEP_S, np.zeros(habit.floor.size, bool))


def test_an_offset_and_a_part_with_the_square_of_the_flow_become_habit() -> None:
    habit = Habit(np.ones(2))
    _teach(habit, 48, lambda f, u: np.array([7.0 + 40.0 * f * f, -3.0 + 5.0 * u]), np.random.default_rng(1))
    assert np.all(np.abs(habit.mean[1]) < 0.5)
    assert np.all(habit.sigmas(1, 0.6, 0.5) < 1.6)


def test_what_leaves_the_habit_stands_out_and_is_not_learned_while_held() -> None:
    habit, rng = Habit(np.ones(1)), np.random.default_rng(2)
    _teach(habit, 30, lambda f, u: np.array([5.0]), rng)
    part = habit.part.copy()
    for _ in range(24):
        habit.take(np.array([15.0]), 0.6, 0.5, STEP_S, np.array([True]))
    assert abs(habit.mean[1][0] - 10.0) < 1.0
    assert np.array_equal(part, habit.part)


def test_a_new_sign_says_nothing_before_it_is_known() -> None:
    habit = Habit(np.ones(1))
    _teach(habit, 0.5 * LEARNING_S / 3600, lambda f, u: np.array([1.0]), np.random.default_rng(3))
    assert np.isinf(habit.sigmas(0, 0.6, 0.5)[0])
    _teach(habit, 0.6 * LEARNING_S / 3600, lambda f, u: np.array([1.0]), np.random.default_rng(4))
    assert np.isfinite(habit.sigmas(0, 0.6, 0.5)[0])


def test_trust_stays_bounded_where_nothing_excites_a_part() -> None:
    habit = Habit(np.ones(1))
    for _ in range(3000):
        habit.take(np.array([2.0]), 0.6, 0.5, STEP_S, np.array([False]))
    assert np.isfinite(habit.trust).all()
    assert habit.sigmas(0, 0.6, 0.5)[0] < 2.0


def test_a_missing_sign_neither_moves_nor_teaches() -> None:
    habit = Habit(np.ones(2))
    _teach(habit, 10, lambda f, u: np.array([1.0, 1.0]), np.random.default_rng(5))
    before = habit.mean[:, 1].copy(), habit.part[1].copy()
    habit.take(np.array([1.0, np.nan]), 0.6, 0.5, STEP_S, np.zeros(2, bool))
    assert np.array_equal(before[0], habit.mean[:, 1])
    assert np.array_equal(before[1], habit.part[1])


def test_a_meter_that_repeats_itself_surprises_only_if_it_is_usually_alive() -> None:
    still, rng = Stillness(np.full(2, 60.0)), np.random.default_rng(6)
    t = 0.0
    for _ in range(400):
        t += 60.0
        still.take(np.array([round(float(rng.normal(50, 0.1)), 2), 1.0]), np.array([t, t]), t)
    for _ in range(15):  # looked at every minute, reported at the heartbeat
        t += 60.0
        reported = t - t % 300.0
        still.take(np.array([50.0, 1.0]), np.array([reported, reported]), t)
    alive, constant = still.surprise()
    assert alive > 12.0
    assert constant < 4.0


def test_old_news_is_not_a_repeat() -> None:
    still = Stillness(np.full(1, 60.0))
    for i in range(50):
        still.take(np.array([3.0]), np.array([100.0]), 100.0 + i)
    assert still.run[0] == 0.0
    assert still.surprise()[0] == 0.0


def test_silent_devices_are_one_gateway_when_all_of_a_dialect_are() -> None:
    devices = tuple((f"D{i}", "flat" if i < 4 else "sparkplug", np.array([i])) for i in range(8))
    period = np.full(8, 60.0)
    reported = np.array([0.0, 0.0, 0.0, 0.0, 5000.0, 0.0, 5000.0, -np.inf])
    names, since = find_silent(devices, period, reported, 5000.0)
    assert names == ("*flat", "D5")
    assert since["D5"] == 0.0


def test_who_has_not_listened_blames_no_gateway_until_he_has() -> None:
    devices = tuple((f"D{i}", "flat", np.array([i])) for i in range(4))
    period, reported = np.full(4, 60.0), np.array([20_000.0, 20_000.0, 20_000.0, 100.0])
    assert find_silent(devices, period, reported, 20_000.0)[0] == ("D3",)
    still = Stillness(period)
    for t in np.arange(0.0, 1200.0, 60.0):
        still.take(np.full(4, t), np.full(4, t), t)
    still.take(np.full(4, 1.0), reported, 20_000.0)  # hours of downtime lie between
    assert find_silent(devices, period, reported, 20_000.0, still.listening)[0] == ()
    reported[:3] = 21_000.0
    assert find_silent(devices, period, reported, 21_000.0, still.listening)[0] == ("D3",)


def test_a_meter_that_shows_the_same_after_a_downtime_has_not_stood_still() -> None:
    still, rng = Stillness(np.full(1, 60.0)), np.random.default_rng(8)
    t = 0.0
    for _ in range(400):
        t += 60.0
        still.take(np.round(rng.normal(50, 0.1, 1), 2), np.array([t]), t)
    last = still.value.copy()
    for later in (t + 30_000.0, t + 30_060.0, t + 30_120.0):
        still.take(last, np.array([later]), later)
    assert still.surprise()[0] < 12.0


def test_a_source_that_comes_in_now_and_then_is_habit_and_not_a_fault() -> None:
    rng = np.random.default_rng(8)
    knows, other = Habit(np.ones(1), np.ones(1, bool)), Habit(np.ones(1))

    def morning(i: int) -> float:
        return 0.14 if i % 288 < 36 and i > 288 else 0.0  # three hours a day, not on the first

    worst = {id(knows): 0.0, id(other): 0.0}
    for i in range(4 * 288):
        flow, load, split = 0.6 + 0.2 * np.sin(i / 30), 0.5 + 0.2 * np.sin(i / 50 + 1), morning(i)
        sign = np.array([7.0 + 40.0 * flow**2 - 100.0 * flow**2 * split]) + 0.3 * rng.standard_normal(1)
        for h in (knows, other):
            h.take(sign, flow, load, STEP_S, np.zeros(1, bool), split)
            if i > 144:
                z = float(np.abs(h.mean[1] / h.sigmas(1, flow, load, split))[0])
                worst[id(h)] = max(worst[id(h)], z)
    assert worst[id(knows)] < 2.5
    assert worst[id(other)] > 3.0, "a habit that does not know it would tell a fault"
