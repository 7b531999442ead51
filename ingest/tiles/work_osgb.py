"""OSGB as surveys deliver it: ``Data/Tile_*/`` with ``metadata.xml``, or single leaves.

One OSGB file becomes one tile, with the surfaces of all its levels; the files that those name become its
children. Where only some of its levels have finer files, the others are written a second time as a child of
their own, since a tile is replaced as a whole.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ingest.tiles.assemble import Node, Tree, build_tree
from ingest.tiles.convert import Target, place_content, save_parts
from ingest.tiles.frames import CountyFrame, Placement, parse_placement
from ingest.tiles.glb import Part
from ingest.tiles.gltf import Content
from ingest.tiles.journal import REST, Done, Journal, chunked, read_journal, stamp_files
from ingest.tiles.osgb import Piece, read_osgb
from ingest.tiles.pyramid import build_pyramid
from ingest.tiles.run import Outcome, Run
from ingest.tiles.source import SourceFolder
from ingest.tiles.surfaces import merge_parts
from twin.model.errors import InputError

CHUNK = 8
MAX_FILES = 500_000
METADATA = "metadata.xml"
_TAG = "<{0}>(.*?)</{0}>"


@dataclass(frozen=True, slots=True)
class Georeference:
    """What says where a survey lies: a system and the origin that its positions count from."""

    crs: str
    origin_m: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Files to convert: a tile's topmost file with all that it leads to, or single leaves."""

    journal: Path
    files: tuple[str, ...]
    follow: bool
    root: Path
    georeference: Georeference
    shift_m: float
    target: Target


def find_osgb(path: Path) -> tuple[Path, list[Path], bool] | None:
    """Return folder, topmost files, and whether they lead on to others; None where this is no OSGB."""
    if path.is_file() and path.suffix.lower() == ".osgb":
        return path.parent, [path], False
    if not path.is_dir():
        return None
    root = path.parent if path.name == "Data" else path
    data = root / "Data"
    folders = sorted(p for p in data.iterdir() if p.is_dir()) if data.is_dir() else []
    tops = [top for folder in folders if (top := _find_top(folder)) is not None]
    if tops:
        return root, tops, True
    leaves = sorted(p for p in path.iterdir() if p.suffix.lower() == ".osgb")
    return (path, leaves, False) if leaves else None


def _find_top(folder: Path) -> Path | None:
    """The coarsest file of a tile's folder: it has the folder's name, or else the shortest."""
    files = sorted(folder.glob("*.osgb"), key=lambda p: (p.stem != folder.name, len(p.name), p.name))
    return files[0] if files else None


