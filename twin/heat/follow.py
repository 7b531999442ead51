"""A hydraulic solution frozen, so that flows can follow small changes of the draws without another one."""

import numpy as np
from numpy.typing import NDArray

from twin.heat.boundary import SteadyBoundary
from twin.heat.case import Case
from twin.heat.day_arrays import Flows
from twin.heat.hydraulics import FlowAnswer
from twin.heat.share import grow_tree
from twin.heat.topology import CompiledNetwork
from twin.heat.transient import leak_flows
from twin.heat.transient_kernel import net_outflow

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def freeze_flows(
    net: CompiledNetwork,
    boundary: SteadyBoundary,
    case: Case,
    answer: FlowAnswer,
    flow_kg_s: Floats,
    served: Bools,
) -> Flows:
    """What :func:`twin.heat.day_kernel.spread_flows` needs of one solution.

    Parameters
    ----------
    flow_kg_s : (n_station,) draws of the stations in this solution
    served : (n_station,) stations that have water on both sides; without a converged answer nothing moves
    """
    n = net.n_node
    m = np.ascontiguousarray(answer.m) if answer.converged else np.zeros(net.n_pipe)
    leak = leak_flows(net, boundary, case, answer)
    given = np.where(case.holds, 0.0, np.nan_to_num(boundary.source_flow_kg_s))
    given = np.where(answer.reached[net.source_node] & answer.converged, given, 0.0)
    base = leak.copy()
    np.subtract.at(base, net.source_node, given)
    np.add.at(base, n + net.source_node, given)
    demand = base.copy()
    np.add.at(demand, net.station_node, flow_kg_s)
    np.subtract.at(demand, n + net.station_node, flow_kg_s)
    supplied, fixed = np.empty(net.n_point), np.isfinite(case.fixed_pa)
    net_outflow(net.start, net.end, m, supplied)
    use = case.open_ & answer.reached[net.start] & answer.converged
    tree = grow_tree(net.start, net.end, use, fixed)
    return Flows(
        tree.order, tree.parent, tree.chord, tree.root, fixed, m.copy(), supplied + demand, base, leak, given,
        flow_kg_s.copy(), served,
    )  # fmt: skip
