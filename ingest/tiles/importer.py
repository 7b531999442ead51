"""``tiles import``: finds out what the source is, converts it, and puts the layer in the old one's place."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ingest.county import load_county
from ingest.tiles.assemble import Tree, write_root
from ingest.tiles.catalogue import Layer, check_layer, publish_layer, tiles_folder
from ingest.tiles.frames import CountyFrame
from ingest.tiles.journal import stamp_files
from ingest.tiles.pool import count_workers
from ingest.tiles.report import MB, Report
from ingest.tiles.run import Run, Say, Wish, alone, open_staging
from ingest.tiles.work3d import import_tiles3d
from ingest.tiles.work_mesh import find_mesh, import_mesh
from ingest.tiles.work_osgb import find_osgb, import_osgb
from twin.model.errors import InputError

REPORT = "report.json"
FORMAT = 1
"""Raised when the same source would come out differently: older half-done imports are begun anew."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the source is: a word for the report, the file that counts, and who reads it."""

    kind: str
    file: Path
    reader: Callable[[Run, Path], list[Tree]]


def import_tiles(wish: Wish, say: Say = print) -> Report:
    """Import ``wish.source`` as a layer of the county; the old layer stays until the new one is whole.

    An import that was interrupted goes on where it was when called again with the same wish.

    Raises
    ------
    InputError : the source, the county or an option is wrong; names the mend
    CountyError : parts are broken (the list of them); nothing was published
    """
    check_layer(_describe(wish, Report(), ()))
    county = load_county(wish.county, check=False, onboarded=False)
    found = find_source(wish.source)
    frame = CountyFrame(county.meta.center)
    with alone(wish):
        recipe = repr((FORMAT, str(wish.source.resolve()), stamp_files([found.file]), wish.crs, wish.origin_m,
                       wish.shift_m, frame.origin))  # fmt: skip
        staging = open_staging(wish, recipe)
        run = Run(wish, frame, staging, count_workers(wish.workers), say)
        run.report.layer, run.report.source = wish.layer, str(wish.source)
        run.report.kind, run.report.crs = found.kind, wish.crs
        run.report.height_shift_m = wish.shift_m
        trees = found.reader(run, found.file)
        top = write_root(trees, frame, run.target.out) if trees else None
        if top is None:
            run.stop_if_broken()
            raise InputError(f"{wish.source}: holds nothing that can be drawn; nothing was changed")
        _finish(run, top)
        run.report.compare_ground(county.terrain)
        _sweep(run.target.out)
        layer = publish_layer(wish.county, _describe(wish, run.report, run.report.extent_deg), run.target.out)
        run.report.published = f"{tiles_folder(wish.county) / layer.folder}"
        run.report.seconds = time.monotonic() - run.started
        (tiles_folder(wish.county) / wish.layer / REPORT).write_text(run.report.to_json(), encoding="utf-8")
        shutil.rmtree(staging, ignore_errors=True)
    return run.report


def find_source(path: Path) -> Found:
    """Say what ``path`` is.

    Raises
    ------
    InputError : not there, or nothing that is read here
    """
    if not path.exists():
        raise InputError(f"{path} is not there; name a folder or file with 3D Tiles, OSGB, OBJ or GLB")
    if path.is_file() and path.suffix.lower() == ".json":
        return Found("3D Tiles", path, import_tiles3d)
    if path.is_dir() and (path / "tileset.json").is_file():
        return Found("3D Tiles", path / "tileset.json", import_tiles3d)
    if find_osgb(path) is not None:
        return Found("OSGB", path, import_osgb)
    if (mesh := find_mesh(path)) is not None:
        return Found("mesh", mesh, import_mesh)
    raise InputError(
        f"{path}: neither a tileset.json, an OSGB folder (Data/Tile_*), an .obj, a .glb nor an OpenDroneMap "
        "folder; name the one that holds it"
    )


def _finish(run: Run, top: Tree) -> None:
    """Fill in what the whole tells: levels, extent, heights."""
    report = run.report
    report.levels, report.max_error_m = top.levels, round(top.error_m, 3)
    low, high = top.low, top.high
    corners = np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    lon, lat, height = run.frame.to_degrees(corners)
    report.extent_deg = (
        round(float(lon.min()), 7), round(float(lat.min()), 7),
        round(float(lon.max()), 7), round(float(lat.max()), 7),
    )  # fmt: skip
    report.height_m = (round(float(height.min()), 2), round(float(height.max()), 2))
    if report.grounds:
        report.ground_m = float(np.median([h for _, _, h in report.grounds]))


def _sweep(out: Path) -> None:
    """Remove what a kill left half written."""
    for path in out.rglob(".*.part"):
        path.unlink()


def _describe(wish: Wish, report: Report, extent: tuple[float, ...]) -> Layer:
    west, south, east, north = extent or (0.0, 0.0, 0.0, 0.0)
    return Layer(
        id=wish.layer, title=wish.title or wish.layer,
        kind="points" if report.points and not report.triangles else "tilt", cim_level=wish.cim_level,
        captured=wish.captured, source=wish.source_text, licence=wish.licence,
        imported=datetime.now(UTC).isoformat(timespec="seconds"), tiles=report.tiles,
        triangles=report.triangles, texture_bytes=round(report.texture_mb * MB),
        bytes=round(report.written_mb * MB), levels=report.levels, extent_deg=(west, south, east, north),
        height_m=report.height_m, ground_m=round(report.ground_m, 2), max_error_m=report.max_error_m,
        height_shift_m=wish.shift_m,
    )  # fmt: skip