def read_georeference(run: Run, root: Path) -> Georeference:
    """Return where the survey lies: as ``--crs`` and ``--origin`` say, or ``metadata.xml``.

    Raises
    ------
    InputError : nothing says it
    """
    wish = run.wish
    near = (root / METADATA, root / "Data" / METADATA, root.parent / METADATA)
    file = next((p for p in near if p.is_file()), None)
    crs, origin = wish.crs, wish.origin_m
    if file is not None:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
        said = {key: m.group(1).strip() for key in ("SRS", "SRSOrigin")
                if (m := re.search(_TAG.format(key), text, re.DOTALL))}  # fmt: skip
        crs = crs or said.get("SRS", "")
        if origin == (0.0, 0.0, 0.0) and said.get("SRSOrigin"):
            numbers = [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", said["SRSOrigin"])]
            if len(numbers) not in (2, 3):
                raise InputError(f"{file.name}: SRSOrigin is {said['SRSOrigin']!r}; give it with --origin")
            origin = (numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else 0.0)
    if not crs:
        raise InputError(
            f"{run.wish.source}: no {METADATA} says where it lies; give its system and origin, such as "
            "--crs EPSG:4547 --origin 500000,3800000,0, or --crs ENU:34.22,108.96"
        )
    return Georeference(crs, origin)


def import_osgb(run: Run, path: Path) -> list[Tree]:
    """Convert a survey; returns a tree for every tile of it, or one over all leaves."""
    found = find_osgb(path)
    if found is None:
        raise InputError(f"{path}: holds no OSGB files")
    root, files, follow = found
    georeference = read_georeference(run, root)
    run.report.crs = f"{georeference.crs} from {', '.join(f'{v:g}' for v in georeference.origin_m)}"
    parse_placement(georeference.crs, run.frame)
    groups = [[file] for file in files] if follow else list(chunked(files, CHUNK))
    run.expected = sum(1 for file in files for _ in file.parent.glob("*.osgb")) if follow else len(files)
    chunks = [
        Chunk(run.journals / f"o{i}.jsonl", tuple(map(str, group)), follow, root, georeference,
              run.wish.shift_m, run.target)
        for i, group in enumerate(groups)
    ]  # fmt: skip
    run.work(convert_chunk, chunks)
    run.stop_if_broken()
    if not follow:
        return _build_leaves(run, chunks)
    trees = (_build_tile(run, chunk, i) for i, chunk in enumerate(chunks))
    return [tree for tree in trees if tree is not None]


def convert_chunk(chunk: Chunk) -> Outcome:
    """Convert the files of a chunk and, where they lead on, all below them."""
    journal = Journal.open(chunk.journal)
    folder = SourceFolder(chunk.root)
    geo = chunk.georeference
    placement = parse_placement(geo.crs, CountyFrame(chunk.target.origin), geo.origin_m, chunk.shift_m)
    out: list[Done] = []
    resumed = 0
    stack = [Path(file).resolve() for file in reversed(chunk.files)]
    seen = set(stack)
    broken: set[Path] = set()
    while stack:
        path = stack.pop()
        name = folder.name(path)
        stamp = stamp_files([path])
        done, rest = journal.find(name, stamp, chunk.target.out), journal.known.get(name + REST)
        if done is not None and (rest is None or journal.find(name + REST, stamp, chunk.target.out)):
            resumed += 1
        else:
            done, rest = _convert(path, name, stamp, folder, placement, chunk)
            for one in (rest, done):  # the main one last: it says that the file is finished
                if one is not None and not one.trouble:
                    journal.add(one)
        out += [one for one in (done, rest) if one is not None]
        if done.trouble:
            broken.add(path)
        if chunk.follow:
            below = [(chunk.root / child).resolve() for child in done.children]
            stack += reversed([p for p in below if p not in seen])
            seen |= set(below)
            if len(seen) > MAX_FILES:
                raise InputError(f"{name}: leads to more than {MAX_FILES} files; import the tiles one by one")
    _close_holes(frozenset(broken), folder, placement, chunk, journal)
    return out, resumed


def _close_holes(broken: frozenset[Path], folder: SourceFolder, placement: Placement, chunk: Chunk,
                 journal: Journal) -> None:  # fmt: skip
    """Write the parents of broken files again: where a finer file is missing, their own surfaces stay."""
    for done in list(journal.known.values()):
        if broken and any((chunk.root / child).resolve() in broken for child in done.children):
            path = (chunk.root / done.key).resolve()
            # Another stamp, so that a later run that finds the file mended does not take this one.
            for one in _convert(path, done.key, f"{done.stamp}!", folder, placement, chunk, broken)[::-1]:
                if one is not None and not one.trouble:
                    journal.add(one)


def _convert(
    path: Path, name: str, stamp: str, folder: SourceFolder, placement: Placement, chunk: Chunk,
    without: frozenset[Path] = frozenset(),
) -> tuple[Done, Done | None]:  # fmt: skip
    """Convert one file; ``without``: finer files that are broken, whose place its own surfaces keep."""
    done = Done(name, stamp)
    try:
        pieces = read_osgb(path, name)
        done = replace(done, read_bytes=path.stat().st_size)
        children, rest = _find_children(path, pieces, folder, name, chunk.follow, without)
        error = max((p.error_m for p in pieces if p.file), default=0.0) if children else 0.0
        done = replace(done, children=tuple(folder.name(child) for child in children), error_m=error)
        out = f"o/{path.parent.name}/{path.stem}"
        more = None
        if children and rest:
            more = save_parts(
                _place(rest, placement), chunk.target, f"{out}-rest.glb", Done(name + REST, stamp)
            )
        return save_parts(_place([x for p in pieces for x in p.parts], placement), chunk.target,
                          f"{out}.glb", done), more  # fmt: skip
    except InputError as e:
        return replace(done, trouble=str(e), children=()), None
    except FileNotFoundError:
        return replace(done, trouble=f"{name}: is not there, but another file leads to it"), None
    except MemoryError:
        return replace(done, trouble=f"{name}: needs more memory than there is; use fewer --workers"), None


def _find_children(
    path: Path, pieces: list[Piece], folder: SourceFolder, name: str, follow: bool, without: frozenset[Path]
) -> tuple[list[Path], list[Part]]:
    """Finer files, and the surfaces that have none. A single leaf has none: what it names is not there."""
    children: list[Path] = []
    rest: list[Part] = []
    for piece in pieces:
        child = folder.resolve(path.parent, piece.file, name) if piece.file else None
        if child is None or child in without or (not follow and not child.is_file()):
            rest += piece.parts
        else:
            children.append(child)
    return list(dict.fromkeys(children)), rest


def _place(parts: list[Part], placement: Placement) -> list[Part]:
    return place_content(Content(merge_parts(parts), np.zeros(3)), placement)


def _build_tile(run: Run, chunk: Chunk, number: int) -> Tree | None:
    """The tree of one tile's folder, out of its journal."""
    known = read_journal(chunk.journal)
    folder = SourceFolder(chunk.root)
    return build_tree(
        _grow(folder.name(Path(chunk.files[0]).resolve()), known), f"o{number}.json", run.target.out
    )


def _grow(top: str, known: dict[str, Done]) -> Node:
    """Node of a file with all below it; a file that is named twice counts once."""
    first = Node(0.0)
    stack, seen = [(top, first)], {top}
    while stack:
        key, node = stack.pop()
        done = known.get(key)
        if done is None:
            continue
        node.done, node.error_m = done, done.error_m if done.children else 0.0
        if done.children and (rest := known.get(key + REST)) is not None:
            node.children.append(Node(0.0, done=rest))
        for child in done.children:
            if child not in seen:
                seen.add(child)
                below = Node(0.0)
                node.children.append(below)
                stack.append((child, below))
    return first


def _build_leaves(run: Run, chunks: list[Chunk]) -> list[Tree]:
    """Trees of files that stand alone; what has no finer file is given coarser levels."""
    known: dict[str, Done] = {}
    for chunk in chunks:
        known |= read_journal(chunk.journal)
    named = {child for done in known.values() for child in done.children}
    tops = [key for key in known if key not in named and not key.endswith(REST)]
    single = [known[key] for key in tops if not known[key].children and known[key].out]
    trees = [build_pyramid(run, single, "p")] if single else []
    for i, key in enumerate(key for key in tops if known[key].children):
        trees.append(build_tree(_grow(key, known), f"o{i}.json", run.target.out))
    return [tree for tree in trees if tree is not None]
