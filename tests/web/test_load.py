"""The load forecast: whose weather it goes by, and where that ends."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from app.pages.load import draw_load, tell_quality
from app.web.context import Context
from app.workers.plan import Planner, describe_forecast
from ingest.settings import read_settings
from ingest.store.kept_client import write_body
from tests.dispatch.test_dispatch import COUNTY, DESK, HOURS
from tests.support.fake_store import FakeStore
from twin.forecast import LoadPast, WeatherPast, forecast_load


def test_a_services_weather_is_taken_while_it_reaches_and_a_wrong_table_is_told(
    tmp_path: Path,
) -> None:
    store = FakeStore(COUNTY)
    context = Context(read_settings({"CT_DATA": str(tmp_path)}), COUNTY, store)
    now = float(HOURS.t[-1])
    file = tmp_path / "weather" / "forecast.csv"
    file.parent.mkdir()
    planner = Planner(COUNTY, store, Path("nowhere"), threading.Event(), data=tmp_path)
    past = WeatherPast(HOURS.t, HOURS.t_out_c, HOURS.wind_m_s, HOURS.sun_w_m2)

    def lay(*rows: str) -> tuple[np.ndarray, dict[str, object]]:  # type: ignore[type-arg]
        file.write_text("\n".join(["time,t_out_c", *rows]), encoding="utf-8")
        os.utime(file, (now, now))
        outlook, told = planner._expect(past, now)
        return outlook.t_out_c, told

    own, told = planner._expect(past, now)
    assert told["weather"] == "habit" and own.t[-1] - now == 72 * 3600.0
    hours = [datetime.fromtimestamp(now + 3600.0 * k, UTC).isoformat() for k in (0, 30)]
    warm, told = lay(f"{hours[0]},11.0", f"{hours[1]},11.0")
    assert told["weather"] == "service" and told["weather_end"] == now + 30 * 3600.0
    assert np.all(warm[:24] == 11.0) and np.all(warm[-10:] == own.t_out_c[-10:])
    design = float(DESK.houses.design_w.sum())
    heat = np.nansum(HOURS.source["src_heat"], axis=1)
    load = forecast_load(LoadPast(past, heat, design, COUNTY.meta.design_outdoor_c), own)
    body = json.loads(write_body(describe_forecast(load, own) | told))
    figure = draw_load(context, body, (np.empty(0), np.empty(0)), "zh", False, 72)
    assert "气象预报止" in str(figure.layout.annotations) and "气象预报到" in tell_quality(body, "zh")
    assert len(draw_load(context, body, (np.empty(0), np.empty(0)), "zh", False, 24).layout.shapes) == 0
    for bad, why in (
        ("soon,3", "line 2"), (f"{hours[0]},x", "line 2"), (f"{hours[1]},3\n{hours[0]},3", "rise"),
        (f"{hours[1]},280", "its unit"), ("", "columns"),
    ):  # fmt: skip
        _, told = lay(bad)
        assert told["weather"] == "habit" and why in str(told["weather_why"])
    os.utime(file, (now - 2e5, now - 2e5))
    assert planner._expect(past, now)[1]["weather_why"] == ""
