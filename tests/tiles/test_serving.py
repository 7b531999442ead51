import gzip
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware

from app.scene.tiles import register_tile_routes
from ingest.tiles.catalogue import Layer, publish_layer
from tests.scene.page import Client, serve

GLB = bytes(range(256)) * 40
GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, str]]:
    county = tmp_path_factory.mktemp("county")
    (county / "secret.json").write_text("{}")
    out = county / "tiles" / ".importing-a" / "out"
    (out / "t").mkdir(parents=True)
    (out / "tileset.json").write_text('{"asset": {"version": "1.1"}}' + " " * 3000)
    (out / "t" / "1.glb").write_bytes(GLB)
    (out / "t" / "2.glb").write_bytes(GLB)
    (out / "t" / "2.glb.gz").write_bytes(gzip.compress(GLB))
    (out / "t" / "out.json").symlink_to(county / "secret.json")
    layer = publish_layer(county, Layer("xijie", "西街"), out)
    (county / "tiles" / "xijie" / "report.json").write_text("{}")
    app = FastAPI()
    app.add_middleware(GZipMiddleware, minimum_size=500)
    register_tile_routes(app, county)
    with serve(app) as base:
        yield Client(base), f"/scene/tiles/{layer.folder}"


def test_the_catalogue_is_asked_for_again_and_tiles_are_kept_for_ever(served: tuple[Client, str]) -> None:
    client, base = served
    said = client.get("/scene/tiles/catalogue.json")
    assert said.json()["layers"][0]["title"] == "西街" and said.headers["cache-control"] == "no-cache"
    again = client.get("/scene/tiles/catalogue.json", headers={"If-None-Match": said.headers["etag"]})
    assert again.status_code == 304
    tile = client.get(f"{base}/t/1.glb")
    assert tile.content == GLB and tile.headers["content-type"] == "model/gltf-binary"
    assert "immutable" in tile.headers["cache-control"] and "private" in tile.headers["cache-control"]
    assert client.get(f"{base}/t/1.glb", headers={"If-None-Match": tile.headers["etag"]}).status_code == 304
    assert client.get(f"{base}/tileset.json", GZIP).headers["content-encoding"] == "gzip"


def test_a_packed_copy_is_sent_and_pictures_are_not_packed_twice(served: tuple[Client, str]) -> None:
    client, base = served
    packed = client.get(f"{base}/t/2.glb", GZIP)
    assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.content) == GLB
    assert int(packed.headers["content-length"]) < len(GLB)
    assert client.get(f"{base}/t/1.glb", GZIP).headers["content-encoding"] == "identity"
    plain = client.get(f"{base}/t/2.glb", {"Accept-Encoding": "identity"})
    assert plain.headers["content-encoding"] == "identity" and plain.content == GLB


def test_ranges_are_of_the_plain_file(served: tuple[Client, str]) -> None:
    client, base = served
    part = client.get(f"{base}/t/2.glb", GZIP | {"Range": "bytes=256-259"})
    assert part.status_code == 206 and part.content == GLB[256:260]
    assert part.headers["content-range"] == f"bytes 256-259/{len(GLB)}"
    assert client.get(f"{base}/t/2.glb", headers={"Range": "bytes=999999-"}).status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        "../report.json",
        "..%2freport.json",
        "%2e%2e/%2e%2e/%2e%2e/secret.json",
        "t/../../../../secret.json",
        "t/out.json",
        "t%5c..%5csecret.json",
        "/etc/passwd",
        "t/1.glb%00.json",
        "t/2.glb.gz",
        "t/",
        "t/" + "a/" * 300 + "1.glb",
    ],
)
def test_nothing_outside_a_layer_can_be_reached(served: tuple[Client, str], path: str) -> None:
    client, base = served
    assert client.get(f"{base}/{path}").status_code == 404


@pytest.mark.parametrize("folder", ["../x", ".importing-a/out", "xijie/" + "0" * 16, "xijie/..", "XIJIE/x"])
def test_folders_that_are_no_layer_are_not_there(served: tuple[Client, str], folder: str) -> None:
    assert served[0].get(f"/scene/tiles/{folder}/tileset.json").status_code == 404
