"""One large mesh (OBJ, GLB, an OpenDroneMap folder): cut into tiles, coarser levels over them.

The mesh is read once by one process and cut into columns of at most ``LEAF_TRIANGLES``; the workers then
give every column a picture of only the pieces it uses, and build the levels above.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.tiles.assemble import Tree
from ingest.tiles.atlas import pack_pictures
from ingest.tiles.convert import Target, list_pictures, place_content, save_parts, write_whole
from ingest.tiles.frames import CountyFrame, parse_placement
from ingest.tiles.glb import Material, Part, Picture
from ingest.tiles.gltf import Content, read_gltf
from ingest.tiles.journal import Done, Journal, read_journal, stamp_files
from ingest.tiles.obj import read_obj
from ingest.tiles.pyramid import build_pyramid
from ingest.tiles.run import Outcome, Run
from ingest.tiles.source import SourceFolder
from ingest.tiles.surfaces import take_triangles
from ingest.tiles.work_osgb import Georeference
from twin.model.errors import InputError

LEAF_TRIANGLES = 20_000
MODELS = ("odm_texturing/odm_textured_model_geo.obj", "odm_textured_model_geo.obj")
SUFFIXES = (".obj", ".glb", ".gltf")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column of the mesh, kept on disk until a worker takes it; the pictures lie beside, once each."""

    journal: Path
    key: str
    cut: Path
    stamp: str
    georeference: Georeference
    shift_m: float
    centre: tuple[float, float, float]
    target: Target


def find_mesh(path: Path) -> Path | None:
    """Return the mesh file of a source, None where there is none."""
    if path.is_file():
        return path if path.suffix.lower() in SUFFIXES else None
    for name in MODELS:
        if (path / name).is_file():
            return path / name
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
    return found[0] if len(found) == 1 else None


