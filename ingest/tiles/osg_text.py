"""The text form of OpenSceneGraph scenes (``.osg``), as ``osgconv`` writes it, read into surfaces.

Only what surveys use is understood: groups, paged levels of detail, geometry with one texture.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.model.errors import InputError

Floats = NDArray[np.float64]
ARRAYS = ("VertexArray", "TexCoordArray", "ColorArray")
PRIMITIVES = ("DrawElementsUInt", "DrawElementsUShort", "DrawElementsUByte", "DrawArrayLengths")
SCREEN = "PIXEL_SIZE_ON_SCREEN"
MAX_DEPTH = 200


@dataclass(slots=True)
class Block:
    """``head { ... }``: the words before the brace, the lines and blocks inside."""

    head: list[str]
    lines: list[list[str]] = field(default_factory=list)
    blocks: list["Block"] = field(default_factory=list)
    numbers: list[str] | None = None

    def words(self, key: str) -> list[str]:
        """Return the words after ``key`` in the first line that begins with it."""
        return next((line[1:] for line in self.lines if line and line[0] == key), [])


@dataclass(slots=True)
class Surface:
    """Triangles with one texture. ``picture``: its file's name; ``uv`` has v = 0 at the lower edge."""

    positions: Floats
    triangles: NDArray[np.int64]
    uv: Floats | None
    colours: NDArray[np.uint8] | None
    picture: str


@dataclass(slots=True)
class Level:
    """A paged level of detail: its own surfaces, and the file with finer ones (empty: none).

    ``switch``: from which size on the screen (px across, ``on_screen``) or below which distance (m) the
    file is wanted.
    """

    radius_m: float
    file: str
    switch: float
    on_screen: bool
    surfaces: list[Surface]


def read_scene(text: str, name: str) -> list[Level]:
    """Return the levels of a scene; surfaces outside any level come as one without a file.

    Raises
    ------
    InputError : not such a text, or arrays that do not fit together
    """
    try:
        return _Scene(name).read(_parse(text, name))
    except (ValueError, IndexError) as e:
        raise InputError(f"{name}: its scene is not built as expected ({e}); export it again") from e


def _parse(text: str, name: str) -> Block:
    top = Block([])
    stack = [top]
    lines = text.split("\n")
    at, last = 0, len(lines)
    while at < last:
        line = lines[at].strip()
        at += 1
        if line == "}":
            if len(stack) == 1:
                raise InputError(f"{name}: a brace too many; export it again")
            stack.pop()
        elif line.endswith("{"):
            words = _split(line[:-1])
            if not words and stack[-1].lines:
                words = stack[-1].lines.pop()
            block = Block(words)
            stack[-1].blocks.append(block)
            stack.append(block)
            if len(stack) > MAX_DEPTH:
                raise InputError(f"{name}: nested deeper than {MAX_DEPTH}; export it again")
            if words and words[0] in ARRAYS + PRIMITIVES:
                end = at
                while end < last and "}" not in lines[end]:
                    end += 1
                block.numbers = " ".join(lines[at:end]).split()
                at = end
        elif line:
            stack[-1].lines.append(_split(line))
    return top


def _split(line: str) -> list[str]:
    """Words of a line; what stands in quotes is one."""
    out: list[str] = []
    for i, piece in enumerate(line.split('"')):
        out += [piece] if i % 2 else piece.split()
    return out


