"""What the diagnosis page says of a finding, in both languages."""

import time

import pytest

from app.domains.heating.decide import find_matters
from app.domains.heating.findings import nearest_station, tell_finding
from app.i18n import TEXTS
from ingest.store.api import SimulatedTable
from ingest.store.finding_api import FoundSuspect, TwinFinding
from tests.support.tiny import make_tiny_county
from twin.diagnosis.kinds import FAULTS


def finding(kind: str, place: str, size: float = 2.0) -> TwinFinding:
    now = time.time()
    suspects = (FoundSuspect(kind, place, size, 0.9),)
    return TwinFinding(f"{kind}:{place}:1", now, True, kind, place, size, 0.9, now - 600, 50.0, suspects)


def places(county) -> dict[str, str]:
    station, source = county.network.substations[0].id, county.network.sources[0].id
    return {
        "pipe": county.network.pipes[0].id, "station": station, "source": source,
        "point": f"{station}/p1_ts", "device": county.devices[0].id,
    }  # fmt: skip


@pytest.mark.parametrize("kind", sorted(FAULTS))
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_fault_has_its_words_and_something_to_show(kind: str, lang: str) -> None:
    county = make_tiny_county()
    told = tell_finding(county, finding(kind, places(county)[FAULTS[kind].place]), lang)
    assert told.kind and told.place and told.effect and told.check
    assert told.place_id in {s.id for s in (*county.network.substations, *county.network.sources)}
    assert all(p in county.point_by_id for p in told.points)


def test_sizes_carry_their_unit_and_sign() -> None:
    county = make_tiny_county()
    station = county.network.substations[0].id
    assert tell_finding(county, finding("leak", county.network.pipes[0].id, 2.5), "zh").size == "9.0 t/h"
    assert tell_finding(county, finding("fouling", station, 0.22), "zh").size == "22 %"
    assert (
        tell_finding(county, finding("sensor_bias", f"{station}/p1_ts", -3.0), "zh").size
        == "\N{MINUS SIGN}3.0 K"
    )
    assert tell_finding(county, finding("sensor_bias", f"{station}/p1_flow", 0.1), "zh").size == "+10.0 %"
    assert (
        tell_finding(county, finding("gateway_offline", county.devices[0].id, float("nan")), "zh").size == ""
    )


def test_a_leak_is_told_near_a_station_that_exists() -> None:
    county = make_tiny_county()
    for pipe in county.network.pipes:
        assert nearest_station(county, pipe.id) in {s.id for s in county.network.substations}


def test_what_a_finding_explains_is_not_told_again_as_a_deviation() -> None:
    import numpy as np

    county = make_tiny_county()
    station = county.network.substations[0].id
    no = county.point_by_id[f"{station}/p1_ts"].no
    one = np.ones(1)
    table = SimulatedTable(1, 0.0, np.array([no]), one, one, 8 * one, 8 * one)
    value = np.full(len(county.points), np.nan)
    before = find_matters(county, value, table, {}, "zh")
    after = find_matters(county, value, table, {}, "zh", [finding("sensor_bias", f"{station}/p1_ts", 8.0)])
    assert len(before) == 1 and len(after) == 1
    assert before[0].text != after[0].text
    assert TEXTS["fault.sensor_bias"][0] in after[0].text
