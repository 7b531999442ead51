"""3D Tiles: contents converted in chunks by the workers, the tree put together from what they wrote."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ingest.tiles.assemble import Node, Tree, build_tree
from ingest.tiles.convert import Target, place_content, save_parts
from ingest.tiles.frames import Rigid
from ingest.tiles.glb import Part
from ingest.tiles.journal import Done, Journal, chunked, read_journal, stamp_files
from ingest.tiles.legacy import read_content
from ingest.tiles.run import Outcome, Run
from ingest.tiles.source import SourceFolder
from ingest.tiles.tiles3d import Item, Sheet, Tiles3d, load_sheet, save_sheet
from twin.model.errors import InputError

CHUNK = 16
SHARE = 256
"""Files in one folder of the result."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some contents of one sheet."""

    journal: Path
    items: tuple[Item, ...]
    root: Path
    target: Target


def import_tiles3d(run: Run, tileset: Path) -> list[Tree]:
    """Convert all contents of a tileset; returns the topmost tree."""
    wish = run.wish
    source = Tiles3d(tileset, run.frame, wish.crs, wish.origin_m, wish.shift_m)
    plan = run.staging / "plan"
    run.work(convert_chunk, _plan(run, source, plan))
    run.report.refused += source.troubles
    run.stop_if_broken()
    trees: dict[int, Tree] = {}
    for number in range(source.count - 1, -1, -1):
        tree = _build_sheet(run, load_sheet(number, plan), trees)
        if tree is not None:
            trees[number] = tree
    return [trees[0]] if 0 in trees else []


def _plan(run: Run, source: Tiles3d, plan: Path) -> Iterator[Chunk]:
    for sheet in source.sheets():
        save_sheet(sheet, plan)
        run.expected += len(sheet.items)
        for i, items in enumerate(chunked(sheet.items, CHUNK)):
            journal = run.journals / f"{sheet.number}-{i}.jsonl"
            yield Chunk(journal, tuple(items), source.folder.root, run.target)


def convert_chunk(chunk: Chunk) -> Outcome:
    """Convert the contents of a chunk, one after the other; broken ones come back with their trouble."""
    journal = Journal.open(chunk.journal)
    folder = SourceFolder(chunk.root)
    out, resumed = [], 0
    for item in chunk.items:
        paths = [Path(file) for file in item.files]
        stamp = stamp_files(paths)
        done = journal.find(item.key, stamp, chunk.target.out)
        if done is not None:
            resumed += 1
        else:
            done = _convert(item, paths, stamp, folder, chunk.target)
            if not done.trouble:
                journal.add(done)
        out.append(done)
    return out, resumed


def _convert(item: Item, paths: list[Path], stamp: str, folder: SourceFolder, target: Target) -> Done:
    sheet, number = map(int, item.key.split("/"))
    done = Done(item.key, stamp)
    placement = Rigid(np.array(item.matrix).reshape(4, 4))
    parts: list[Part] = []
    name = folder.name(paths[0])
    try:
        for path in paths:
            name = folder.name(path)
            data = folder.read(path)
            done = replace(done, read_bytes=done.read_bytes + len(data))

            def fetch(uri: str, beside: Path = path, said_by: str = name) -> bytes:
                return folder.read(folder.resolve(beside.parent, uri, said_by))

            parts += place_content(read_content(data, name, fetch, up=item.up), placement)
        return save_parts(parts, target, f"t/{sheet}/{number // SHARE}/{number}.glb", done)
    except InputError as e:
        return replace(done, key=name, trouble=str(e))
    except MemoryError:
        return replace(done, key=name, trouble="needs more memory than there is; use fewer --workers")


def _build_sheet(run: Run, sheet: Sheet, trees: dict[int, Tree]) -> Tree | None:
    """Put one sheet together from the journals; sheets below it are there already."""
    known: dict[str, Done] = {}
    for i in range(-(-len(sheet.items) // CHUNK)):
        known |= read_journal(run.journals / f"{sheet.number}-{i}.jsonl")
    nodes: list[Node] = []
    for row in sheet.rows:
        done = known.get(sheet.items[row.item].key) if row.item >= 0 else None
        node = Node(row.error_m, row.refine, done, trees.pop(row.sheet, None))
        nodes.append(node)
        if row.parent >= 0:
            nodes[row.parent].children.append(node)
    _close_holes(sheet, nodes)
    return build_tree(nodes[0], f"s{sheet.number}.json", run.target.out) if nodes else None


def _close_holes(sheet: Sheet, nodes: list[Node]) -> None:
    """Where a finest tile was refused, the tile above stays in place of all its children."""
    for row, node in zip(sheet.rows, nodes, strict=True):
        if row.item < 0 or node.done is not None or node.children or row.parent < 0:
            continue
        above = nodes[row.parent]
        if above.done is not None and above.done.out and above.refine == "REPLACE":
            above.children, above.error_m = [], 0.0
