"""One OSGB file as surfaces: geometry through Debian's ``osgconv``, pictures as they lie in the file.

``osgconv`` would write pictures anew, larger and a little worse; a JPEG that lies in the file as a whole is
taken out byte for byte instead, and only other pictures go through it.
"""

import resource
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.tiles.glb import Material, Part, Picture
from ingest.tiles.osg_text import Surface, read_scene
from ingest.tiles.pictures import normalise_picture
from twin.model.errors import InputError

LIMIT_S = 120
MAX_CONV_BYTES = 4 << 30
"""Memory that one osgconv may take: a damaged length must not take the machine's."""
MAX_ERROR_PX = 16.0
"""Screen-space error at which viewers refine, by default; ranges of OSG are turned into errors with it."""
VIEW_PX = 935.3
"""Focal length in pixels of a screen 1080 px high that sees 60 degrees."""
HINTS = range(4)
INLINE_FILE = 1
"""After a picture's name: a write hint, then this mark where the whole file follows, then its length."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The surfaces of one level of detail, and the file with finer ones (empty: none)."""

    parts: list[Part]
    file: str
    error_m: float


def read_osgb(path: Path, name: str) -> list[Piece]:
    """Read a file; positions are as it gives them, z-up.

    Raises
    ------
    InputError : osgconv is missing or cannot read it, a picture is missing or damaged
    """
    program = shutil.which("osgconv")
    if program is None:
        raise InputError(
            "osgconv is not installed; it reads OSGB: apt-get install openscenegraph, then again"
        )
    with tempfile.TemporaryDirectory(prefix="county-twin-osgb-") as folder:
        work = Path(folder)
        text = _convert(program, path, work, "precision 9", name)
        levels = read_scene(text, name)
        wanted = {surface.picture for level in levels for surface in level.surfaces if surface.picture}
        pictures = _find_pictures(path, wanted, work, program, name)
    out = []
    for level in levels:
        parts = [_make_part(surface, pictures) for surface in level.surfaces]
        error = 0.0
        if level.file and level.switch > 0.0:
            across = 2.0 * level.radius_m / level.switch if level.on_screen else level.switch / VIEW_PX
            error = MAX_ERROR_PX * across
        out.append(Piece(parts, level.file.replace("\\", "/"), error))
    return out


def _convert(program: str, path: Path, work: Path, options: str, name: str) -> str:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MAX_CONV_BYTES, MAX_CONV_BYTES))

    out = work / "scene.osg"
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; the file's name is one argument
            [program, "-O", options, str(path.resolve()), out.name], cwd=work, capture_output=True,
            timeout=LIMIT_S, check=False, preexec_fn=limit, env=_environment(work),
        )  # fmt: skip
    except subprocess.TimeoutExpired as e:
        raise InputError(f"{name}: osgconv needed more than {LIMIT_S} s; export it again") from e
    said = done.stderr.decode(errors="replace").strip().splitlines()
    # It goes on without a picture that it cannot read, and the tile would be white without a word.
    bad = next((line for line in said if "readImage" in line or "Error reading file" in line), "")
    if bad:
        raise InputError(
            f"{name}: a picture cannot be read ({bad.strip()[:160]}); copy it beside, or export again"
        )
    if done.returncode != 0 or not out.is_file():
        why = said[-1] if said else f"exit {done.returncode}"
        raise InputError(f"{name}: osgconv cannot read it ({why[:160]}); copy or export it again")
    return out.read_text(encoding="utf-8", errors="replace")


def _environment(work: Path) -> dict[str, str]:
    """What osgconv sees: its own folder, and no way to a network that a file's names could lead to."""
    nowhere = "http://127.0.0.1:9"
    return {"PATH": "/usr/bin:/bin", "HOME": str(work), "TMPDIR": str(work), "LC_ALL": "C.UTF-8",
            "http_proxy": nowhere, "https_proxy": nowhere, "all_proxy": nowhere}  # fmt: skip


def _find_pictures(path: Path, wanted: set[str], work: Path, program: str, name: str) -> dict[str, Picture]:
    out: dict[str, Picture] = {}
    data = path.read_bytes() if wanted else b""
    for key in sorted(wanted):
        found = _take_inline(data, key)
        if found is None and (path.parent / Path(key).name).is_file():
            found = (path.parent / Path(key).name).read_bytes()
        if found is None:
            if not (work / Path(key).name).is_file():
                _convert(program, path, work, "precision 9 OutputTextureFiles", name)
            if not (work / Path(key).name).is_file():
                raise InputError(f"{name}: its picture {key} is not there; copy it beside the file")
            found = (work / Path(key).name).read_bytes()
        out[key] = normalise_picture(found, f"{name} (picture {key})")
    return out


def _take_inline(data: bytes, key: str) -> bytes | None:
    """Return the picture that lies in the file as a whole under this name."""
    mark = key.encode("utf-8", "surrogateescape")
    at = data.find(mark)
    while at >= 0 and at + len(mark) + 12 <= len(data):
        start = at + len(mark) + 12
        hint, kind, length = struct.unpack_from("<iiI", data, start - 12)
        if hint in HINTS and kind == INLINE_FILE and 0 < length <= len(data) - start:
            return data[start : start + length]
        at = data.find(mark, at + 1)
    return None


def _make_part(surface: Surface, pictures: dict[str, Picture]) -> Part:
    picture = pictures.get(surface.picture) if surface.uv is not None else None
    uv = None
    if picture is not None and surface.uv is not None:
        uv = np.column_stack([surface.uv[:, 0], 1.0 - surface.uv[:, 1]])
    colours = surface.colours if picture is None else None
    return Part(surface.positions, surface.triangles, Material(picture), uv, colours=colours)
