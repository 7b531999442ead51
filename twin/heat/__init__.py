"""The heat network engine: flows, pressures and temperatures of a district heating network.

Pure: arrays and dataclasses in, the same out; no clock, no files, no globals. Warm starts are passed in and
returned.
"""

from twin.heat._cache import name_of_sources
from twin.heat.batch import FlowBatch, Scenario, list_pipe_leaks, solve_batch
from twin.heat.boundary import Finding, Leak, Reason, SteadyBoundary, SteadyState
from twin.heat.components import PumpDrive, StationControl, describe_source_pumps
from twin.heat.curve import TimeSlot, design_curve, read_curve
from twin.heat.day import begin_day, compile_system, simulate_day
from twin.heat.day_result import DayFinding, DayPlan, DayReason, DayRun, DayState, HeatSystem, Weather
from twin.heat.ensemble import Ensemble, EnsembleState, EnsembleStep
from twin.heat.exchanger import estimate_ua_w_k, solve_exchanger
from twin.heat.steady import solve_steady
from twin.heat.topology import CompiledNetwork, compile_network
from twin.heat.transient import (
    TransientRun,
    TransientState,
    begin_transient,
    resume_transient,
    simulate,
    step_transient,
)

__all__ = [
    "CompiledNetwork",
    "DayFinding",
    "DayPlan",
    "DayReason",
    "DayRun",
    "DayState",
    "Ensemble",
    "EnsembleState",
    "EnsembleStep",
    "Finding",
    "FlowBatch",
    "HeatSystem",
    "Leak",
    "PumpDrive",
    "Reason",
    "Scenario",
    "StationControl",
    "SteadyBoundary",
    "SteadyState",
    "TimeSlot",
    "TransientRun",
    "TransientState",
    "Weather",
    "begin_day",
    "begin_transient",
    "compile_network",
    "compile_system",
    "describe_source_pumps",
    "design_curve",
    "estimate_ua_w_k",
    "list_pipe_leaks",
    "name_of_sources",
    "read_curve",
    "resume_transient",
    "simulate",
    "simulate_day",
    "solve_batch",
    "solve_exchanger",
    "solve_steady",
    "step_transient",
]
