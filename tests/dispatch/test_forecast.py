"""Forecasts against what then happens, on days made from a law with noise."""

import numpy as np
import pytest

from twin.forecast import LoadPast, WeatherPast, expect_weather, forecast_load, join_service
from twin.model.errors import InputError

START = 1_800_000_000.0 // 86_400 * 86_400
HOUR = np.full(24, 3600.0)


def days(n: int, seed: int = 3) -> tuple[WeatherPast, np.ndarray]:  # type: ignore[type-arg]
    """Weather with fronts, and a load that follows the slow outdoor temperature, sun and habit."""
    rng = np.random.default_rng(seed)
    t = START + 3600.0 * np.arange(1, 24 * n + 1)
    front = np.interp(t, START + 86_400.0 * np.arange(n + 2), rng.normal(0.0, 4.0, n + 2))
    clock = 2 * np.pi * t / 86_400.0
    out = -3.0 + front - 4.0 * np.cos(clock)
    sun = np.maximum(-np.cos(clock), 0.0) * 400.0
    slow, load = out[0], np.empty(t.size)
    for k in range(t.size):
        slow += (out[k] - slow) / 24.0
        load[k] = 1e8 * ((18.0 - slow) / 29.0 + 0.03 * np.sin(clock[k]) - 1e-4 * sun[k])
    load *= 1.0 + rng.normal(0.0, 0.01, t.size)
    return WeatherPast(t, out, np.full(t.size, 2.0), sun), load


def cut(w: WeatherPast, n: int) -> WeatherPast:
    return WeatherPast(w.t[:n], w.t_out_c[:n], w.wind_m_s[:n], w.sun_w_m2[:n])


def test_the_load_of_the_next_day_is_inside_its_band_and_better_than_persistence() -> None:
    w, load = days(14)
    errors, rivals, inside = [], [], []
    for end in range(24 * 8, 24 * 13, 13):
        past = LoadPast(cut(w, end), load[:end], 1e8, -11.0)
        f = forecast_load(past, expect_weather(past.weather, HOUR))
        truth = load[end : end + 24]
        errors.append(np.abs(f.load_w - truth).mean())
        rivals.append(np.abs(f.persistence_w - truth).mean())
        inside.append(((truth >= f.low_w) & (truth <= f.high_w)).mean())
    assert np.mean(errors) < 0.85 * np.mean(rivals)
    assert np.mean(inside) > 0.8, "nine in ten are promised"
    assert f.trials > 100 and 0.0 < f.error_w < f.persistence_error_w


def test_every_day_ahead_is_judged_by_itself_and_its_band_holds_what_it_promises() -> None:
    w, load = days(22)
    steps = np.array([3600.0] * 24 + [7200.0] * 24)
    inside: list[list[float]] = [[], [], []]
    for end in range(24 * 11, 24 * 19, 11):
        past = LoadPast(cut(w, end), load[:end], 1e8, -11.0)
        f = forecast_load(past, expect_weather(past.weather, steps))
        truth = np.interp(f.t - steps / 2.0, w.t - 1800.0, load)
        held = (truth >= f.low_w) & (truth <= f.high_w)
        for day in range(3):
            mine = (f.t - w.t[end - 1] > 86_400.0 * day) & (f.t - w.t[end - 1] <= 86_400.0 * (day + 1))
            inside[day].append(float(held[mine].mean()))
        assert [x.until_h for x in f.leads] == [24, 48, 72] and all(x.trials >= 48 for x in f.leads)
        assert f.leads[0].error_w == f.error_w and f.leads[2].error_w > f.leads[0].error_w
    assert all(np.mean(x) > 0.8 for x in inside), "nine in ten are promised, on the third day too"
    assert f.t[-1] - w.t[end - 1] == 72 * 3600.0 and (f.high_w - f.low_w)[-1] > (f.high_w - f.low_w)[0]


def test_with_a_perfect_weather_service_the_forecast_is_better_still() -> None:
    w, load = days(12)
    end = 24 * 9
    past = LoadPast(cut(w, end), load[:end], 1e8, -11.0)
    own = expect_weather(past.weather, HOUR)
    service = join_service(own, w.t[end : end + 24] - 1800.0, w.t_out_c[end : end + 24])
    truth = load[end : end + 24]
    assert np.abs(forecast_load(past, service).load_w - truth).mean() < 0.03 * truth.mean()
    assert np.all(service.sigma_k <= own.sigma_k)


def test_a_few_hours_are_enough_to_begin_with_the_design() -> None:
    w, load = days(2)
    past = LoadPast(cut(w, 8), load[:8], 1e8, -11.0)
    f = forecast_load(past, expect_weather(past.weather, HOUR))
    assert np.isnan(f.error_w) and f.trials == 0 and f.hours == 8
    assert np.all(np.abs(f.load_w / load[8:32] - 1.0) < 0.3)
    with pytest.raises(InputError, match="6 are needed"):
        forecast_load(LoadPast(cut(w, 3), load[:3], 1e8, -11.0), expect_weather(cut(w, 3), HOUR))


def test_the_error_of_the_own_outlook_grows_with_the_lead_and_gaps_do_not_stop_it() -> None:
    w, _ = days(6)
    holes = w.t_out_c.copy()
    holes[10:20] = np.nan
    o = expect_weather(WeatherPast(w.t, holes, w.wind_m_s, w.sun_w_m2), np.full(48, 3600.0))
    assert np.all(np.diff(o.sigma_k) >= 0.0) and np.isfinite(o.t_out_c).all()
    with pytest.raises(InputError, match="weather station must report"):
        expect_weather(WeatherPast(w.t, np.full(w.t.size, np.nan), w.wind_m_s, w.sun_w_m2), HOUR)


@pytest.mark.parametrize(
    ("t", "x"), [([1.0, 1.0], [0.0, 0.0]), ([1.0], [280.0]), ([1.0, 2.0], [0.0]), ([], [])]
)
def test_a_service_that_says_nonsense_is_refused(t: list[float], x: list[float]) -> None:
    w, _ = days(3)
    with pytest.raises(InputError, match="weather service"):
        join_service(expect_weather(w, HOUR), np.array(t), np.array(x))
