"""Makes the demo county's tilt photography and puts it into the county's catalogue, whole or not at all."""

import ctypes
import multiprocessing
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.demo.survey.listing import LAYER_ID
from ingest.demo.survey.pyramid import Made, Node, Studio, make_subtree, make_tile, open_studio, plan_tree
from ingest.tiles.catalogue import Layer, publish_layer, tiles_folder
from ingest.tiles.tileset import write_tileset
from twin.model.county import County
from twin.model.errors import InputError

TITLE = "倾斜摄影（演示）"
SHARE_LEVEL = 3
"""Squares of this level are made by one process each."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of ``mallopt`` (``malloc.h``)."""
KEPT_BYTES = 32 << 20
_studio: Studio | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """How far the work is."""

    done: int
    total: int


def build_survey(
    county: County, county_folder: Path, *, workers: int = 1, told: Callable[[Told], None] | None = None
) -> Layer:
    """Make the tiles beside the county's others and publish them in one step.

    Parameters
    ----------
    workers : processes; the result is the same for any number
    told : called after each share of the work

    Raises
    ------
    InputError : the county has no ground to fly over
    """
    staged = tiles_folder(county_folder) / f".making-{LAYER_ID}"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    try:
        studio = open_studio(county, staged)
        tree = plan_tree(studio)
        if tree is None:
            raise InputError("the county's terrain has no extent; there is nothing to photograph")
        root = _make_all(studio, tree, workers, told)
        frame = studio.frame.matrix.copy()
        frame[:3, 3] = frame[:3, :3] @ root.middle + frame[:3, 3]
        root.tile.transform = frame
        write_tileset(root.tile, staged / "tileset.json")
        return publish_layer(county_folder, _describe(studio, county, root), staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _describe(studio: Studio, county: County, root: Made) -> Layer:
    t = county.terrain
    west, south, east, north = studio.world.extent
    low, high = studio.world.plane.to_degrees(np.array([[west, south], [east, north]]))
    return Layer(
        LAYER_ID, TITLE, cim_level=3, captured="2026-01-15", source="由演示县模型生成 made from the demo county's model",
        licence="Apache-2.0", generated=True, tiles=root.tiles, triangles=root.triangles,
        texture_bytes=root.texture_bytes, bytes=root.bytes, levels=studio.deepest + 1,
        extent_deg=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        height_m=(float(t.height_m.min()), float(t.height_m.max())), ground_m=float(_median(studio)),
        max_error_m=root.tile.error_m,
    )  # fmt: skip


def _median(studio: Studio) -> float:
    at = studio.world.nodes if len(studio.world.nodes) else np.zeros((1, 2))
    return float(np.median(studio.world.ground(at)))


def _shares(node: Node) -> list[Node]:
    """Squares that are made apart from each other."""
    if node.level >= SHARE_LEVEL or not node.children:
        return [node]
    return [s for child in node.children for s in _shares(child)]


def _make_all(studio: Studio, tree: Node, workers: int, told: Callable[[Told], None] | None) -> Made:
    shares = _shares(tree)
    made: dict[str, Made] = {}
    say = told or (lambda _: None)
    if workers <= 1:
        for n, node in enumerate(shares, 1):
            made[node.name] = make_subtree(studio, node)
            say(Told(n, len(shares)))
    else:
        global _studio  # noqa: PLW0603 - inherited by the forked workers, which saves sending it
        _studio = studio
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=keep_freed_memory) as pool:
            order = sorted(shares, key=_weight, reverse=True)
            waiting: list[tuple[Node, Future[Made]]] = [(n, pool.submit(_make_share, n)) for n in order]
            for k, (node, answer) in enumerate(waiting, 1):
                made[node.name] = answer.result()
                say(Told(k, len(shares)))
        _studio = None
    return _join(studio, tree, made)


def keep_freed_memory() -> None:
    """Let this process keep what it frees for the next tile: clearing the pages anew is a quarter of the work."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # not the GNU C library: slower, no more
        return
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
    mallopt(M_TRIM_THRESHOLD, 4 * KEPT_BYTES)


def _weight(node: Node) -> int:
    """How many tiles lie below."""
    return 1 + sum(_weight(child) for child in node.children)


def _make_share(node: Node) -> Made:
    assert _studio is not None
    return make_subtree(_studio, node)


def _join(studio: Studio, node: Node, made: dict[str, Made]) -> Made:
    if node.name in made:
        return made[node.name]
    return make_tile(studio, node, [_join(studio, child, made) for child in node.children])
