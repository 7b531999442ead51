"""The rehearsal room of a server: answers of late, and the network hour by hour as bytes for the scene.

``GET /api/rehearsal/{key}/{case}.bin``: little-endian; u32 frames, nodes, pipes, buildings; then float32
columns: hours (frames), and per frame supply and return temperature (nodes, °C), supply and return pressure
(nodes, Pa gauge), flow (pipes, kg/s), water temperature (pipes, °C), rooms (buildings of the county's table,
°C, NaN: not heated).
"""

import math
import struct
import threading
import time
from collections import OrderedDict

import numpy as np
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from app.domains.heating.present import read_present
from app.domains.heating.rehearse import Aid, Answer, Stage
from app.web.context import Context
from app.workers.calibrations import apply_adopted, find_adopted
from ingest.store.api import RollUpSeries, Store
from twin.model.county import County
from twin.model.errors import StoreUnavailable
from twin.rehearsal import Frames, Incident

PATH = "/api/rehearsal"
KEPT = 8
"""Answers that are remembered, newest last."""


class Room:
    """One per server: the compiled county and the newest answers by key."""

    def __init__(self, county: County) -> None:
        self.stage, self.calibration = Stage(county), 0
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def follow(self, county: County, store: Store) -> County:
        """Take up the calibration in force; the county with it. Raises ``StoreUnavailable``."""
        no = find_adopted(store)
        if no != self.calibration:
            self.stage, self.calibration = Stage(apply_adopted(store, county, no)), no
        return self.stage.county

    def put(self, answer: Answer) -> str:
        """Remember an answer; returns its key."""
        key = f"{time.time_ns():x}"
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        return key

    def get(self, key: str | None) -> Answer | None:
        """The answer of a key, None: never there or long ago."""
        with self._lock:
            return self._answers.get(key or "")


def find_room(context: Context) -> Room:
    """The room of this server."""
    room: Room = context.ask("rehearsal-room", math.inf, lambda: Room(context.county))
    return room


def rehearse_now(
    context: Context, incidents: tuple[Incident, ...], hours: float, moment: float | None, aid: Aid
) -> tuple[str, Answer]:
    """Run incidents from the present (``moment`` None) or a stored moment; key and answer.

    Raises
    ------
    InputError, StoreUnavailable : as ``Stage.rehearse``
    """
    room, store, now = find_room(context), context.store, time.time()
    county = room.follow(context.county, store)
    present = read_present(store, county, room.calibration, now, moment)
    value = context.values_now() if moment is None else context.values_of(store.latest_at(moment), moment)

    def rolled_up(point_no: int, start: float, end: float) -> RollUpSeries:
        return store.rolled_up(point_no, start, end, 300)

    answer = room.stage.rehearse(
        value, rolled_up, moment or now, incidents, hours, store.hourly, aid, now if moment else None, present
    )
    return room.put(answer), answer


def stored_since(context: Context) -> float:
    """The first stored hour of outdoor temperature, NaN before there is any."""
    points = [p.no for p in context.county.points if p.key == "t_out"][:1]
    if not points:
        return math.nan

    def ask() -> float:
        table = context.store.rolled_up(points[0], time.time() - 400 * 86_400.0, time.time(), 86_400)
        fine = context.store.rolled_up(points[0], time.time() - 86_400.0, time.time(), 3600)
        every = [float(t[0]) for t in (table.t, fine.t) if t.size]
        return min(every, default=math.nan)

    try:
        found: float = context.ask("rehearsal-since", 300.0, ask)
    except StoreUnavailable:
        return math.nan
    return found


def register_rehearsal_routes(server: FastAPI, context: Context) -> None:
    """Add the route."""

    @server.get(PATH + "/{key}/{case}.bin")
    def frames(key: str, case: int) -> Response:
        """Frames of one alternative of a recent answer; whoever may look at pages may have them."""
        answer = find_room(context).get(key)
        if answer is None or not 0 <= case < len(answer.alternatives):
            return JSONResponse({"why": "this rehearsal is no longer there: run it again"}, status_code=404)
        ids = find_room(context).stage.system().buildings.ids
        body = pack_frames(context.county, ids, answer.alternatives[case].run.frames)
        return Response(body, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


def pack_frames(county: County, building_ids: tuple[str, ...], f: Frames) -> bytes:
    """The bytes of the route."""
    row = {b.id: k for k, b in enumerate(county.buildings)}
    rooms = np.full((len(f.hour), len(county.buildings)), np.nan, dtype="<f4")
    rooms[:, [row[i] for i in building_ids]] = f.t_room_c
    n_frame, n_node, n_pipe = len(f.hour), f.t_supply_c.shape[1], f.t_pipe_c.shape[1]
    columns = (f.t_supply_c, f.t_return_c, f.p_supply_pa, f.p_return_pa, f.mass_flow_kg_s, f.t_pipe_c, rooms)
    body = np.concatenate([np.asarray(c, dtype="<f4") for c in columns], axis=1)
    head = struct.pack("<4I", n_frame, n_node, n_pipe, len(county.buildings))
    return head + np.asarray(f.hour, dtype="<f4").tobytes() + body.tobytes()
