"""``python -m ingest tiles import | list | drop``: what a person says about tile layers."""

import argparse
import re
import signal
import sys
from pathlib import Path

from ingest.tiles.catalogue import drop_layer, read_catalogue, tiles_folder
from twin.model.errors import ConfigError


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``tiles`` and what may follow it to the words of ``python -m ingest``."""
    parser = words.add_parser("tiles", help="tilt photography: import, list, drop")
    said = parser.add_subparsers(dest="tiles_word", required=True)
    bring = said.add_parser("import", help="3D Tiles, OSGB, OBJ, GLB or an OpenDroneMap folder as a layer")
    bring.add_argument("source", type=Path, metavar="SOURCE", help="folder or file")
    _add_county(bring)
    bring.add_argument("--layer", default="", help="short id; default: made of the source's name")
    bring.add_argument("--title", default="", help="name on the screen")
    bring.add_argument("--crs", default="", help="EPSG:4547, ENU:latitude,longitude[,height], WKT or ECEF")
    bring.add_argument("--origin", default="0,0,0", metavar="E,N,H", help="added to every position first, m")
    bring.add_argument("--height-shift", type=float, default=0.0, metavar="M", help="added to every height")
    bring.add_argument("--skip-broken", action="store_true", help="leave broken files out and name them")
    bring.add_argument("--workers", type=int, default=0, help="processes; default: all cores")
    bring.add_argument("--cim-level", type=int, default=3, choices=range(1, 8), help="1 to 7 of CJJ/T 315")
    bring.add_argument("--captured", default="", metavar="DAY", help="day of the flight, 2026-05-31")
    bring.add_argument("--source-text", default="", help="who made it, with what")
    bring.add_argument("--licence", default="", help="who may use it for what")
    bring.add_argument("--json", action="store_true", help="print the report as JSON")
    _add_county(said.add_parser("list", help="the layers of a county"))
    drop = said.add_parser("drop", help="take a layer and its files away")
    drop.add_argument("layer")
    _add_county(drop)


def _add_county(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--into", type=Path, default=None, metavar="COUNTY", help="folder of the county")


def obey(told: argparse.Namespace, county: Path) -> None:
    """Do what was said.

    Parameters
    ----------
    county : the folder of the settings, where ``--into`` names none

    Raises
    ------
    InputError, CountyError : source, county or options are wrong
    ConfigError : interrupted
    """
    folder = told.into or county
    if told.tiles_word == "list":
        for layer in read_catalogue(folder):
            print(
                f"{layer.id}  {layer.title}  {layer.tiles} tiles  {layer.bytes / 1e6:.1f} MB  "
                f"CIM{layer.cim_level}  {layer.captured or '-'}  {layer.licence or '-'}"
            )
        for path in sorted(tiles_folder(folder).glob(".importing-*/recipe.json")):
            print(f"{path.parent.name[11:]}  unfinished: import it again to go on, or remove {path.parent}")
    elif told.tiles_word == "drop":
        drop_layer(folder, told.layer)
        print(f"layer {told.layer} is gone")
    else:
        _import(told, folder)


def _import(told: argparse.Namespace, folder: Path) -> None:
    from ingest.tiles.importer import import_tiles  # only who imports waits for numpy's larger relatives
    from ingest.tiles.run import Wish

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    wish = Wish(
        told.source, folder, told.layer or make_id(told.source), told.title, told.crs,
        read_triple(told.origin), told.height_shift, told.skip_broken, told.workers, told.cim_level,
        told.captured, told.source_text, told.licence,
    )  # fmt: skip
    try:
        report = import_tiles(wish, lambda line: print(line, file=sys.stderr))
    except KeyboardInterrupt as e:
        raise ConfigError("interrupted; the same command goes on where it was, nothing was changed") from e
    print(report.to_json() if told.json else report.to_text())


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def make_id(source: Path) -> str:
    """Return a layer id made of a file's or folder's name."""
    name = source.resolve()
    name = name.parent if name.name in ("tileset.json", "Data") else name
    text = re.sub(r"[^a-z0-9]+", "-", name.stem.lower()).strip("-")
    return text[:48] or "tiles"


def read_triple(text: str) -> tuple[float, float, float]:
    """Read ``E,N,H``.

    Raises
    ------
    ConfigError : not three numbers
    """
    try:
        east, north, up = (float(part) for part in text.split(","))
    except ValueError as e:
        raise ConfigError(f"--origin {text!r}: write three numbers such as 500000,3800000,400") from e
    return east, north, up
