"""Coarser levels over tiles that have none: neighbours merged, thinned out, their pictures made smaller.

Four neighbours make a tile of the next level, whose picture has as many pixels as one of theirs and whose
surface has a quarter of their triangles (see :mod:`ingest.tiles.bake`).
"""

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from ingest.tiles.assemble import Node, Tree, build_tree
from ingest.tiles.bake import bake_surface
from ingest.tiles.convert import Target, save_parts
from ingest.tiles.glb import Part, unpack_glb
from ingest.tiles.gltf import read_gltf
from ingest.tiles.journal import Done, Journal, read_journal, stamp_files
from ingest.tiles.run import Outcome, Run
from twin.model.errors import InputError

FAN = 4
LEAST_TRIANGLES = 64
MAX_LEVELS = 16
LEAST_PIXELS = 128 * 128
MOST_PIXELS = 2048 * 2048
TEXELS = 8.0
"""Error of a level in its own texels: viewers refine at 16 px of error, so a texel fills 2 px at most."""


@dataclass(frozen=True, slots=True)
class Merge:
    """A tile to make of finer ones."""

    key: str
    below: tuple[Done, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some merges of one level."""

    journal: Path
    merges: tuple[Merge, ...]
    target: Target


def build_pyramid(run: Run, leaves: list[Done], name: str) -> Tree | None:
    """Make coarser levels over ``leaves`` until one tile is left; returns the tree ``{name}.json``."""
    nodes = [(done, Node(0.0, done=done)) for done in leaves if done.out]
    level = 0
    while nodes and level < MAX_LEVELS and (len(nodes) > 1 or level < 2):
        groups = _group([done for done, _ in nodes])
        merges = [
            Merge(f"{name}/{level}/{i}", tuple(nodes[j][0] for j in group)) for i, group in enumerate(groups)
        ]
        run.expected += len(merges)
        journals = [run.journals / f"{name}-{level}-{i}.jsonl" for i in range(len(merges))]
        run.work(convert_chunk, [Chunk(j, (m,), run.target) for j, m in zip(journals, merges, strict=True)])
        run.stop_if_broken()
        above = []
        for group, merge, journal in zip(groups, merges, journals, strict=True):
            done = read_journal(journal).get(merge.key)
            node = Node(
                done.error_m if done is not None else 0.0, done=done, children=[nodes[j][1] for j in group]
            )
            if done is not None:
                above.append((done, node))
            else:  # skipped: what lies below is kept
                above += [nodes[j] for j in group]
        if len(above) == len(nodes) > 1 and all(a[0] is b[0] for a, b in zip(above, nodes, strict=True)):
            break
        nodes, level = above, level + 1
    if not nodes:
        return None
    top = nodes[0][1] if len(nodes) == 1 else Node(0.0, children=[node for _, node in nodes])
    return build_tree(top, f"{name}.json", run.target.out)


def _group(tiles: list[Done]) -> list[list[int]]:
    """Neighbours in groups of at most four: halves by the longer side, then halves again."""
    if len(tiles) <= FAN:
        return [list(range(len(tiles)))]
    centres = np.array([done.centre for done in tiles])[:, :2]
    stack, out = [np.arange(len(tiles))], []
    while stack:
        rows = stack.pop()
        if len(rows) <= FAN:
            out.append(sorted(rows.tolist()))
            continue
        span = np.ptp(centres[rows], axis=0)
        order = rows[np.argsort(centres[rows, int(np.argmax(span))], kind="stable")]
        # Halves of whole groups, so that none is left nearly empty.
        half = min(max(FAN * round(len(order) / FAN / 2), 1), len(order) - 1)
        stack += [order[half:], order[:half]]
    return out


def convert_chunk(chunk: Chunk) -> Outcome:
    """Make the tiles of a chunk."""
    journal = Journal.open(chunk.journal)
    out, resumed = [], 0
    for merge in chunk.merges:
        stamp = stamp_files([chunk.target.out / done.out for done in merge.below])
        done = journal.find(merge.key, stamp, chunk.target.out)
        if done is not None:
            resumed += 1
        else:
            done = _make(merge, stamp, chunk.target)
            if not done.trouble:
                journal.add(done)
        out.append(done)
    return out, resumed


def _make(merge: Merge, stamp: str, target: Target) -> Done:
    done = Done(merge.key, stamp)
    try:
        parts = [part for below in merge.below for part in _read(below, target)]
        triangles = sum(len(p.triangles) for p in parts if p.triangles is not None)
        largest = max((_pixels(below, target) for below in merge.below), default=0)
        baked = bake_surface(
            parts, max(triangles // FAN, LEAST_TRIANGLES), _budget(largest, len(merge.below))
        )
        if baked is None:
            return done
        error = max(2.0 * below.error_m for below in merge.below)
        error = max(error, baked.error_m, TEXELS * baked.texel_m)
        parts = [baked.part] if baked.skirt is None else [baked.part, baked.skirt]
        done = replace(done, error_m=round(error, 4), skirt=baked.skirt is not None)
        return save_parts(parts, target, f"{merge.key}.glb", done)
    except InputError as e:
        return replace(done, trouble=str(e))
    except MemoryError:
        return replace(done, trouble=f"{merge.key}: needs more memory than there is; use fewer --workers")


def _budget(largest: int, count: int) -> int:
    """Pixels of a picture over ``count`` tiles: as many as one of them has, a quarter for one alone."""
    return int(np.clip(largest if count > 1 else largest // FAN, LEAST_PIXELS, MOST_PIXELS))


def _pixels(done: Done, target: Target) -> int:
    """Pixels of a tile's pictures."""
    doc, blob = unpack_glb((target.out / done.out).read_bytes(), done.out)
    total = 0
    for image in doc.get("images", ()):
        view = doc["bufferViews"][image["bufferView"]]
        with Image.open(io.BytesIO(blob[view["byteOffset"] :][: view["byteLength"]])) as picture:
            total += picture.size[0] * picture.size[1]
    return total


def _read(done: Done, target: Target) -> list[Part]:
    content = read_gltf((target.out / done.out).read_bytes(), done.out)
    parts = content.parts[:-1] if done.skirt else content.parts
    return [replace(p, positions=p.positions + np.array(done.centre)) for p in parts]