class _Scene:
    def __init__(self, name: str) -> None:
        self.name = name
        self.shared: dict[str, Block] = {}
        self.levels: list[Level] = []
        self.loose: list[Surface] = []

    def read(self, top: Block) -> list[Level]:
        self._keep(top)
        self._walk(top, np.eye(4), None)
        if self.loose:
            self.levels.append(Level(0.0, "", 0.0, True, self.loose))
        return self.levels

    def _keep(self, top: Block) -> None:
        """Remember blocks that others refer to by ``Use``."""
        stack = [top]
        while stack:
            block = stack.pop()
            if known := block.words("UniqueID"):
                self.shared[known[0]] = block
            stack += block.blocks

    def _walk(self, block: Block, matrix: Floats, level: Level | None) -> None:
        for child in block.blocks:
            kind = child.head[0] if child.head else ""
            if kind == "PagedLOD":
                self._read_level(child, matrix)
            elif kind == "Geometry":
                surface = self._read_geometry(child, matrix)
                if surface is not None:
                    (level.surfaces if level is not None else self.loose).append(surface)
            elif kind == "MatrixTransform":
                self._walk(child, matrix @ _read_matrix(child), level)
            elif kind in ("Group", "Geode", "LOD", "Transform"):
                self._walk(child, matrix, level)

    def _read_level(self, block: Block, matrix: Floats) -> None:
        files = next((b for b in block.blocks if b.head[:1] == ["FileNameList"]), None)
        ranges = next((b for b in block.blocks if b.head[:1] == ["RangeList"]), None)
        names = [" ".join(line) for line in files.lines] if files is not None else []
        number = next((i for i, file in enumerate(names) if file.strip()), -1)
        limits = [tuple(map(float, line[:2])) for line in ranges.lines] if ranges is not None else []
        on_screen = (block.words("RangeMode") or ["DISTANCE_FROM_EYE_POINT"])[0] == SCREEN
        switch = 0.0
        if 0 <= number < len(limits):
            switch = limits[number][0 if on_screen else 1]
        radius = float((block.words("Radius") or ["0"])[0])
        level = Level(radius, names[number] if number >= 0 else "", switch, on_screen, [])
        self.levels.append(level)
        self._walk(block, matrix, level)

    def _read_geometry(self, block: Block, matrix: Floats) -> Surface | None:
        arrays = {b.head[0] if b.head[0] != "TexCoordArray" else "".join(b.head[:2]): b
                  for b in block.blocks if b.head and b.head[0] in ARRAYS}  # fmt: skip
        if "VertexArray" not in arrays:
            return None
        xyz = _floats(arrays["VertexArray"], 3)
        xyz = xyz @ matrix[:3, :3].T + matrix[:3, 3]
        uv = _floats(arrays["TexCoordArray0"], 2) if "TexCoordArray0" in arrays else None
        sets = next((b for b in block.blocks if b.head[:1] == ["PrimitiveSets"]), None)
        rows = [_triangles(b.head, b.numbers or []) for b in sets.blocks] if sets is not None else []
        rows += [_triangles(line, []) for line in sets.lines] if sets is not None else []
        triangles = np.concatenate(rows) if rows else np.zeros((0, 3), np.int64)
        if not len(triangles) or not len(xyz):
            return None
        if int(triangles.max()) >= len(xyz) or int(triangles.min()) < 0 or not np.isfinite(xyz).all():
            raise ValueError(f"triangles name vertex {triangles.max()}, there are {len(xyz)}")
        if uv is not None and len(uv) != len(xyz):
            raise ValueError(f"{len(uv)} texture coordinates for {len(xyz)} vertices")
        return Surface(xyz, triangles, uv, _colours(arrays.get("ColorArray"), len(xyz)), self._picture(block))

    def _picture(self, geometry: Block) -> str:
        """File name of the texture in unit 0, empty where there is none."""
        states = [b for b in geometry.blocks if b.head[:1] == ["StateSet"]]
        states += [self.shared[line[1]] for line in geometry.lines
                   if line[:1] == ["Use"] and len(line) > 1 and line[1] in self.shared]  # fmt: skip
        stack = states
        while stack:
            block = stack.pop()
            if block.head[:1] == ["textureUnit"] and block.head[1:2] != ["0"]:
                continue
            if block.head[:1] == ["Texture2D"] and (file := block.words("file")):
                return file[0]
            stack += block.blocks
            stack += [self.shared[line[1]] for line in block.lines
                      if line[:1] == ["Use"] and len(line) > 1 and line[1] in self.shared]  # fmt: skip
        return ""


def _read_matrix(block: Block) -> Floats:
    inner = next((b for b in block.blocks if b.head[:1] == ["Matrix"]), None)
    if inner is None:
        return np.eye(4)
    return np.array([list(map(float, line)) for line in inner.lines]).reshape(4, 4).T


def _floats(block: Block, width: int) -> Floats:
    flat = np.array(block.numbers or [], np.float64)
    found = 2 if "Vec2" in "".join(block.head) else 4 if "Vec4" in "".join(block.head) else 3
    return flat.reshape(-1, found)[:, :width]


def _colours(block: Block | None, count: int) -> NDArray[np.uint8] | None:
    if block is None:
        return None
    values = _floats(block, 4)
    if len(values) != count or values.shape[1] != 4:
        return None  # one colour for all: the material's
    top = 1.0 if "ub" in "".join(block.head) else 255.0
    return np.clip(values * top, 0, 255).astype(np.uint8)


def _triangles(head: list[str], numbers: list[str]) -> NDArray[np.int64]:
    none = np.zeros((0, 3), np.int64)
    if len(head) < 3:
        return none
    kind, mode = head[0], head[1]
    if kind == "DrawArrays":
        runs = [np.arange(int(head[3])) + int(head[2])] if len(head) > 3 else []
    elif kind == "DrawArrayLengths":
        at, runs = int(head[2]), []
        for length in map(int, numbers):
            runs.append(np.arange(length) + at)
            at += length
    else:
        runs = [np.array(numbers, np.int64)]
    return np.concatenate([none, *(_cut(run, mode) for run in runs)])


def _cut(run: NDArray[Any], mode: str) -> NDArray[Any]:
    if mode == "TRIANGLES":
        return run[: len(run) // 3 * 3].reshape(-1, 3)
    if mode == "QUADS":
        q = run[: len(run) // 4 * 4].reshape(-1, 4)
        return np.concatenate([q[:, [0, 1, 2]], q[:, [0, 2, 3]]])
    if mode in ("TRIANGLE_FAN", "POLYGON") and len(run) > 2:
        return np.stack([np.full(len(run) - 2, run[0]), run[1:-1], run[2:]], axis=1)
    if mode in ("TRIANGLE_STRIP", "QUAD_STRIP") and len(run) > 2:
        out = np.stack([run[:-2], run[1:-1], run[2:]], axis=1)
        out[1::2] = out[1::2, [1, 0, 2]]
        return out
    return np.zeros((0, 3), np.int64)
