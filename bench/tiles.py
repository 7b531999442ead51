"""Print what an import of tilt photography costs: tiles and megabytes per minute, peak memory.

Run: ``python -m bench.tiles`` measures on sources it makes; ``python -m bench.tiles SOURCE[@CRS] ...`` on
yours, such as ``survey/`` or ``scan.glb@ENU:34.22,108.96``. ``--json FILE`` keeps the figures.
``--validator build/main.js`` has Cesium's validator of 3D Tiles (docs/tiles.md says how to build it) read
every layer as well, with Node; an error or a warning ends the bench.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from ingest.county import load_county
from ingest.county.meta import render_meta, render_toml
from ingest.tiles.catalogue import read_catalogue
from ingest.tiles.frames import parse_placement
from tests.tiles.make import WEBGL, leaf, legacy, make_county, make_jpeg, make_square, write_tree
from tests.tiles.survey import level, write_odm, write_osgb

ROOT = Path(__file__).resolve().parents[1]


def make_sources(folder: Path, place: tuple[float, float]) -> dict[str, tuple[Path, str]]:
    """Sources of the three kinds: name -> path, system."""
    tree = write_tree(folder / "tiles3d", place, {"children": [leaf(f"{i}.b3dm") for i in range(1000)]},
                      gltfUpAxis="Z")  # fmt: skip
    tile = legacy(b"b3dm", {"BATCH_LENGTH": 0}, b"", make_square(WEBGL, make_jpeg(side=512), turn=False))
    for i in range(1000):
        (tree / f"{i}.b3dm").write_bytes(tile)
    survey = folder / "osgb"
    picture = folder / "soil.jpg"
    picture.write_bytes(make_jpeg(side=512))
    for i in range(40):
        data = survey / "Data" / f"Tile_{i}"
        data.mkdir(parents=True)
        box = (20.0 * i, 0.0, 20.0 * i + 20, 20.0, 1.0)
        write_osgb(data / f"Tile_{i}.osgb", [level("x", box, "fine.osgb", 300, picture.name)], picture)
        write_osgb(data / "fine.osgb", [level("x", box, "", 0, picture.name)], picture)
    mesh = write_odm(folder / "odm", side=300)
    rng = np.random.default_rng(2)
    for name in ("west.jpg", "east.jpg"):
        noise = rng.integers(60, 200, (512, 512, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((4096, 4096)).save(mesh / "odm_texturing" / name, quality=85)
    lon, lat = place
    return {
        "3D Tiles, 1000 b3dm of 1.0": (tree, ""),
        "OSGB, 40 tiles in two levels": (survey, f"ENU:{lat},{lon}"),
        "OpenDroneMap, 180,000 triangles, two pictures of 4096 px": (mesh, "EPSG:32648"),
    }


def measure(name: str, source: Path, crs: str, county: Path, workers: int) -> dict[str, Any]:
    """Import once in processes of its own; returns the figures."""
    words = ["tiles", "import", str(source), "--into", str(county), "--json", "--layer", "bench"]
    command = [sys.executable, "-m", "ingest", *words, "--workers", str(workers)]
    command += ["--crs", crs] if crs else []
    began = time.monotonic()
    process = psutil.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(process))
        time.sleep(0.05)
    seconds = time.monotonic() - began
    text = process.stdout.read() if process.stdout is not None else ""
    if process.returncode != 0:
        raise SystemExit(f"{name}: the import failed; run it by hand: {' '.join(command)}")
    report = json.loads(text)
    return {
        "source": name, "seconds": round(seconds, 1), "tiles": report["tiles"], "levels": report["levels"],
        "triangles": report["triangles"], "read_mb": round(report["read_mb"], 1),
        "written_mb": round(report["written_mb"], 1), "tiles_per_min": round(report["tiles"] / seconds * 60),
        "mb_per_min": round(report["read_mb"] / seconds * 60), "peak_mb": round(peak / 1e6),
    }  # fmt: skip


def validate(validator: Path, county: Path, name: str) -> str:
    """Have the bench's layer read by Cesium's validator; returns what it counted."""
    layer = next(x for x in read_catalogue(county) if x.id == "bench")
    tileset, report = county / "tiles" / layer.folder / layer.tileset, county / "validation.json"
    subprocess.run(
        ["node", str(validator), "--tilesetFile", str(tileset), "--reportFile", str(report)],
        check=True, stdout=subprocess.DEVNULL, timeout=600,
    )  # fmt: skip
    found = json.loads(report.read_text(encoding="utf-8"))
    if found["numErrors"] or found["numWarnings"]:
        raise SystemExit(f"{name}: {json.dumps(found, indent=1)[:4000]}")
    return f"{found['numErrors']} errors, {found['numWarnings']} warnings, {found['numInfos']} notes"


def _memory(process: psutil.Process) -> int:
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def _move(county: Path, crs: str, source: Path) -> None:
    """Put the county's centre where the source lies, or it would be refused as too far away."""
    from ingest.tiles.frames import CountyFrame, degrees_of
    from ingest.tiles.glb import parse_json
    from ingest.tiles.tileset import parse_one

    meta = load_county(county, check=False, onboarded=False).meta
    if crs:
        far = parse_placement(crs, CountyFrame(meta.center)).place(np.zeros((1, 3)))
        lon, lat, _ = CountyFrame(meta.center).to_degrees(far)
    else:
        file = source / "tileset.json" if source.is_dir() else source
        root = parse_one(parse_json(file.read_bytes(), file.name)["root"], file.name, "REPLACE")
        at = root.transform[:3, 3] if root.transform is not None else np.array(root.volume.numbers[:3])
        lon, lat, _ = degrees_of(at[None])
    from dataclasses import replace

    table = {"county": render_meta(replace(meta, center=(float(lon[0]), float(lat[0]))))}
    text = (county / "county.toml").read_text(encoding="utf-8")
    start, end = text.index("[county]"), text.index("[terrain]")
    fresh = render_toml(table, "").strip()
    (county / "county.toml").write_text(text[:start] + fresh + "\n\n" + text[end:], encoding="utf-8")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sources", nargs="*", metavar="SOURCE[@CRS]")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--validator", type=Path, help="build/main.js of Cesium's 3d-tiles-validator")
    told = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="county-twin-bench-") as folder:
        county, place = make_county(Path(folder) / "county")
        given = {s: (Path(s.partition("@")[0]).resolve(), s.partition("@")[2]) for s in told.sources}
        for name, (source, crs) in (given or make_sources(Path(folder), place)).items():
            if given:
                _move(county, crs, source)
            rows.append(measure(name, source, crs, county, told.workers))
            if told.validator:
                rows[-1]["validator"] = validate(told.validator, county, name)
            print(rows[-1], file=sys.stderr)
    print("| source | s | tiles | levels | MB read | tiles/min | MB/min | peak MB |")
    print("|---" * 8 + "|")
    for row in rows:
        keys = ("source", "seconds", "tiles", "levels", "read_mb", "tiles_per_min", "mb_per_min", "peak_mb")
        print("| " + " | ".join(str(row[key]) for key in keys) + " |")
    if told.json:
        told.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
