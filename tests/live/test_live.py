"""Frames and hub: what goes in at the store comes out at the screen, through outages."""

import asyncio
import json
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from app.live.frames import HEADER, Kind, make_network, make_readings, make_simulated
from app.live.hub import QUEUE_FRAMES, LiveHub, Screen
from ingest.store.api import NetworkState, Notice
from tests.support.aio import run_alone
from tests.support.fake_store import FakeStore
from tests.support.tiny import make_tiny_county


def read(data: bytes) -> tuple[Kind, int, int, bytes]:
    magic, version, kind, count, number, _ = HEADER.unpack_from(data)
    assert (magic, version) == (b"CT", 1)
    return Kind(kind), count, number, data[HEADER.size :]


@pytest.fixture
def store() -> FakeStore:
    return FakeStore(make_tiny_county())


def test_a_readings_frame_has_its_columns_where_a_browser_can_view_them(store: FakeStore) -> None:
    store.put("S01/p1_ts", 88.25, t=1000.0)
    store.put("S01/p1_tr", -3.5, t=1001.0)
    kind, n, _, body = read(make_readings(store.latest()).encode(7, 5.0))
    assert (kind, n, HEADER.size % 8) == (Kind.DELTA, 2, 0)
    assert np.frombuffer(body, "<f8", 2).tolist() == [1000.0, 1001.0]
    assert np.frombuffer(body, "<f8", 2, 16).tolist() == [88.25, -3.5]
    numbers = [store.county.point_by_id[f"S01/{k}"].no for k in ("p1_ts", "p1_tr")]
    assert np.frombuffer(body, "<u4", 2, 32).tolist() == numbers
    assert len(body) == 2 * 21


def test_network_and_simulated_frames_keep_missing_answers_missing() -> None:
    a, b = np.array([1.0, np.nan, 3.0]), np.array([4.0, 5.0])
    state = NetworkState(1, 9.0, "ok", a, a, a, a, b, b)
    _, n, _, body = read(make_network(state).encode(1, 0.0))
    t, nodes, pipes = struct.unpack_from("<dII", body)
    assert (n, t, nodes, pipes) == (3, 9.0, 3, 2)
    assert np.isnan(np.frombuffer(body, "<f4", 3, 16)[1])
    assert len(body) == 16 + 4 * (4 * 3 + 2 * 2)


async def next_of(screen: Screen, kind: Kind, limit: int = 60) -> bytes:
    for _ in range(limit):
        found, _, _, body = read(await asyncio.wait_for(screen.queue.get(), 10))
        if found == kind:
            return body
    raise AssertionError(f"no {kind.name} frame")


def test_a_new_value_reaches_the_screen_and_an_outage_is_said_and_healed(store: FakeStore) -> None:
    async def play() -> None:
        store.put("S01/p1_ts", 80.0)
        stale = Notice("unstorable", "store", 1.0, 2.0, 1, "")
        calm = Notice("scout", "broker", time.time(), time.time(), 1, "")
        store.noticed = [stale, calm, Notice("broker_dropped", "broker", 1.0, time.time() - 60, 3, "")]
        hub = LiveHub(store)
        hub.start()
        screen = hub.join()
        assert json.loads(await next_of(screen, Kind.STATUS))["store"]["up"] is False
        snapshot = await next_of(screen, Kind.SNAPSHOT)
        assert len(snapshot) == 21
        store.put("S01/p1_tr", 41.0)
        body = await next_of(screen, Kind.DELTA)
        assert np.frombuffer(body, "<f8", 1, 8)[0] == 41.0
        while (alarm := json.loads(await next_of(screen, Kind.STATUS))["alarm"]) is None:
            pass
        assert alarm["kind"] == "broker_dropped"
        store.down = True
        while json.loads(await next_of(screen, Kind.STATUS))["store"]["up"]:
            pass
        store.down = False
        store.put("S02/p1_ts", 77.0)
        while len(await next_of(screen, Kind.SNAPSHOT)) != 3 * 21:
            pass
        while not json.loads(await next_of(screen, Kind.STATUS))["store"]["up"]:
            pass
        hub.leave(screen)
        await hub.stop()

    run_alone(play())


def test_a_screen_that_does_not_keep_up_starts_again_from_a_snapshot(store: FakeStore) -> None:
    async def play() -> None:
        store.put("S01/p1_ts", 80.0)
        hub = LiveHub(store)
        hub.start()
        screen = hub.join()
        await next_of(screen, Kind.SNAPSHOT)
        for i in range(QUEUE_FRAMES + 20):
            screen.offer(b"x" * i)
        assert screen.behind
        while not screen.queue.empty():
            screen.queue.get_nowait()
        kind, n, _, _ = read(await asyncio.wait_for(screen.queue.get(), 10))
        assert (kind, n) == (Kind.SNAPSHOT, 1)
        await hub.stop()

    run_alone(play())


def test_simulated_values_come_with_their_deviation(store: FakeStore) -> None:
    from ingest.store.api import SimulationResult

    no = np.array([store.county.point_by_id["S01/p1_ts"].no])
    one = np.array([1.0])
    store.write_simulation(SimulationResult(5.0, "ok", 1, 0.1, no, 80 * one, 2 * one, 86 * one, None))
    _, n, _, body = read(make_simulated(store.simulated_latest()).encode(1, 0.0))
    t, value, sigma, residual, z = struct.unpack_from("<5d", body)
    assert (n, t, value, sigma, residual, z) == (1, 5.0, 80.0, 2.0, 6.0, 3.0)


def test_every_kind_of_frame_is_documented() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "live-protocol.md").read_text(encoding="utf-8")
    for kind in Kind:
        assert f"| {kind.value} | {kind.name} |" in text
