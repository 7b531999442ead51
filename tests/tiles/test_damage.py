"""Damaged files: a sentence with the file's name, never a trace, never a hang."""

import random
import struct
from pathlib import Path

import numpy as np
import pytest

from ingest.tiles.accessors import no_files
from ingest.tiles.implicit import Implicit, expand_subtree
from ingest.tiles.legacy import read_content
from ingest.tiles.osg_text import read_scene
from tests.tiles.make import PBR, SQUARE, WEBGL, legacy, make_glb1, make_jpeg, make_square
from tests.tiles.packed import make_draco, make_meshopt
from tests.tiles.survey import level
from twin.model.errors import InputError

SAMPLES = Path(__file__).with_name("samples")
MANY = 250
KINDS = {
    "webgl": lambda: make_square(WEBGL, make_jpeg(side=16), turn=False),
    "glb 1.0": lambda: make_glb1(make_jpeg(side=16)),
    "draco": lambda: make_draco(make_jpeg(side=16)),
    "meshopt": lambda: make_meshopt(make_jpeg(side=16)),
    "i3dm": lambda: legacy(
        b"i3dm", {"INSTANCES_LENGTH": 2, "POSITION": {"byteOffset": 0}}, bytes(24),
        make_square(PBR, make_jpeg(side=16)), 1),
    "pnts": lambda: legacy(
        b"pnts", {"POINTS_LENGTH": 4, "POSITION": {"byteOffset": 0}, "RGB": {"byteOffset": 48}},
        SQUARE.tobytes() + bytes(12), b""),
}  # fmt: skip


def damage(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 6))):
        at, how = chance.randrange(len(out)), chance.random()
        if how < 0.5:
            out[at] = chance.randrange(256)
        elif how < 0.7:
            out[chance.randrange(min(2500, len(out)))] = chance.choice(b'0123456789-[]{}",:ntfe')
        elif how < 0.8:
            del out[max(at, 1) :]
        elif how < 0.9:
            out[at:at] = chance.randbytes(chance.randrange(1, 9))
        else:
            number = struct.pack("<I", chance.choice((0, 2**32 - 1, 2**31 - 1, 2**20)))
            out[at : at + 4] = number[: len(out[at : at + 4])]
    return bytes(out)


@pytest.mark.parametrize("kind", list(KINDS))
def test_damage_is_told_in_a_sentence(kind: str) -> None:
    data, chance = KINDS[kind](), random.Random(kind)
    read_content(data, "whole", no_files)
    told = 0
    for _ in range(MANY):
        try:
            content = read_content(damage(data, chance), "Tile_7/a.b3dm", no_files)
            assert all(np.isfinite(part.positions).all() for part in content.parts)
        except InputError as e:
            told += 1
            assert str(e).startswith("Tile_7/a.b3dm")
    assert told > MANY // 4


def test_damaged_scene_texts_are_told() -> None:
    text = f"Group {{\n num_children 1\n{level('x', (0, 0, 1, 1, 0), 'b.osgb', 300, 'a.jpg')}}}\n"
    assert read_scene(text, "a.osgb")[0].file == "b.osgb"
    chance, told = random.Random(1), 0
    for _ in range(MANY):
        try:
            read_scene(damage(text.encode(), chance).decode("latin-1"), "a.osgb")
        except InputError as e:
            told += 1
            assert str(e).startswith("a.osgb")
    assert told > MANY // 10


def test_a_subtree_with_too_few_bits_or_bytes_is_told() -> None:
    tiling = Implicit(4, 3, 5, "s/{level}_{x}_{y}.subtree", ("c/{level}_{x}_{y}.glb",), 100.0, "REPLACE")
    doc = b'{"buffers":[{"byteLength":1}],"bufferViews":[{"buffer":0,"byteOffset":0,"byteLength":1}],'
    doc += b'"tileAvailability":{"bitstream":0},"childSubtreeAvailability":{"constant":0}}'
    whole = struct.pack("<4sIQQ", b"subt", 1, len(doc), 1) + doc + b"\x01"
    for data, why in (
        (whole, "21 bits are needed"),
        (whole[:-3], "cut off"),
        (whole[:10], "cut off"),
        (b"{", "JSON"),
    ):
        with pytest.raises(InputError, match=why):
            expand_subtree(tiling, (0, 0, 0, 0), lambda _, data=data: data, "tileset.json")
    huge = doc.replace(b'"byteLength":1}', b'"byteLength":1000000}')
    with pytest.raises(InputError, match="1000000 bytes"):
        expand_subtree(
            tiling, (0, 0, 0, 0), lambda _: struct.pack("<4sIQQ", b"subt", 1, len(huge), 1) + huge + b"1", "t"
        )


@pytest.mark.parametrize("name", ["photo.ktx2"])
def test_a_damaged_ktx2_is_told(name: str) -> None:
    data, chance = (SAMPLES / name).read_bytes(), random.Random(3)
    more = {"textures": [{"extensions": {"KHR_texture_basisu": {"source": 0}}}]}
    for _ in range(12):
        hurt = damage(data[:600], chance) + data[600 : chance.randrange(700, len(data))]
        try:
            read_content(make_square(PBR, hurt, "image/ktx2", **more), "a.glb", no_files)
        except InputError as e:
            assert str(e).startswith("a.glb (picture 0)")