def read_georeference(run: Run, mesh: Path) -> Georeference:
    """Return system and origin: as ``--crs`` and ``--origin`` say, or as OpenDroneMap wrote them beside it.

    Raises
    ------
    InputError : nothing says it
    """
    wish = run.wish
    crs, origin = wish.crs, wish.origin_m
    for folder in (
        mesh.parent,
        mesh.parent.parent / "odm_georeferencing",
        mesh.parent / "odm_georeferencing",
    ):
        proj, coords = folder / "proj.txt", folder / "coords.txt"
        if coords.is_file():
            lines = coords.read_text(encoding="utf-8", errors="replace").splitlines()
            said = lines[0].strip() if lines else ""
            crs = crs or (proj.read_text(encoding="utf-8").strip() if proj.is_file() else read_utm(said))
            numbers = [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?", lines[1])] if len(lines) > 1 else []
            if origin == (0.0, 0.0, 0.0) and len(numbers) >= 2:
                origin = (numbers[0], numbers[1], 0.0)
            break
    if not crs:
        raise InputError(
            f"{mesh.name}: nothing says where it lies; give its system and origin, such as --crs EPSG:32649 "
            "--origin 500000,3800000,0, or --crs ENU:34.22,108.96"
        )
    return Georeference(crs, origin)


def read_utm(text: str) -> str:
    """Return the EPSG code of ``WGS84 UTM 49N``, empty for anything else."""
    m = re.match(r"WGS ?84 UTM (\d{1,2})([NS])\s*\Z", text, re.IGNORECASE)
    return f"EPSG:{(32600 if m[2].upper() == 'N' else 32700) + int(m[1])}" if m else ""


def import_mesh(run: Run, path: Path) -> list[Tree]:
    """Cut, convert and thin out a mesh; returns one tree."""
    mesh = find_mesh(path)
    if mesh is None:
        raise InputError(f"{path}: holds no mesh")
    geo = read_georeference(run, mesh)
    run.report.crs = f"{geo.crs} from {', '.join(f'{v:g}' for v in geo.origin_m)}"
    parse_placement(geo.crs, run.frame)
    leaves = _cut(run, mesh, geo)
    run.expected = len(leaves)
    run.work(convert_leaf, leaves)
    run.stop_if_broken()
    dones = [read_journal(leaf.journal).get(leaf.key) for leaf in leaves]
    tree = build_pyramid(run, [done for done in dones if done is not None], "p")
    return [tree] if tree is not None else []


def _cut(run: Run, mesh: Path, geo: Georeference) -> list[Leaf]:
    """Read the mesh and put its columns on disk; what an interrupted import cut is taken as it is."""
    folder = run.staging / "cut"
    stamp = stamp_files([mesh])
    ready = folder / "ready"
    if not (ready.is_file() and ready.read_text().splitlines()[:1] == [stamp]):
        parts = _read(run, mesh)
        run.report.read_mb += mesh.stat().st_size / 1e6
        xyz = np.concatenate([p.positions for p in parts])
        centre = np.round(xyz.mean(axis=0))
        folder.mkdir(parents=True, exist_ok=True)
        groups = split_columns(parts)
        pictures = {picture: i for i, picture in enumerate(list_pictures(parts))}
        for picture, i in pictures.items():
            write_whole(folder / f"picture{i}", picture.data)
        for i, group in enumerate(groups):
            _save_group(folder / f"{i}.npz", group, centre, pictures)
        ready.write_text(f"{stamp}\n{len(groups)}\n" + "\n".join(map(str, centre)))
    lines = ready.read_text().splitlines()
    x, y, z = map(float, lines[2:5])
    return [
        Leaf(run.journals / f"m{i}.jsonl", f"m/{i}", folder / f"{i}.npz", stamp, geo, run.wish.shift_m,
             (x, y, z), run.target)
        for i in range(int(lines[1]))
    ]  # fmt: skip


def _save_group(
    path: Path, group: list[Part], centre: NDArray[np.float64], pictures: dict[Picture, int]
) -> None:
    arrays: dict[str, NDArray[Any]] = {}
    for i, part in enumerate(group):
        picture = part.material.picture
        arrays[f"{i}.positions"] = part.positions - centre
        arrays[f"{i}.triangles"] = _rows(part)
        arrays[f"{i}.picture"] = np.array(-1 if picture is None else pictures[picture])
        arrays[f"{i}.colour"] = np.array(part.material.colour)
        for key in ("uv", "colours"):
            if (array := getattr(part, key)) is not None:
                arrays[f"{i}.{key}"] = array
    with path.open("wb") as f:
        np.savez(f, allow_pickle=False, **arrays)


def _load_group(path: Path) -> list[Part]:
    parts = []
    with np.load(path, allow_pickle=False) as kept:
        for i in range(sum(key.endswith(".positions") for key in kept.files)):
            number = int(kept[f"{i}.picture"])
            picture = None
            if number >= 0:
                data = (path.parent / f"picture{number}").read_bytes()
                picture = Picture(data, "image/png" if data.startswith(b"\x89PNG") else "image/jpeg")
            r, g, b, a = map(float, kept[f"{i}.colour"])
            more = {key: kept[f"{i}.{key}"] for key in ("uv", "colours") if f"{i}.{key}" in kept.files}
            material = Material(picture, (r, g, b, a))
            parts.append(Part(kept[f"{i}.positions"], kept[f"{i}.triangles"], material, **more))
    return parts


def _rows(part: Part) -> NDArray[np.int64]:
    assert part.triangles is not None
    return part.triangles.astype(np.int64)


def _read(run: Run, mesh: Path) -> list[Part]:
    folder = SourceFolder(mesh.parent)
    run.say(f"reading {mesh}")
    if mesh.suffix.lower() == ".obj":
        parts = read_obj(mesh, folder, lambda n: run.say(f"{n} lines read"))
    else:
        name = mesh.name
        content = read_gltf(
            folder.read(mesh), name, lambda uri: folder.read(folder.resolve(mesh.parent, uri, name))
        )
        parts = [replace(p, positions=p.positions + content.centre) for p in content.parts]
    parts = [p for p in parts if p.triangles is not None and len(p.triangles)]
    if not parts:
        raise InputError(f"{mesh.name}: holds no triangles")
    return parts


def split_columns(parts: list[Part], most: int = LEAF_TRIANGLES) -> list[list[Part]]:
    """Cut surfaces into columns of at most ``most`` triangles: halves across the longer side, and again."""
    owners = np.concatenate([np.full(len(_rows(p)), i) for i, p in enumerate(parts)])
    rows = np.concatenate([np.arange(len(_rows(p))) for p in parts])
    middles = np.concatenate([_middles(p) for p in parts])
    stack: list[NDArray[np.int64]] = [np.arange(len(rows))]
    out = []
    while stack:
        some = stack.pop()
        if len(some) <= most:
            group = []
            for i in np.unique(owners[some]).tolist():
                group.append(take_triangles(parts[i], _rows(parts[i])[rows[some[owners[some] == i]]]))
            out.append(group)
            continue
        side = int(np.argmax(np.ptp(middles[some], axis=0)))
        order = some[np.argsort(middles[some, side], kind="stable")]
        half = len(order) // 2
        stack += [order[half:], order[:half]]
    return out


def _middles(part: Part) -> NDArray[np.float64]:
    return np.asarray(part.positions[_rows(part)][:, :, :2].mean(axis=1), np.float64)


def convert_leaf(leaf: Leaf) -> Outcome:
    """Give one column its own picture and place it in the county."""
    journal = Journal.open(leaf.journal)
    done = journal.find(leaf.key, leaf.stamp, leaf.target.out)
    if done is not None:
        return [done], 1
    done = Done(leaf.key, leaf.stamp)
    geo = leaf.georeference
    try:
        placement = parse_placement(geo.crs, CountyFrame(leaf.target.origin), geo.origin_m, leaf.shift_m)
        parts = pack_pictures(_load_group(leaf.cut))
        placed = place_content(Content(parts, np.array(leaf.centre)), placement)
        done = save_parts(placed, leaf.target, f"{leaf.key}.glb", done)
    except InputError as e:
        done = replace(done, trouble=str(e))
    except MemoryError:
        done = replace(done, trouble=f"{leaf.key}: needs more memory than there is; use fewer --workers")
    if not done.trouble:
        journal.add(done)
    return [done], 0
