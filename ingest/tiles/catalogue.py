"""The list of a county's tile layers: ``COUNTY/tiles/catalogue.json``, and how a layer gets in whole.

A layer's files lie in ``COUNTY/tiles/<id>/<digest>/``. The catalogue names the folder that counts; it is
replaced in one step after the new files are all there, so readers see the old layer or the new one.
"""

import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import msgspec

from twin.model.errors import InputError

FORMAT = 1
CATALOGUE = "catalogue.json"
LAYER_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}\Z")
KINDS = ("tilt", "points", "model")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of tiles as the catalogue tells it.

    ``folder``: below ``COUNTY/tiles``; empty until published. ``kind``: ``tilt`` photography, ``points``,
    ``model``. ``cim_level``: 1 to 7 of CJJ/T 315. ``captured``: day of the flight, ISO, or empty.
    ``extent_deg``: west, south, east, north. ``height_m``: lowest and highest; ``ground_m``: median of the
    ground. ``max_error_m``: geometric error of the coarsest picture. ``height_shift_m``: added on import.
    """

    id: str
    title: str
    kind: str = "tilt"
    cim_level: int = 3
    captured: str = ""
    source: str = ""
    licence: str = ""
    imported: str = ""
    generated: bool = False
    tiles: int = 0
    triangles: int = 0
    texture_bytes: int = 0
    bytes: int = 0
    levels: int = 0
    extent_deg: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    height_m: tuple[float, float] = (0.0, 0.0)
    ground_m: float = 0.0
    max_error_m: float = 0.0
    height_shift_m: float = 0.0
    folder: str = ""
    tileset: str = "tileset.json"


@dataclass(frozen=True, slots=True)
class _Catalogue:
    format: int
    layers: tuple[Layer, ...]


def check_layer(layer: Layer) -> None:
    """Refuse what a catalogue must not hold.

    Raises
    ------
    InputError : id, kind, level or date out of bounds
    """
    if not LAYER_ID.match(layer.id):
        raise InputError(f"layer id {layer.id!r}: use small letters, digits, - and _, at most 48")
    if layer.kind not in KINDS:
        raise InputError(f"layer {layer.id}: kind is {layer.kind!r}; one of {', '.join(KINDS)}")
    if not 1 <= layer.cim_level <= 7:
        raise InputError(f"layer {layer.id}: CIM level is {layer.cim_level}; it goes from 1 to 7")
    if layer.captured:
        try:
            date.fromisoformat(layer.captured)
        except ValueError as e:
            raise InputError(f"layer {layer.id}: capture date {layer.captured!r}; write 2026-05-31") from e


def tiles_folder(county: Path) -> Path:
    """Folder of the county's tiles."""
    return county / "tiles"


def read_catalogue(county: Path) -> tuple[Layer, ...]:
    """Return the layers of a county folder; none where there is no catalogue.

    Raises
    ------
    InputError : the catalogue is not what this program writes
    """
    path = tiles_folder(county) / CATALOGUE
    try:
        doc = msgspec.json.decode(path.read_bytes(), type=_Catalogue)
    except FileNotFoundError:
        return ()
    except msgspec.MsgspecError as e:
        raise InputError(f"{path}: {e}; remove the file and import the layers again") from e
    if doc.format != FORMAT:
        raise InputError(f"{path}: format {doc.format}; this program reads {FORMAT}, bring it up to date")
    layers = doc.layers
    for layer in layers:
        check_layer(layer)
        if not re.match(rf"{layer.id}/[0-9a-f]{{16}}\Z", layer.folder) or layer.tileset != "tileset.json":
            raise InputError(f"{path}: layer {layer.id} names the folder {layer.folder!r}; import it again")
    return layers


def render_catalogue(layers: tuple[Layer, ...]) -> bytes:
    """Return the catalogue as the text of its file."""
    doc = {"format": FORMAT, "layers": [asdict(layer) for layer in layers]}
    return (json.dumps(doc, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def publish_layer(county: Path, layer: Layer, staged: Path) -> Layer:
    """Put the finished files of ``staged`` in the place of the layer's old ones.

    ``staged`` lies on the same disk (such as ``COUNTY/tiles/.importing-<id>/out``), holds ``tileset.json``
    at its top, and is moved. The catalogue is changed last; the old folder goes after that.

    Raises
    ------
    InputError : nothing to publish, or a bad layer
    """
    check_layer(layer)
    if not (staged / layer.tileset).is_file():
        raise InputError(f"{staged} has no {layer.tileset}: nothing to publish")
    base = tiles_folder(county)
    done = replace(layer, folder=f"{layer.id}/{digest_folder(staged)}")
    target = base / done.folder
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():  # the same files again
        shutil.rmtree(staged)
    else:
        staged.rename(target)
    with _alone(base):
        others = tuple(known for known in read_catalogue(county) if known.id != layer.id)
        _write(base, tuple(sorted((*others, done), key=lambda item: item.id)))
    for old in target.parent.iterdir():
        if old.name != target.name:
            shutil.rmtree(old, ignore_errors=True)
    return done


def drop_layer(county: Path, layer_id: str) -> None:
    """Take a layer out of the catalogue, then remove its files.

    Raises
    ------
    InputError : there is no such layer
    """
    base = tiles_folder(county)
    base.mkdir(exist_ok=True)
    with _alone(base):
        layers = read_catalogue(county)
        if layer_id not in {layer.id for layer in layers}:
            has = ", ".join(layer.id for layer in layers) or "none"
            raise InputError(f"there is no layer {layer_id!r}; the catalogue has: {has}")
        _write(base, tuple(layer for layer in layers if layer.id != layer_id))
    shutil.rmtree(base / layer_id, ignore_errors=True)


@contextmanager
def _alone(base: Path) -> Iterator[None]:
    """Hold the catalogue against other processes; the lock goes with the process."""
    with (base / ".lock").open("w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def _write(base: Path, layers: tuple[Layer, ...]) -> None:
    part = base / f".{CATALOGUE}.part"
    part.write_bytes(render_catalogue(layers))
    part.replace(base / CATALOGUE)


def list_files(folder: Path) -> Iterator[Path]:
    """Yield the files below ``folder`` in a fixed order."""
    yield from (p for p in sorted(folder.rglob("*")) if p.is_file())


def digest_folder(folder: Path) -> str:
    """Return 16 hex digits that change with any name or byte below ``folder``."""
    total = hashlib.sha256()
    for path in list_files(folder):
        with path.open("rb") as f:
            body = hashlib.file_digest(f, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()} {body}\n".encode())
    return total.hexdigest()[:16]
