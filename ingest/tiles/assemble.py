"""From converted contents to the tree of a layer: volumes as measured, errors that fall from level to level.

All tiles stand upright in the county's frame; a tile's transform is only the shift from its parent's centre.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.tiles.frames import CountyFrame
from ingest.tiles.journal import Done
from ingest.tiles.tileset import Tile, box_around, translation, write_tileset

Floats = NDArray[np.float64]
LEAST_STEP = 1.0
"""A tile's error is at least its finest child's."""


@dataclass(slots=True)
class Node:
    """A tile of the result before it has a volume. ``done``: its content; ``tree``: an external tileset."""

    error_m: float
    refine: str = "REPLACE"
    done: Done | None = None
    tree: "Tree | None" = None
    children: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tree:
    """What is known about a finished tree: its file, bounds and centre (county metres), error and depth."""

    file: str
    low: Floats
    high: Floats
    centre: Floats
    error_m: float
    levels: int
    refine: str = "REPLACE"


@dataclass(slots=True)
class _Built:
    tile: Tile
    low: Floats
    high: Floats
    centre: Floats
    levels: int


def build_tree(node: Node, file: str, folder: Path) -> Tree | None:
    """Write the tiles below ``node`` as an external tileset ``file``; None where nothing is drawn."""
    built = _build(node)
    if built is None:
        return None
    write_tileset(built.tile, folder / file)
    return Tree(
        file, built.low, built.high, built.centre, built.tile.error_m, built.levels, built.tile.refine
    )


def write_root(trees: list[Tree], frame: CountyFrame, folder: Path) -> Tree | None:
    """Write ``tileset.json``: the county's place on the earth, and below it every tree.

    The root's own error is its size, so the coarsest pictures are drawn however far the camera is.
    """
    nodes = [Node(tree.error_m, tree=tree) for tree in trees]
    built = _build(Node(0.0, children=nodes), origin=True)
    if built is None:
        return None
    top = built.tile
    coarsest = max(child.error_m for child in top.children)
    top.error_m = max(2.0 * coarsest, float(np.linalg.norm(built.high - built.low)))
    top.transform = frame.matrix
    write_tileset(top, folder / "tileset.json")
    return Tree("tileset.json", built.low, built.high, built.centre, coarsest, built.levels)


def _build(node: Node, *, origin: bool = False) -> _Built | None:
    """Build bottom up without recursion; ``origin`` puts the topmost tile at the county's own origin."""
    order: list[tuple[Node, int]] = []
    stack: list[tuple[Node, int]] = [(node, -1)]
    while stack:
        here, above = stack.pop()
        order.append((here, above))
        stack.extend((child, len(order) - 1) for child in reversed(here.children))
    below: list[list[_Built]] = [[] for _ in order]
    top: _Built | None = None
    for i in range(len(order) - 1, -1, -1):
        here, above = order[i]
        built = _build_one(here, below[i][::-1], origin=origin and i == 0)
        below[i] = []
        if built is not None and above >= 0:
            below[above].append(built)
        top = built
    return top


def _build_one(node: Node, children: list[_Built], *, origin: bool) -> _Built | None:
    done, tree = node.done, node.tree
    if done is not None and not done.out:
        done = None
    lows, highs = [c.low for c in children], [c.high for c in children]
    if done is not None:
        lows.append(np.array(done.low))
        highs.append(np.array(done.high))
    if tree is not None:
        lows.append(tree.low)
        highs.append(tree.high)
    if not lows:
        return None
    low, high = np.min(lows, axis=0), np.max(highs, axis=0)
    if done is not None:
        centre = np.array(done.centre)
    else:
        centre = tree.centre if tree is not None else np.round((low + high) / 2.0, 3)
    if origin:
        centre = np.zeros(3)
    error = max([node.error_m, *(c.tile.error_m * LEAST_STEP for c in children)])
    if tree is not None:
        error = max(error, tree.error_m)
    tile = Tile(box_around(np.stack([low, high]) - centre), error, refine=node.refine)
    tile.content = done.out if done is not None else (tree.file if tree is not None else "")
    for child in children:
        shift = child.centre - centre
        child.tile.transform = translation(shift) if np.any(shift) else None
        tile.children.append(child.tile)
    own = 1 if done is not None else (tree.levels if tree is not None else 0)
    return _Built(tile, low, high, centre, own + max((c.levels for c in children), default=0))
