import json
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from ingest.tiles.catalogue import read_catalogue
from ingest.tiles.frames import CountyFrame
from ingest.tiles.importer import import_tiles
from ingest.tiles.pictures import mean_colour
from ingest.tiles.report import Report
from ingest.tiles.run import Wish
from ingest.tiles.tileset import read_tileset
from ingest.tiles.words import obey, read_triple
from ingest.words import _parser
from tests.tiles.look import County, check_photograph, look, to_enu
from tests.tiles.make import (
    PBR,
    ROWS,
    SQUARE,
    WEBGL,
    leaf,
    legacy,
    make_county,
    make_glb1,
    make_jpeg,
    make_square,
    write_tree,
)
from twin.model.errors import ConfigError, CountyError, InputError

SAMPLES = Path(__file__).with_name("samples")
ROOT = Path(__file__).resolve().parents[2]
Bring = Callable[..., Report]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[float, float]]:
    return make_county(tmp_path_factory.mktemp("tiles") / "county")


@pytest.fixture
def bring(county: tuple[Path, tuple[float, float]], tmp_path: Path) -> Bring:
    def run(source: Path, **more: Any) -> Report:
        return import_tiles(Wish(source, county[0], "a", workers=1, **more), lambda _: None)

    return run


KINDS: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "technique webgl in b3dm, z-up": (
        "a.b3dm", legacy(b"b3dm", {"BATCH_LENGTH": 1}, b"", make_square(
            WEBGL, make_jpeg(), turn=False, extensionsRequired=["KHR_technique_webgl"])),
        {"gltfUpAxis": "Z"}),
    "glTF 1.0 with materials common": (
        "a.b3dm", legacy(b"b3dm", {"BATCH_LENGTH": 0}, b"", make_glb1(make_jpeg())), {}),
    "a technique of one's own, glTF 2.0": (
        "a.glb", make_square({"values": {"u_myMap": {"index": 0}}}, make_jpeg()), {}),
    "plain glb, lit": ("a.glb", make_square(PBR, make_jpeg()), {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_generation_of_gltf_lies_where_it_should_in_its_colours(
    kind: str, county: tuple[Path, tuple[float, float]], bring: Bring, tmp_path: Path
) -> None:
    name, data, asset = KINDS[kind]
    source = write_tree(tmp_path / "in", county[1], {"children": [leaf(name)]}, **asset)
    (source / name).write_bytes(data)
    report = bring(source, captured="2026-05-31", licence="CC0")
    ((file, parts, ecef),) = look(county[0])
    assert file.endswith(".glb")
    enu = to_enu(county, ecef)
    assert enu.min(axis=0) == pytest.approx([0, 0, 400], abs=1e-3)
    assert enu.max(axis=0) == pytest.approx([10, 20, 404], abs=1e-3)
    check_photograph(parts[0], (150, 110, 70))
    assert report.triangles == sum(len(p.triangles) for p in parts)
    assert report.height_m == pytest.approx((400, 404), abs=0.01)
    layer = read_catalogue(county[0])[0]
    assert (layer.captured, layer.licence, layer.tiles) == ("2026-05-31", "CC0", 1)


def test_composites_instances_and_points_keep_their_centres(
    county: tuple[Path, tuple[float, float]], bring: Bring, tmp_path: Path
) -> None:
    square = make_square(PBR, make_jpeg())
    far = [1000.0, 2000.0, 5.0]
    b3dm = legacy(b"b3dm", {"BATCH_LENGTH": 0, "RTC_CENTER": far}, b"", square)
    places = np.array([[0, 0, 0], [50, 0, 0]], "<f4").tobytes()
    turned = {"NORMAL_UP": [[0, 1, 0], [1, 0, 0]], "NORMAL_RIGHT": [[1, 0, 0], [0, -1, 0]]}
    table = {"INSTANCES_LENGTH": 2, "POSITION": {"byteOffset": 0}, "RTC_CENTER": far} | turned
    i3dm = legacy(b"i3dm", table, places, square, 1)
    cmpt = struct.pack("<4sIII", b"cmpt", 1, 16 + len(b3dm) + len(i3dm), 2) + b3dm + i3dm
    body = SQUARE.tobytes() + bytes([200, 10, 30] * 4)
    points = {"POINTS_LENGTH": 4, "POSITION": {"byteOffset": 0}, "RGB": {"byteOffset": 48}}
    source = write_tree(tmp_path / "in", county[1], {"children": [leaf("a.cmpt"), leaf("b.pnts")]})
    (source / "a.cmpt").write_bytes(cmpt)
    (source / "b.pnts").write_bytes(legacy(b"pnts", points, body, b""))
    report = bring(source)
    by_kind = {
        parts[0].triangles is None: (parts, to_enu(county, ecef)) for _, parts, ecef in look(county[0])
    }
    _, enu = by_kind[False]
    # The second instance is turned: its own x goes to -y, its own y to x.
    assert enu.min(axis=0) == pytest.approx([1000, 1990, 405], abs=2e-3)
    assert enu.max(axis=0) == pytest.approx([1070, 2020, 409], abs=2e-3)
    assert report.triangles == 6 and report.points == 4
    cloud, enu = by_kind[True]
    assert cloud[0].colours is not None and cloud[0].colours[0].tolist() == [200, 10, 30, 255]
    assert enu.max(axis=0) == pytest.approx([10, 20, 404], abs=1e-3)


def test_draco_meshopt_and_ktx2_come_out_plain(
    county: tuple[Path, tuple[float, float]], bring: Bring, tmp_path: Path
) -> None:
    from tests.tiles.packed import make_draco, make_meshopt

    photo = (SAMPLES / "photo.ktx2").read_bytes()
    basisu = {"textures": [{"extensions": {"KHR_texture_basisu": {"source": 0}}}],
              "extensionsRequired": ["KHR_texture_basisu"]}  # fmt: skip
    names = ("draco.glb", "meshopt.glb", "ktx2.glb")
    source = write_tree(tmp_path / "in", county[1], {"children": [leaf(n) for n in names]}, "1.1")
    (source / names[0]).write_bytes(make_draco(make_jpeg()))
    (source / names[1]).write_bytes(make_meshopt(make_jpeg()))
    (source / names[2]).write_bytes(make_square(PBR, photo, "image/ktx2", **basisu))
    report = bring(source)
    assert report.tiles == 3 and report.triangles == 6
    for _, parts, ecef in look(county[0]):
        enu = to_enu(county, ecef)
        assert enu.max(axis=0) == pytest.approx([10, 20, 404], abs=0.02)
        (picture,) = {p.material.picture for p in parts}
        assert picture.mime == "image/jpeg"
        mean, spread = mean_colour(picture)
        assert np.ptp(mean) > 8 and spread.min() > 1  # neither grey nor one colour
        assert set(parts[0].triangles.ravel().tolist()) == set(ROWS.tolist())


def test_implicit_tiles_become_explicit_ones(
    county: tuple[Path, tuple[float, float]], bring: Bring, tmp_path: Path
) -> None:
    root = {
        "content": {"uri": "c/{level}_{x}_{y}.glb"}, "refine": "REPLACE",
        "implicitTiling": {"subdivisionScheme": "QUADTREE", "subtreeLevels": 2, "availableLevels": 3,
                           "subtrees": {"uri": "s/{level}_{x}_{y}.subtree"}},
    }  # fmt: skip
    source = write_tree(tmp_path / "in", county[1], root, "1.1")
    (source / "s").mkdir()
    (source / "c").mkdir()
    doc = {"buffers": [{"byteLength": 1}], "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": 1}],
           "tileAvailability": {"bitstream": 0}, "contentAvailability": [{"bitstream": 0}],
           "childSubtreeAvailability": {"constant": 0}}  # fmt: skip
    deeper = {"buffers": [{"byteLength": 3, "uri": "s/bits.bin"}],
              "bufferViews": [{"buffer": 0, "byteOffset": i, "byteLength": n} for i, n in ((0, 1), (1, 2))],
              "tileAvailability": {"bitstream": 0}, "contentAvailability": [{"bitstream": 0}],
              "childSubtreeAvailability": {"bitstream": 1}}  # fmt: skip
    # Root and its children 0 and 3; below child 3 the place 3, which is (3, 3) of level 2.
    (source / "s" / "bits.bin").write_bytes(bytes([0b10011, 0, 0b10000000]))
    (source / "s" / "0_0_0.subtree").write_text(json.dumps(deeper))
    text = json.dumps(doc).encode() + b" " * 5
    (source / "s" / "2_3_3.subtree").write_bytes(
        struct.pack("<4sIQQ", b"subt", 1, len(text), 1) + text + b"\x01"
    )
    for name in ("0_0_0", "1_0_0", "1_1_1", "2_3_3"):
        (source / "c" / f"{name}.glb").write_bytes(make_square(PBR, make_jpeg()))
    report = bring(source)
    assert report.tiles == 4 and report.levels == 3 and report.refused == []


