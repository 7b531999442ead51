"""The heat network engine: flows, pressures and temperatures of a district heating network.

Pure: arrays and dataclasses in, the same out; no clock, no files, no globals. Warm starts are passed in and
returned.
"""

from twin.heat.boundary import Finding, Leak, Reason, SteadyBoundary, SteadyState
from twin.heat.exchanger import estimate_ua_w_k, solve_exchanger
from twin.heat.steady import solve_steady
from twin.heat.topology import CompiledNetwork, compile_network
from twin.heat.transient import TransientRun, TransientState, begin_transient, simulate, step_transient

__all__ = [
    "CompiledNetwork",
    "Finding",
    "Leak",
    "Reason",
    "SteadyBoundary",
    "SteadyState",
    "TransientRun",
    "TransientState",
    "begin_transient",
    "compile_network",
    "estimate_ua_w_k",
    "simulate",
    "solve_exchanger",
    "solve_steady",
    "step_transient",
]
