"""Make a network of what GIS departments have: lines, often without nodes, ends, pairs or return pipes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ingest.county.mapping import ImportOptions
from ingest.county.report import Note, make_note
from ingest.county.tables import ImportTable
from twin.model.check_network import measure_path
from twin.model.findings import Finding, make_finding
from twin.model.network import Side
from twin.model.plane import Plane

Tables = dict[str, ImportTable]
Outcome = tuple[list[Finding], list[Note]]


def derive_network(tables: Tables, options: ImportOptions, plane: Plane) -> Outcome:
    """Complete pipes, nodes and what hangs on them, in place."""
    findings: list[Finding] = []
    notes = [*_assume_sides(tables["pipes"])]
    if options.mirror_return:
        notes += _mirror_return(tables["pipes"])
    for step in (_make_nodes, _join_ends, _attach):
        found, said = step(tables, options, plane)
        findings += found
        notes += said
    notes += _pair_pipes(tables["pipes"])
    notes += _measure_lengths(tables["pipes"], plane)
    notes += _seat_valves(tables, plane)
    return findings, notes


def _assume_sides(pipes: ImportTable) -> list[Note]:
    if pipes.size and "side" not in pipes.cells:
        pipes.cells["side"] = [Side.SUPPLY.value] * pipes.size
        return [make_note("pipes", "side_assumed")]
    return []


def _mirror_return(pipes: ImportTable) -> list[Note]:
    """Draw a return pipe for every supply pipe when there is not one return pipe."""
    sides = pipes.column("side")
    if not pipes.size or any(side != Side.SUPPLY for side in sides):
        return []
    count, ids = pipes.size, [pipes.id_at(n) for n in range(pipes.size)]
    pairs = [pair or own for pair, own in zip(pipes.column("pair_id"), ids, strict=True)]
    for name, cells in pipes.cells.items():
        pipes.cells[name] = cells + cells
    pipes.cells["id"] = ids + [f"{own}-R" for own in ids]
    pipes.cells["pair_id"] = pairs + pairs
    pipes.cells["side"] = [Side.SUPPLY.value] * count + [Side.RETURN.value] * count
    pipes.shapes = pipes.shapes + pipes.shapes
    pipes.size = 2 * count
    return [make_note("pipes", "mirrored", count=count)]


def _list_pipe_ends(pipes: ImportTable) -> tuple[Any, list[tuple[int, str]]]:
    """Return end positions in degrees (n, 2) and their (row, column) in the same order."""
    positions, owners = [], []
    for n, shape in enumerate(pipes.shapes):
        if shape is None or shape.is_empty or shape.geom_type != "LineString":
            continue
        coords = shapely.get_coordinates(shape)
        for field, at in (("from_node", 0), ("to_node", -1)):
            if pipes.column(field)[n] is None:
                positions.append(coords[at])
                owners.append((n, field))
    return np.array(positions).reshape(-1, 2), owners


def _to_plane(lonlat: Any, plane: Plane) -> Any:
    return (np.asarray(lonlat) - np.array(plane.center)) * np.array([plane.east_m_deg, plane.north_m_deg])


def _make_nodes(tables: Tables, options: ImportOptions, plane: Plane) -> Outcome:
    """Without a nodes layer, cluster the pipe ends: ends within ``snap_m`` (chained) are one node."""
    nodes = tables["nodes"]
    ends, _ = _list_pipe_ends(tables["pipes"])
    if nodes.size or not len(ends):
        return [], []
    pairs = cKDTree(_to_plane(ends, plane)).query_pairs(options.snap_m, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ends), len(ends)))
    count, label = connected_components(graph, directed=False)
    centers = np.column_stack([np.bincount(label, ends[:, k]) / np.bincount(label) for k in (0, 1)])
    nodes.size, nodes.shapes = int(count), list(shapely.points(centers))
    nodes.cells = {"id": [f"N{n:04d}" for n in range(1, count + 1)]}
    return [], [make_note("nodes", "nodes_made", count=count, snap=options.snap_m)]


def _join_ends(tables: Tables, options: ImportOptions, plane: Plane) -> Outcome:
    """Give pipe ends without a node the nearest one within ``snap_m`` and draw the line up to it."""
    pipes, nodes = tables["pipes"], tables["nodes"]
    ends, owners = _list_pipe_ends(pipes)
    if not owners or not nodes.size:
        return [], []
    at = np.array([[s.x, s.y] if _is_point(s) else [np.inf, np.inf] for s in nodes.shapes])
    near, distance = _find_nearest(_to_plane(ends, plane), _to_plane(at, plane))
    findings, joined = [], 0
    for (row, field), node, metres in zip(owners, near, distance, strict=True):
        if metres > options.snap_m:
            end = "start" if field == "from_node" else "end"
            findings.append(_say_far("pipes", pipes.id_at(row), end, options.snap_m, metres))
            continue
        pipes.cells[field][row] = nodes.id_at(node)
        coords = shapely.get_coordinates(pipes.shapes[row])
        coords[0 if field == "from_node" else -1] = at[node]
        pipes.shapes[row] = shapely.LineString(coords)
        joined += 1
    return findings, [make_note("pipes", "ends_joined", count=joined, snap=options.snap_m)] if joined else []


def _find_nearest(xy: Any, targets: Any) -> tuple[list[int], list[float]]:
    usable = np.flatnonzero(np.isfinite(targets).all(axis=1))
    if not len(usable):
        return [0] * len(xy), [float("inf")] * len(xy)
    distance, index = cKDTree(targets[usable]).query(xy)
    return usable[index].tolist(), np.asarray(distance).tolist()


def _is_point(shape: Any) -> bool:
    return shape is not None and not shape.is_empty and shape.geom_type == "Point"


def _say_far(layer: str, row_id: str, end: str, limit: float, metres: float) -> Finding:
    distance = round(metres, 1) if np.isfinite(metres) else "-"
    return make_finding(layer, row_id, "no_node_near", end=end, limit=limit, distance=distance)


def _attach(tables: Tables, options: ImportOptions, plane: Plane) -> Outcome:
    """Give sources and substations without a node the nearest one within ``attach_m``."""
    nodes, findings, notes = tables["nodes"], [], []
    kinds = nodes.column("kind")
    row_of = {nodes.id_at(n): n for n in range(nodes.size)}
    at = np.array([[s.x, s.y] if _is_point(s) else [np.inf] * 2 for s in nodes.shapes]).reshape(-1, 2)
    for target, kind in (("sources", "source"), ("substations", "substation")):
        table, count = tables[target], 0
        for n, shape in enumerate(table.shapes):
            if table.column("node_id")[n] is None and _is_point(shape):
                xy = _to_plane([[shape.x, shape.y]], plane)
                near, distance = _find_nearest(xy, _to_plane(at, plane))
                if distance[0] > options.attach_m:
                    findings.append(
                        _say_far(target, table.id_at(n), "position", options.attach_m, distance[0])
                    )
                    continue
                table.cells["node_id"][n] = nodes.id_at(near[0])
                count += 1
            node = row_of.get(str(table.column("node_id")[n]))
            if node is not None and kinds[node] is None:
                kinds[node] = kind
        if count:
            notes.append(make_note(target, "attached", count=count))
    return findings, notes


def _pair_pipes(pipes: ImportTable) -> list[Note]:
    """Pipes without a pair: a supply and a return pipe with the same two ends share the supply's id."""
    waiting: dict[frozenset[Any], list[int]] = {}
    cells, count = pipes.column("pair_id"), 0
    for n in range(pipes.size):
        if cells[n] is None and pipes.column("side")[n] == Side.RETURN:
            waiting.setdefault(_ends_of(pipes, n), []).append(n)
    for n in range(pipes.size):
        if cells[n] is None and pipes.column("side")[n] != Side.RETURN:
            cells[n] = pipes.id_at(n)
            partners = waiting.get(_ends_of(pipes, n))
            if partners:
                cells[partners.pop(0)] = cells[n]
                count += 1
    pipes.fill("pair_id", pipes.id_at)
    return [make_note("pipes", "paired", count=count)] if count else []