def test_the_tree_keeps_its_shape_and_errors_fall(
    county: tuple[Path, tuple[float, float]], bring: Bring, tmp_path: Path
) -> None:
    inner = leaf("b.glb", 4, children=[leaf("c.glb"), leaf("more.json", 2)])
    source = write_tree(
        tmp_path / "in", county[1], {"refine": "ADD", "children": [leaf("a.glb", 1, children=[inner])]}
    )
    more = {"asset": {"version": "1.0"}, "geometricError": 2, "root": leaf("d.glb", 0.5)}
    (source / "more.json").write_text(json.dumps(more))
    for name in "abcd":
        (source / f"{name}.glb").write_bytes(make_square(PBR, make_jpeg()))
    report = bring(source)
    assert report.tiles == 4 and report.levels == 3
    folder = county[0] / "tiles" / read_catalogue(county[0])[0].folder
    top = read_tileset(folder / "tileset.json")
    assert top.transform is not None and top.transform == pytest.approx(CountyFrame(county[1]).matrix)
    tiles = list(read_tileset(folder / "s0.json").walk())
    assert [t.error_m for t in tiles] == [8, 4, 4, 0, 2]  # a coarser tile never says less than a finer one
    assert tiles[0].refine == "ADD" and (folder / "s1.json").is_file()


