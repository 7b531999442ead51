"""Wavefront OBJ as photogrammetry writes it: vertices, texture coordinates, faces, materials, pictures."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.tiles.glb import Material, Part
from ingest.tiles.pictures import normalise_picture
from ingest.tiles.source import SourceFolder
from twin.model.errors import InputError

MAX_FACES = 60_000_000
READ_LINES = 1 << 22


@dataclass(slots=True)
class _Faces:
    """Corners of triangles of one material: rows of vertices and of texture coordinates."""

    vertices: "array[int]" = field(default_factory=lambda: array("i"))
    uvs: "array[int]" = field(default_factory=lambda: array("i"))


@dataclass(frozen=True, slots=True)
class _Said:
    """What a material library says of one material."""

    picture: str
    colour: tuple[float, float, float]


def read_obj(path: Path, folder: SourceFolder, tell: Callable[[int], None] = lambda _: None) -> list[Part]:
    """Read an OBJ with its materials; positions as they stand in the file, z-up.

    Parameters
    ----------
    tell : called now and then with the number of lines read

    Raises
    ------
    InputError : a line that is not understood, indices that lead nowhere, a picture that is missing
    """
    name = folder.name(path.resolve())
    xyz, uv = array("d"), array("d")
    faces: dict[str, _Faces] = {}
    now = faces.setdefault("", _Faces())
    library: dict[str, _Said] = {}
    try:
        with path.open("r", encoding="utf-8", errors="replace") as f:
            for number, line in enumerate(f, 1):
                words = line.split()
                key = words[0] if words else ""
                if key == "v":
                    xyz.extend((float(words[1]), float(words[2]), float(words[3])))
                elif key == "vt":
                    uv.extend((float(words[1]), float(words[2])))
                elif key == "f":
                    _add_face(now, words[1:], len(xyz) // 3, len(uv) // 2)
                elif key == "usemtl":
                    now = faces.setdefault(" ".join(words[1:]), _Faces())
                elif key == "mtllib":
                    file = folder.resolve(path.resolve().parent, " ".join(words[1:]), name)
                    library |= _read_library(file, folder)
                if number % READ_LINES == 0:
                    tell(number)
    except (ValueError, IndexError, OverflowError) as e:
        raise InputError(f"{name}: line {number}: {line.strip()[:60]!r} is not understood ({e})") from e
    positions = np.frombuffer(xyz, np.float64).reshape(-1, 3)
    coordinates = np.frombuffer(uv, np.float64).reshape(-1, 2)
    if sum(len(f.vertices) for f in faces.values()) > 3 * MAX_FACES:
        raise InputError(f"{name}: more than {MAX_FACES} triangles; split the file")
    return [
        _make_part(key, f, positions, coordinates, library, path.resolve().parent, folder, name)
        for key, f in faces.items() if len(f.vertices)
    ]  # fmt: skip


def _add_face(faces: _Faces, corners: list[str], n_xyz: int, n_uv: int) -> None:
    rows = []
    for corner in corners:
        pieces = corner.split("/")
        v = int(pieces[0])
        t = int(pieces[1]) if len(pieces) > 1 and pieces[1] else 0
        rows.append((v - 1 if v > 0 else n_xyz + v, t - 1 if t > 0 else (n_uv + t if t < 0 else -1)))
    for i in range(1, len(rows) - 1):
        for v, t in (rows[0], rows[i], rows[i + 1]):
            faces.vertices.append(v)
            faces.uvs.append(t)


def _read_library(path: Path, folder: SourceFolder) -> dict[str, _Said]:
    out: dict[str, _Said] = {}
    key, picture, colour = "", "", (1.0, 1.0, 1.0)
    text = folder.read(path).decode("utf-8", errors="replace")
    for line in [*text.splitlines(), "newmtl "]:
        words = line.split()
        if words[:1] == ["newmtl"]:
            if key:
                out[key] = _Said(picture, colour)
            key, picture, colour = " ".join(words[1:]), "", (1.0, 1.0, 1.0)
        elif words[:1] == ["map_Kd"]:
            picture = words[-1] if words[1].startswith("-") else " ".join(words[1:])
        elif words[:1] == ["Kd"] and len(words) >= 4:
            colour = (float(words[1]), float(words[2]), float(words[3]))
    return out


def _make_part(
    key: str, faces: _Faces, xyz: NDArray[np.float64], uv: NDArray[np.float64], library: dict[str, _Said],
    beside: Path, folder: SourceFolder, name: str,
) -> Part:  # fmt: skip
    corners = np.column_stack([np.frombuffer(faces.vertices, np.int32), np.frombuffer(faces.uvs, np.int32)])
    low, high = corners.min(axis=0), corners.max(axis=0)
    if low[0] < 0 or high[0] >= len(xyz) or high[1] >= len(uv):
        raise InputError(
            f"{name}: a face of material {key!r} names vertex {high[0] + 1} or texture {high[1] + 1}; "
            f"there are {len(xyz)} and {len(uv)}"
        )
    used, rows = np.unique(corners, axis=0, return_inverse=True)
    said = library.get(key, _Said("", (1.0, 1.0, 1.0)))
    material = Material(colour=(*said.colour, 1.0))
    places = None
    if said.picture and low[1] >= 0:
        file = folder.resolve(beside, said.picture.replace("\\", "/"), name)
        material = Material(normalise_picture(folder.read(file), folder.name(file)), repeat=True)
        places = np.column_stack([uv[used[:, 1], 0], 1.0 - uv[used[:, 1], 1]])
    return Part(xyz[used[:, 0]], rows.reshape(-1, 3), material, places)