def _ends_of(pipes: ImportTable, row: int) -> frozenset[Any]:
    return frozenset((pipes.column("from_node")[row], pipes.column("to_node")[row]))


def _measure_lengths(pipes: ImportTable, plane: Plane) -> list[Note]:
    count = pipes.fill("length_m", lambda n: _measure_shape(pipes.shapes[n], plane))
    return (
        [make_note("pipes", "derived", column="length_m", count=count, how="drawn length")] if count else []
    )


def _measure_shape(shape: Any, plane: Plane) -> float | None:
    if shape is None or shape.is_empty or shape.geom_type != "LineString":
        return None
    coords = shapely.get_coordinates(shape).tolist()
    return measure_path(tuple((x, y) for x, y in coords), plane)


def _seat_valves(tables: Tables, plane: Plane) -> list[Note]:
    """Give valves without a pipe the nearest one, the supply pipe of a pair first."""
    valves, pipes = tables["valves"], tables["pipes"]
    rows = [n for n in range(pipes.size) if pipes.shapes[n] is not None and not pipes.shapes[n].is_empty]
    if not valves.size or not rows:
        return []
    rows.sort(key=lambda n: pipes.column("side")[n] != Side.SUPPLY)
    lines = _scale_shapes([pipes.shapes[n] for n in rows], plane)

    def find_pipe(valve: int) -> str | None:
        shape = valves.shapes[valve]
        if not _is_point(shape):
            return None
        distance = shapely.distance(lines, _scale_shapes([shape], plane)[0])
        return pipes.id_at(rows[int(np.argmin(distance))])

    count = valves.fill("pipe_id", find_pipe)
    return [make_note("valves", "derived", column="pipe_id", count=count, how="nearest")] if count else []


def _scale_shapes(shapes: Sequence[Any], plane: Plane) -> Any:
    array = np.empty(len(shapes), dtype=object)
    array[:] = list(shapes)
    return shapely.transform(array, lambda c: _to_plane(c, plane))