def break_one(source: Path, name: str) -> None:
    good = make_square(PBR, make_jpeg())
    files = {
        "cut off": good[:-100],
        "no tile": b"<html>404</html>" * 3,
        "damaged": make_square(PBR, make_jpeg()[:200]),
        "is not there": None,
        "leads out": None,
        "only files beside it": None,
        "names vertex": make_square(PBR, make_jpeg(), accessors=[
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5126, "count": 3, "type": "VEC2"},
            {"bufferView": 2, "componentType": 5123, "count": 6, "type": "SCALAR"}]),
        "2000000000": make_square(PBR, make_jpeg(), accessors=[
            {"bufferView": 0, "componentType": 5126, "count": 2_000_000_000, "type": "VEC3"}] * 3),
        "picture.*is not there": make_square(PBR, b"", images=[{"uri": "gone.jpg"}]),
        "drawn grey": make_square({"values": {"colour": [1, 1, 1]}}, make_jpeg()),
        "without TEXCOORD_1": make_square(
            {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0, "texCoord": 1}}}, make_jpeg()),
        "EXT_mesh_gpu": make_square(PBR, make_jpeg(), extensionsRequired=["EXT_mesh_gpu_instancing"]),
    }  # fmt: skip
    if (data := files[name]) is not None:
        (source / "bad.glb").write_bytes(data)


BROKEN = {
    "cut off": "bad.glb", "no tile": "bad.glb", "damaged": "bad.glb", "is not there": "bad.glb",
    "leads out": "../../../etc/passwd", "only files beside it": "https://example.org/a.glb",
    "names vertex": "bad.glb", "2000000000": "bad.glb", "EXT_mesh_gpu": "bad.glb",
    "drawn grey": "bad.glb", "without TEXCOORD_1": "bad.glb",
}  # fmt: skip


@pytest.mark.parametrize("why", list(BROKEN))
def test_a_broken_tile_is_named_and_the_old_layer_stays(
    why: str, county: tuple[Path, tuple[float, float]], bring: Bring, tmp_path: Path
) -> None:
    source = write_tree(tmp_path / "in", county[1], {"children": [leaf("good.glb")]})
    (source / "good.glb").write_bytes(make_square(PBR, make_jpeg()))
    bring(source)
    before = read_catalogue(county[0])
    write_tree(source, county[1], {"children": [leaf("good.glb"), leaf(BROKEN[why])]})
    break_one(source, why)
    with pytest.raises(CountyError, match=why) as said:
        bring(source)
    assert ("bad.glb" in str(said.value)) == (BROKEN[why] == "bad.glb") and "--skip-broken" in str(said.value)
    assert read_catalogue(county[0]) == before and len(look(county[0])) == 1
    report = bring(source, skip_broken=True)
    assert report.tiles == 1 and len(report.refused) == 1 and why in report.to_text()


def test_a_broken_finest_tile_leaves_the_coarser_one_in_its_place(
    county: County, bring: Bring, tmp_path: Path
) -> None:
    fine = [leaf("b.glb"), leaf("bad.glb")]
    pair = leaf("a.glb", 4, refine="REPLACE", children=fine)
    source = write_tree(tmp_path / "in", county[1], {"children": [pair, leaf("c.glb", 1)]})
    for name in "abc":
        (source / f"{name}.glb").write_bytes(make_square(PBR, make_jpeg()))
    (source / "bad.glb").write_bytes(b"glTF")
    report = bring(source, skip_broken=True)
    folder = county[0] / "tiles" / read_catalogue(county[0])[0].folder
    top = read_tileset(folder / "s0.json")
    assert [len(child.children) for child in top.children] == [0, 0] and len(look(county[0])) == 2
    assert top.children[0].error_m == 0.0 and report.levels == 1


