"""One parameter rule against measured rigs and a published exercise (numbers: docs/heat-engine.md)."""

import csv
from math import log, pi

import numpy as np
import pytest

from tests.heat.rigs import DATA, rmse, run_graz, run_liege, run_pongau
from twin.heat import SteadyBoundary, compile_network, solve_steady
from twin.model.network import HeatNetwork, Node, Pipe, Side, Source, Substation


def test_copper_pipe_outlet_beats_every_published_model():
    _, simulated, measured = run_graz()
    assert rmse(simulated, measured) <= 0.15


@pytest.mark.parametrize("name", ["ulg_150801.csv", "ulg_151202.csv"])
def test_liege_pipe_outlet(name):
    _, simulated, measured = run_liege(name)
    assert rmse(simulated, measured) <= 0.45


def test_network_branch_beats_the_published_model_where_water_flows():
    at, simulated, measured, _ = run_pongau()
    scored = at > 10_000.0
    assert rmse(simulated[2][scored], measured[2][scored]) < 1.40
    assert rmse(simulated[3][scored], measured[3][scored]) < 1.46


def test_network_branch_where_water_stands_for_hours_follows_the_sensor_in_its_room():
    at, simulated, measured, flow = run_pongau()
    scored = at > 10_000.0
    assert rmse(simulated[4][scored], measured[4][scored]) < 4.9  # published 4.35, over twice the time
    # one record repeats temperature and flow of the one before to the last digit, with 0.154 kg/s flowing
    stale = np.r_[False, (np.diff(measured[4]) == 0.0) & (flow[4][1:] > 0.1) & (np.diff(flow[4]) == 0.0)]
    assert stale.sum() == 1
    assert rmse(simulated[4][scored & ~stale], measured[4][scored & ~stale]) < 3.2


def test_network_branch_does_not_depend_on_the_time_step():
    _, coarse, _, _ = run_pongau(step_s=100.0)
    _, fine, _, _ = run_pongau(step_s=25.0)
    assert rmse(coarse[2][12:], fine[2][12:]) < 0.15
    assert rmse(coarse[3][12:], fine[3][12:]) < 0.25


def read_rows(name):
    with (DATA / "destest" / name).open(encoding="utf-8") as f:
        return list(csv.DictReader(f))


def make_destest():
    rows = read_rows("pipes.csv")
    names = [r["Node"] for r in read_rows("nodes.csv")]
    homes = [n for n in names if n.startswith("Simple")]
    pipes = []
    for k, r in enumerate(rows):
        d, s = float(r["Inner Diameter [m]"]), float(r["Insulation Thickness [m]"])
        u = 2 * pi * 0.025 / log((d + 2 * s) / d)
        for side in Side:
            pipes.append(
                Pipe(
                    f"{k}-{side}", str(k), side, r["Ending Node"], r["Beginning Node"],
                    float(r["Length [m]"]), d, 5e-5, u, 0.0, 1.0, 2020, (),
                )
            )  # fmt: skip
    source = Source(
        "PLANT", "", "", "boiler", "i", 0, 0, 1e6, 0, 0, 0.9, 70.0, 40.0, 6e5, 3e5
    )  # fmt: skip
    stations = tuple(
        Substation(n, "", "", n, "", 0, 0, 0, 19347.28, 0.154, 0, 0, 1, 0, 0, 0, ()) for n in homes
    )
    network = HeatNetwork(tuple(Node(n, 0, 0, 0.0) for n in names), tuple(pipes), (), (), (source,), stations)
    return compile_network(network)


def test_destest_pressure_losses_are_those_of_its_own_pipe_table():
    # The column "Total pressure loss" is in Pa, of both pipes of a pair, for the peak load at 50/30 °C.
    net, n = make_destest(), 16
    state = solve_steady(
        net,
        SteadyBoundary(
            t_source_c=np.array([50.0]),
            p_supply_pa=np.array([6e5]),
            p_return_pa=np.array([3e5]),
            source_flow_kg_s=np.array([np.nan]),
            flow_kg_s=np.full(n, 19_347.28 / (4182.0 * 20.0)),
            t_return_c=np.full(n, 30.0),
            t_ground_c=10.0,
        ),
    )
    dp = np.abs(state.dp_pa)
    for k, row in enumerate(read_rows("pipes.csv")):
        both = sum(dp[i] for i, p in enumerate(net.network.pipes) if p.pair_id == str(k))
        assert both == pytest.approx(float(row["Total pressure loss [Pa/m]"]), rel=0.06)


def test_destest_main_and_heat_lie_within_the_spread_of_the_published_models():
    # The models hold 8848 kg/h; with the heat capacity of water (4180, theirs is 4198 J/(kg K)) the stated
    # heat of 16 x 19.347 kW at 30 K would be 8887 kg/h. Flow is given here, heat is an answer.
    # Only what the tables determine is compared: beyond node h the published drops of temperature and
    # pressure do not follow from pipes.csv (see docs/heat-engine.md).
    net = make_destest()
    n = len(net.station_node)
    t_return = np.full(n, 40.0)
    for _ in range(4):
        state = solve_steady(
            net,
            SteadyBoundary(
                t_source_c=np.array([70.0]),
                p_supply_pa=np.array([6e5]),
                p_return_pa=np.array([3e5]),
                source_flow_kg_s=np.array([np.nan]),
                flow_kg_s=np.full(n, 8848.0 / 3600.0 / n),
                t_return_c=t_return,
                t_ground_c=10.0,
            ),
        )
        t_return = state.t_supply_c[net.station_node] - 30.0
    at = net.network.node_index
    assert state.converged
    assert 69.9165 <= state.t_supply_c[at["h"]] <= 69.94
    assert 308_200.0 <= state.source_heat_w[0] <= 314_300.0
