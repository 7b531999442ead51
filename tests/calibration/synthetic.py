"""A history of the tiny county with hidden factors: the engine's laws, noise, and meters that read wrong."""

import numpy as np

from tests.support.tiny import make_tiny_county
from twin.calibration import Calibration, Factor, Records, apply_calibration, group_pipes
from twin.calibration import exchangers as ex
from twin.calibration import network as nw
from twin.calibration import rooms as rm
from twin.compare import compile_points
from twin.heat import compile_network

STEP_S, START_S = 1200.0, 1.8e9
HIDDEN = {
    ("roughness", "2010s/DN<200"): 2.2,
    ("roughness", "2010s/DN200-400"): 0.6,
    ("heat_loss", "2010s/DN<200"): 1.5,
    ("heat_loss", "2010s/DN200-400"): 1.3,
    ("exchanger", "S01"): 0.7,
    ("exchanger", "S02"): 1.15,
    ("exchanger", "S03"): 0.85,
    ("building_loss", "S01"): 0.8,
    ("building_loss", "S02"): 1.2,
    ("building_loss", "S03"): 0.9,
}


def make_history(days=3.0, seed=3):
    """County, records of a field with the factors of ``HIDDEN``."""
    county, rng = make_tiny_county(), np.random.default_rng(seed)
    hidden = tuple(Factor(k, g, v, 0.1, 1.0) for (k, g), v in HIDDEN.items())
    truth = apply_calibration(
        county, Calibration(hidden, (), group_pipes(county.network), (0, 0), (0, 0), ())
    )
    book, net = compile_points(county), compile_network(truth.network)
    t = START_S + STEP_S * np.arange(int(days * 86_400 / STEP_S))
    v = np.full((len(t), len(county.points)), np.nan)
    day = 2.0 * np.pi * (t - t[0]) / 86_400.0
    load = 0.75 + 0.25 * np.sin(day) + 0.05 * np.sin(2.7 * day)
    t_out = -8.0 - 6.0 * np.sin(day - 0.3) - 4.0 * np.sin(0.31 * day)

    def put(table, key, columns):
        for no, x in zip(table[key], np.broadcast_to(columns.T, (len(table[key]), len(t))), strict=True):
            v[:, no] = x

    stations, n = county.network.substations, len(county.network.substations)
    put(book.source, "src_ts", np.stack([85.0 + 25.0 * load, 85.0 + 25.0 * load], 1))
    put(book.source, "src_ps", np.tile([s.p_supply_pa for s in county.network.sources], (len(t), 1)))
    put(book.source, "src_pr", np.tile([s.p_return_pa for s in county.network.sources], (len(t), 1)))
    put(book.source, "src_flow", np.stack([np.full(len(t), np.nan), 0.0 * t], 1))
    put(book.source, "src_tr", np.full((len(t), 2), 45.0))
    share = 1.0 + 0.1 * rng.normal(size=(1, n))
    put(book.station, "p1_flow", load[:, None] * share * [s.design_flow_kg_s for s in stations] / 985.0)
    put(book.station, "s2_flow", np.tile([s.secondary_flow_kg_s / 985.0 for s in stations], (len(t), 1)))
    put(book.station, "s2_tr", np.tile(34.0 + 6.0 * load[:, None], (1, n)))
    put(book.station, "p1_tr", np.full((len(t), n), 45.0))
    v[:, book.outdoor] = t_out[:, None]
    for _ in range(2):  # what comes back depends on what arrives
        walk = nw.prepare_walk(net, book, Records(t, v))
        out, keys = nw.walk_network(walk), np.array(walk.keys)
        for key in ("p1_ps", "p1_pr", "p1_ts"):
            put(book.station, key, out[:, keys == key])
        put(book.source, "src_tr", out[:, keys == "src_tr"])
        back, warm = ex.simulate_exchangers(
            truth.network.substations, ex.read_exchangers(book, Records(t, v)), np.ones(n)
        )
        put(book.station, "p1_tr", back)
        put(book.station, "s2_ts", warm)
    room = rm.simulate_rooms(rm.prepare_rooms(truth, book, Records(t, v)))
    row = {b.id: [s.id for s in stations].index(b.substation_id) for b in county.buildings if b.substation_id}
    for p in county.points:
        if p.key == "room_t":
            v[:, p.no] = room[:, row[p.place_id]]
    return county, Records(t, v + make_errors(county, rng, v.shape))


def make_errors(county, rng, shape):
    """Noise, and meters that read wrong all the time."""
    kind = np.array([p.quantity for p in county.points])
    noise = np.select([kind == "temperature", kind == "pressure"], [0.1, 1500.0], 0.0)
    offset = np.select([kind == "temperature", kind == "pressure"], [0.1, 2000.0], 0.0)
    return noise * rng.normal(size=shape) + offset * rng.normal(size=shape[1])