def test_a_tileset_that_names_itself_is_refused(
    county: tuple[Path, tuple[float, float]], bring: Bring, tmp_path: Path
) -> None:
    source = write_tree(tmp_path / "in", county[1], {"children": [leaf("more.json")]})
    more = {"asset": {"version": "1.0"}, "geometricError": 2, "root": leaf("tileset.json")}
    (source / "more.json").write_text(json.dumps(more))
    with pytest.raises(CountyError, match="names itself"):
        bring(source)


def test_a_tileset_without_a_place_asks_for_one(
    county: tuple[Path, tuple[float, float]], bring: Bring, tmp_path: Path
) -> None:
    doc = {"asset": {"version": "1.0"}, "geometricError": 2, "root": leaf("a.glb")}
    (tmp_path / "tileset.json").write_text(json.dumps(doc))
    (tmp_path / "a.glb").write_bytes(make_square(PBR, make_jpeg()))
    with pytest.raises(InputError, match="ENU:"):
        bring(tmp_path)
    lon, lat = county[1]
    bring(tmp_path, crs=f"ENU:{lat},{lon},300", shift_m=7.0)
    assert to_enu(county, look(county[0])[0][2]).min(axis=0) == pytest.approx([0, 0, 307], abs=1e-3)


def test_500_tiles_come_in_and_a_second_run_of_an_interrupted_import_goes_on(
    county: tuple[Path, tuple[float, float]], tmp_path: Path
) -> None:
    square = make_square(PBR, make_jpeg(side=16))
    names = [f"{i}.glb" for i in range(500)]
    source = write_tree(tmp_path / "in", county[1], {"children": [leaf(n) for n in names]})
    for name in names:
        (source / name).write_bytes(square)
    count = 0

    class Stop(BaseException):
        pass

    def say(_: str) -> None:
        nonlocal count
        count += 1
        raise Stop

    wish = Wish(source, county[0], "many", workers=1)
    with pytest.raises(Stop):
        import_tiles(wish, say)
    assert not any(layer.id == "many" for layer in read_catalogue(county[0]))
    report = import_tiles(wish, lambda _: None)
    assert report.tiles == 500 and report.resumed == 16
    assert not (county[0] / "tiles" / ".importing-many").exists()


def test_the_words_of_a_person_lead_to_a_layer_a_list_and_an_end(
    county: County, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_tree(tmp_path / "城关 2026", county[1], {"children": [leaf("a.glb")]})
    (source / "a.glb").write_bytes(make_square(PBR, make_jpeg()))
    into = ["--into", str(county[0])]
    told = _parser().parse_args(
        ["tiles", "import", str(source), *into, "--workers", "1", "--title", "城关", "--json"]
    )
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    try:
        obey(told, tmp_path)
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)
    assert json.loads(capsys.readouterr().out)["tiles"] == 1
    (county[0] / "tiles" / ".importing-half").mkdir()
    (county[0] / "tiles" / ".importing-half" / "recipe.json").write_text("{}")
    obey(_parser().parse_args(["tiles", "list", *into]), tmp_path)
    said = capsys.readouterr().out
    assert "2026  城关  1 tiles" in said and "half  unfinished" in said
    obey(_parser().parse_args(["tiles", "drop", "2026", *into]), tmp_path)
    assert not any(layer.id == "2026" for layer in read_catalogue(county[0]))
    with pytest.raises(ConfigError, match="three numbers"):
        read_triple("1,2")


def test_a_killed_import_leaves_nothing_behind_and_goes_on_where_it_was(
    county: County, tmp_path: Path
) -> None:
    names = [f"{i}.glb" for i in range(200)]
    source = write_tree(tmp_path / "in", county[1], {"children": [leaf(n) for n in names]})
    (source / names[0]).write_bytes(make_square(PBR, make_jpeg(side=600)))
    for name in names[1:]:
        (source / name).hardlink_to(source / names[0])
    tiles = county[0] / "tiles"
    command = [sys.executable, "-m", "ingest", "tiles", "import", str(source), "--into", str(county[0])]
    with (tmp_path / "said").open("w") as said:
        process = psutil.Popen(
            [*command, "--layer", "killed", "--workers", "2"], cwd=ROOT, stdout=said, stderr=said
        )
        for _ in range(1200):
            if process.poll() is not None or any((tiles / ".importing-killed" / "journal").glob("*.jsonl")):
                break
            time.sleep(0.02)
        children = process.children(recursive=True)
        process.kill()
        process.wait(10)
    assert children and process.returncode == -9, (tmp_path / "said").read_text()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert not any(layer.id == "killed" for layer in read_catalogue(county[0]))
    report = import_tiles(Wish(source, county[0], "killed", workers=1), lambda _: None)
    assert report.tiles == 200 and 0 < report.resumed < 200
    assert len(look(county[0], "killed")) == 200
