"""Measured rigs, one parameter rule for all: the sizes of the rig, and the defaults of ``twin.heat.pipe``."""

from pathlib import Path

import numpy as np

from twin.heat.pipe import COPPER_J_M3_K, FITTINGS_FACTOR, describe_shell, simulate_pipe
from twin.heat.sensor import find_held, read_sensor, show_held
from twin.heat.water import density_kg_m3

DATA = Path(__file__).parent / "data"


def read_columns(name):
    return np.genfromtxt(DATA / name, delimiter=",", names=True)


def rmse(a, b):
    return float(np.sqrt(np.mean((a - b) ** 2)))


def run_graz(name="graz_case1.csv", **options):
    """Copper pipe. The place of the flow meter is unknown: density at the mean of inlet and outlet."""
    g = read_columns(name)
    t_in, t_out = g["inlet_water_degC"], g["outlet_water_degC"]
    flow = g["volume_flow_l_h"] / 3.6e6 * density_kg_m3(0.5 * (t_in + t_out))
    shell = describe_shell(0.020, 0.022, 0.048, 0.0442, COPPER_J_M3_K, outer_film_w_m2_k=9.35)
    run = simulate_pipe(g["time_s"], flow, t_in, g["ambient_degC"], 60.33, 0.020, shell, t_out[0], **options)
    return g["time_s"], show_held(run.t_out_c, find_held(t_out, g["volume_flow_l_h"])), t_out


def run_liege(name, **options):
    """Steel pipe of the thermodynamics laboratory in Liège."""
    g = read_columns(name)
    t_in, t_out = g["inlet_water_degC"], g["outlet_water_degC"]
    shell = describe_shell(0.05248, 0.0603, 0.0863, 0.04, outer_film_w_m2_k=5.0)
    around = np.full(len(g), 18.0)
    run = simulate_pipe(
        g["time_s"], g["mass_flow_kg_s"], t_in, around, 39.0, 0.05248, shell, t_out[0], **options
    )
    return g["time_s"], show_held(run.t_out_c, find_held(t_out, g["mass_flow_kg_s"])), t_out


def read_flow(t, at, record_kg_s):
    """Flow between records: straight from one to the next, but a standstill holds until the next record.
    At or below 0.001 kg/s is sensor noise."""
    flow = np.where(record_kg_s > 0.001, record_kg_s, 0.0)
    before = np.clip(np.searchsorted(at, t, side="right") - 1, 0, len(at) - 1)
    return np.where((flow[before] == 0.0) & (t < at[-1]), 0.0, np.interp(t, at, flow))


def run_pongau(
    name="ait_first_half_week.csv", fittings=FITTINGS_FACTOR, step_s=60.0, sensor=True, logger=True, **options
):
    """Branch of a real network: times, simulated and measured temperatures at points 2, 3, 4, held records;
    ``sensor``: as the sensors in the houses show them; ``logger``: as it holds them."""
    a = read_columns(name)
    at = a["time_s"]
    t = np.arange(at[0], at[-1] + 1.0, step_s)
    held = {k: find_held(a[f"T{k}_K"], a[f"m{k}_kg_s"]) & logger for k in (2, 3, 4)}
    draw = {k: read_flow(t, at[~held[k]], a[f"m{k}_kg_s"][~held[k]]) for k in (2, 3, 4)}
    draw[1] = read_flow(t, at, a["m1_kg_s"])
    outdoor = np.interp(t, at, a["T_outdoor_K"]) - 273.15
    sizes = {80: (0.0825, 0.0889, 0.180), 25: (0.0273, 0.0337, 0.070)}

    def pipe(flow, t_in, length, dn):
        shell = describe_shell(*sizes[dn], 0.024, ground_w_m_k=2.4, fittings=fittings)
        return simulate_pipe(t, flow, t_in, outdoor, length, sizes[dn][0], shell, t_in[0], **options).t_out_c

    t1 = np.interp(t, at, a["T1_K"]) - 273.15
    end0 = pipe(draw[1], t1, 20.0, 80)
    end1 = pipe(draw[2] + draw[3] + draw[4], end0, 115.0, 80)
    end5 = pipe(draw[2] + draw[3], end1, 20.0, 80)
    ends = {
        2: pipe(draw[2], end5, 76.0, 25),
        3: pipe(draw[3], end5, 38.0, 25),
        4: pipe(draw[4], end1, 29.0, 25),
    }
    shown = {k: read_sensor(t, ends[k], draw[k]) if sensor else ends[k] for k in ends}
    return (
        at,
        {k: show_held(np.interp(at, t, shown[k]), held[k]) for k in ends},
        {k: a[f"T{k}_K"] - 273.15 for k in ends},
        held,
    )
