"""Findings over the real store."""

import math
from dataclasses import replace
from pathlib import Path

from ingest.store.client import StoreClient
from ingest.store.finding_api import FoundSuspect, TwinFinding
from tests.ingest import test_store

served = test_store.served

LEAK = TwinFinding(
    "leak::1000", 1100.0, True, "leak", "P1", 2.0, 0.5, 1000.0, 30.0,
    (FoundSuspect("leak", "P1", 2.0, 0.5), FoundSuspect("sensor_freeze", "S1/p1_ts", math.nan, 0.1)),
)  # fmt: skip


def test_the_newest_state_of_each_finding_is_told_open_ones_first(served) -> None:  # type: ignore[no-untyped-def]
    client: StoreClient = served[0]
    other = replace(LEAK, id="fouling:S1:900", kind="fouling", place="S1", since=900.0)
    client.write_findings([LEAK, other])
    client.write_findings(
        [replace(LEAK, t=1200.0, place="P2", size=2.5), replace(other, t=1300.0, open=False)]
    )
    rows = client.findings()
    assert [(f.id, f.open, f.place, f.t) for f in rows] == [
        ("leak::1000", True, "P2", 1200.0),
        ("fouling:S1:900", False, "S1", 1300.0),
    ]
    assert rows[0].since == 1000.0
    assert rows[0].suspects[0] == LEAK.suspects[0]
    assert math.isnan(rows[0].suspects[1].size)


def test_findings_before_a_time_are_left_out_and_a_size_may_be_missing(served, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    client: StoreClient = served[0]
    client.write_findings([replace(LEAK, size=math.nan)])
    assert math.isnan(client.findings(1050.0)[0].size)
    assert client.findings(1150.0) == []
    client.write_findings([])
