"""Peers of ``heat_network.py``, run by it with another Python: pandapipes and EPANET (through wntr).

Reads a network (npz) and writes results and times as JSON. Needs only what ``bench/peers.txt`` lists.
"""

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")


def solve_pandapipes(n: dict, repeats: int) -> dict:
    """Hydraulics by pandapipes with Colebrook friction; best of ``repeats``.

    It writes k/(3.71 d) where Colebrook has k/(3.7 d): the roughness makes up for it.
    """
    import pandapipes as pp

    net = pp.create_empty_network()
    t_k = float(n["t_c"]) + 273.15
    net.fluid = pp.create_constant_fluid(
        "water", "liquid", density=float(n["rho"]), viscosity=float(n["mu"]), heat_capacity=4190.0,
        molar_mass=18.0, compressibility=1.0,
    )  # fmt: skip
    pp.create_junctions(net, int(n["n_point"]), pn_bar=5.0, tfluid_k=t_k, height_m=n["elevation"])
    pp.create_ext_grid(net, junction=0, p_bar=float(n["p0"]) / 1e5, t_k=t_k, type="pt")
    pp.create_pipes_from_parameters(
        net, n["start"], n["end"], length_km=n["length"] / 1e3, inner_diameter_mm=n["diameter"] * 1e3,
        k_mm=n["roughness"] * 1e3 * 3.71 / 3.7, loss_coefficient=n["zeta"],
    )  # fmt: skip
    at = np.flatnonzero(n["draw"] > 0)
    pp.create_sinks(net, at, n["draw"][at])
    options = {
        "friction_model": "colebrook",
        "mode": "hydraulics",
        "max_iter_hyd": 100,
        "max_iter_colebrook": 200,
    }
    times = []
    try:
        pp.pipeflow(net, **options)
    except Exception:  # its Colebrook loop gives up on looped networks
        options["friction_model"] = "swamee-jain"
    for _ in range(repeats):
        t0 = time.process_time()
        pp.pipeflow(net, **options)
        times.append(time.process_time() - t0)
    return {
        "version": pp.__version__,
        "friction": options["friction_model"],
        "best_s": min(times),
        "m": net.res_pipe.mdot_from_kg_per_s.to_list(),
        "p": (net.res_junction.p_bar * 1e5).to_list(),
    }


def solve_pandapipes_heat(n: dict, repeats: int) -> dict:
    """Flow and temperatures of the supply side by pandapipes, with the same water as the engine's."""
    import pandapipes as pp
    from pandapipes.properties.fluids import Fluid, FluidPropertyConstant, FluidPropertyInterExtra

    kelvin = n["water_t_c"] + 273.15
    fluid = Fluid("water", "liquid")
    for name, values in (
        ("density", n["water_rho"]), ("viscosity", n["water_mu"]), ("heat_capacity", n["water_cp"]),
    ):  # fmt: skip
        fluid.add_property(name, FluidPropertyInterExtra(kelvin, values))
    fluid.add_property("molar_mass", FluidPropertyConstant(18.0))
    fluid.add_property("compressibility", FluidPropertyConstant(1.0))
    net = pp.create_empty_network()
    net.fluid = fluid
    t_k = float(n["t_source_c"]) + 273.15
    pp.create_junctions(net, int(n["n_point"]), pn_bar=5.0, tfluid_k=t_k, height_m=n["elevation"])
    pp.create_ext_grid(net, junction=0, p_bar=float(n["p_supply"]) / 1e5, t_k=t_k, type="pt")
    pp.create_pipes_from_parameters(
        net, n["start"], n["end"], length_km=n["length"] / 1e3, inner_diameter_mm=n["diameter"] * 1e3,
        k_mm=n["roughness"] * 1e3 * 3.71 / 3.7, loss_coefficient=n["zeta"],
        u_w_per_m2k=n["u"] / (np.pi * n["diameter"]), text_k=float(n["t_ground_c"]) + 273.15,
    )  # fmt: skip
    at = np.flatnonzero(n["draw"] > 0)
    pp.create_sinks(net, at, n["draw"][at])
    options = {
        "friction_model": "colebrook", "mode": "bidirectional", "max_iter_hyd": 200, "max_iter_therm": 200,
        "max_iter_bidirect": 100, "max_iter_colebrook": 200, "tol_T": 1e-6,
    }  # fmt: skip
    times = []
    for _ in range(repeats):
        t0 = time.process_time()
        pp.pipeflow(net, **options)
        times.append(time.process_time() - t0)
    return {
        "version": pp.__version__,
        "best_s": min(times),
        "m": net.res_pipe.mdot_from_kg_per_s.to_list(),
        "t_c": (net.res_junction.t_k - 273.15).to_list(),
    }


def solve_epanet(n: dict, repeats: int) -> dict:
    """Hydraulics by the EPANET toolkit (Darcy-Weisbach): time of one hydraulic step, file read before."""
    import wntr
    from wntr.epanet.toolkit import ENepanet

    wn = wntr.network.WaterNetworkModel()
    wn.options.hydraulic.headloss = "D-W"
    wn.options.hydraulic.viscosity = float(n["mu"] / n["rho"] / 1.0e-6)
    wn.options.hydraulic.accuracy = 1e-6
    wn.options.time.duration = 0
    g_rho = 9.80665 * float(n["rho"])
    wn.add_reservoir("0", base_head=float(n["p0"]) / g_rho + float(n["elevation"][0]))
    for i in range(1, int(n["n_point"])):
        wn.add_junction(
            str(i), base_demand=float(n["draw"][i] / n["rho"]), elevation=float(n["elevation"][i])
        )
    for k, (a, b) in enumerate(zip(n["start"], n["end"], strict=True)):
        wn.add_pipe(
            f"p{k}", str(a), str(b), length=float(n["length"][k]), diameter=float(n["diameter"][k]),
            roughness=float(n["roughness"][k]), minor_loss=float(n["zeta"][k]),
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as d:
        inp = str(Path(d) / "n.inp")
        wntr.network.io.write_inpfile(wn, inp, units="LPS")
        times = []
        for _ in range(repeats):
            en = ENepanet()
            en.ENopen(inp, str(Path(d) / "n.rpt"), str(Path(d) / "n.bin"))
            en.ENopenH()
            en.ENinitH(10)
            t0 = time.process_time()
            en.ENrunH()
            times.append(time.process_time() - t0)
            flow = [en.ENgetlinkvalue(k + 1, 8) for k in range(len(n["start"]))]
            en.ENcloseH()
            en.ENclose()
    return {
        "version": f"EPANET in wntr {wntr.__version__}",
        "best_s": min(times),
        "m": [q * 1e-3 * float(n["rho"]) for q in flow],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("out")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with np.load(arguments.network) as f:
        case = {k: f[k] for k in f.files}
    answers = {}
    peers = {"pandapipes": solve_pandapipes, "epanet": solve_epanet}
    if "water_t_c" in case:
        peers = {"pandapipes": solve_pandapipes_heat}
    for name, solve in peers.items():
        try:
            answers[name] = solve(case, arguments.repeats)
        except Exception as e:
            answers[name] = {"error": f"{type(e).__name__}: {e}"}
    Path(arguments.out).write_text(json.dumps(answers), encoding="utf-8")
