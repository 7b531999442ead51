"""The rehearsal room: from what is measured to alternatives, words and a plan."""

import math
import time
from pathlib import Path

import numpy as np
import pytest

from app.domains.heating.contingency import STEPS, list_steps, write_plan
from app.domains.heating.rehearse import Stage, look_ahead, read_past
from app.pages.rehearsal import check_form, describe_rehearsal, draw_table, draw_worst, kept_options
from app.web.context import Context
from ingest.settings import read_settings
from ingest.store.api import RollUpSeries
from tests.support.fake_store import FakeStore
from tests.support.tiny import make_tiny_county
from twin.model.errors import InputError
from twin.rehearsal import INCIDENTS, Incident

COUNTY = make_tiny_county()
STAGE = Stage(COUNTY)


def measured(**change: float) -> np.ndarray:
    known = {"t_out": -5.0, "src_ts": 95.0, "src_tr": 50.0, "src_ps": 8e5, "src_pr": 3e5, "src_flow": 0.0,
             "room_t": 20.5, "wind": 2.0, "solar": 0.0} | change  # fmt: skip
    return np.array([known.get(p.key, math.nan) for p in COUNTY.points])


def nothing_stored(point_no: int, start: float, end: float) -> RollUpSeries:
    none = np.empty(0)
    return RollUpSeries(none, none.astype(np.int64), none, none, none, none)


def answer(incident: Incident, hours: float = 6.0):  # type: ignore[no-untyped-def]
    return STAGE.rehearse(measured(), nothing_stored, time.time(), incident, hours)


def test_history_is_taken_where_it_is_and_the_latest_value_where_not() -> None:
    now = 1.8e9

    def stored(point_no: int, start: float, end: float) -> RollUpSeries:
        if COUNTY.points[point_no].key != "t_out":
            return nothing_stored(point_no, start, end)
        t = np.arange(start, end, 300.0)
        x = -10.0 + 5.0 * (t - start) / (end - start)
        return RollUpSeries(t, np.ones(t.size, np.int64), x, x, x, x)

    past = read_past(COUNTY, STAGE.system(), measured(), stored, now)
    assert past.t_outdoor_c[0] < -9.0 and past.t_outdoor_c[-1] > -5.5
    assert np.all(past.t_source_c == 95.0)
    assert np.nanmax(past.t_room_c) == 20.5


def test_without_weather_there_is_no_start() -> None:
    with pytest.raises(InputError, match="outdoor"):
        read_past(COUNTY, STAGE.system(), measured(t_out=math.nan), nothing_stored, 1.8e9)


def test_tomorrow_begins_as_today_is_and_goes_back_to_yesterdays_course() -> None:
    past = read_past(COUNTY, STAGE.system(), measured(t_out=2.0), nothing_stored, 1.8e9)
    yesterday = -8.0 + 4.0 * np.sin(np.arange(288) / 288 * 2 * np.pi)
    ahead = look_ahead(STAGE.system(), past, yesterday, 48.0)
    assert abs(ahead.t_outdoor_c[0] - 2.0) < 0.3
    assert abs(ahead.t_outdoor_c[-1] - yesterday[-1]) < 0.5


def test_a_burst_that_the_make_up_cannot_feed_stops_the_network() -> None:
    pipe = next(p.id for p in COUNTY.network.pipes if p.side == "supply")
    found = answer(Incident("burst", pipe, 0.2))
    undone = next(a for a in found.alternatives if not a.run.case.measures)
    assert undone.run.case.name == "collapse" and undone.lasts_h == 1.0
    small = answer(Incident("burst", pipe, 0.005))
    assert next(a for a in small.alternatives if not a.run.case.measures).run.case.name == "nothing"


def test_alternatives_come_best_first() -> None:
    found = answer(Incident("source_trip", COUNTY.network.sources[0].id, 0.2), 12.0)
    scores = [a.judgement.degree_hours for a in found.alternatives]
    assert scores == sorted(scores) and len(scores) > 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_incident_has_a_plan_with_words(lang: str) -> None:
    assert set(STEPS) == set(INCIDENTS)
    found = answer(Incident("pump_trip", COUNTY.network.substations[0].id))
    for kind in INCIDENTS:
        steps = list_steps(Incident(kind), found.alternatives[0], lang)
        assert len(steps) >= 4 and all(all(cells) for cells in steps)
    plan = write_plan(COUNTY, Incident("pump_trip", "S1"), "S1", found, lang)
    assert plan.count("\n1. ") == 1 and "|---|" in plan
    assert draw_table(found, lang) is not None


def test_a_wrong_form_is_answered_in_words() -> None:
    assert check_form("burst", None, 80.0, "zh") and check_form("burst", "P1", None, "zh")
    assert "200" not in check_form("burst", "P1", 80.0, "zh") == ""
    assert "500" in check_form("burst", "P1", 9000.0, "en")
    assert check_form("pump_trip", "S1", None, "en") == ""


def test_who_gets_cold_first_is_named() -> None:
    class Held:
        county = COUNTY

    found = answer(Incident("power_cut"), 12.0)
    table = draw_worst(Held(), STAGE, found, "zh")  # type: ignore[arg-type]
    assert len(table.children[1].children) > 0


def test_an_exported_plan_is_kept_with_how_every_alternative_was_judged(tmp_path: Path) -> None:
    store = FakeStore(COUNTY)
    context = Context(read_settings({"CT_DATA": str(tmp_path)}), COUNTY, store)
    incident = Incident("source_trip", COUNTY.network.sources[0].id, 0.2)
    found = answer(incident)
    no = store.keep("rehearsal", "停热", describe_rehearsal(incident, found, "plan text", "plan.md"))
    body = store.kept_body(no)
    assert isinstance(body, dict) and body["plan"] == "plan text" and body["place"] == incident.at
    assert len(body["alternatives"]) == len(found.alternatives)
    (option,) = kept_options(context)
    assert option["value"] == str(no) and "停热" in option["label"]
