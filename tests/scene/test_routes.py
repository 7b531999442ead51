import gzip
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from app.scene import scene_component
from app.scene.texts import SCENE_TEXTS
from tests.scene.page import Client, make_page, serve
from twin.model.county import County


@pytest.fixture(scope="module")
def client(county: County) -> Iterator[Client]:
    with serve(make_page(county)) as base:
        yield Client(base)


@pytest.fixture(scope="module")
def spec(client: Client) -> dict[str, Any]:
    return client.get("/scene/spec.json?lang=zh&theme=dark&view=heating").json()


def _slots(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "@@buffer" in node:
            yield node
        for value in node.values():
            yield from _slots(value)
    elif isinstance(node, list):
        for value in node:
            yield from _slots(value)


def _layer(spec: dict[str, Any], layer_id: str) -> dict[str, Any]:
    return next(layer for layer in spec["layers"] if layer["id"] == layer_id)


def test_the_spec_is_plain_json_without_a_base_map(client: Client) -> None:
    text = client.get("/scene/spec.json").text
    spec = json.loads(text)
    assert "NaN" not in text
    assert "http" not in text
    assert "mapProvider" not in spec or spec["mapProvider"] is None
    assert "mapStyle" not in spec or spec["mapStyle"] is None
    assert spec["views"][0]["@@type"] == "MapView"


def test_layers_are_drawn_from_the_ground_up(spec: dict[str, Any]) -> None:
    ids = [layer["id"] for layer in spec["layers"]]
    assert ids == [
        "ground", "water", "roads", "shadows", "pipes.return", "pipes.supply", "buildings",
        "pipes.return.hidden", "pipes.supply.hidden",
    ]  # fmt: skip


def test_every_slot_lies_inside_its_buffer(client: Client, spec: dict[str, Any]) -> None:
    sizes = {name: len(client.get(url).content) for name, url in spec["scene"]["buffers"].items()}
    slots = list(_slots(spec["layers"]))
    assert slots
    for slot in slots:
        width = slot.get("planes", np.dtype(slot["dtype"]).itemsize)
        end = slot["offset"] + slot["length"] * width
        assert slot["offset"] % 4 == 0
        assert end <= sizes[slot["@@buffer"]]


def test_buffers_hold_the_rows_of_the_county(client: Client, spec: dict[str, Any], county: County) -> None:
    packs = {name: client.get(url).content for name, url in spec["scene"]["buffers"].items()}

    def read(slot: dict[str, Any]) -> np.ndarray:
        assert "planes" not in slot
        return np.frombuffer(packs[slot["@@buffer"]], slot["dtype"], slot["length"], slot["offset"])

    buildings = _layer(spec, "buildings")
    assert buildings["data"]["length"] == len(county.buildings)
    assert len(read(buildings["paint"]["value"])) == len(county.buildings)
    heated = np.isfinite(read(buildings["paint"]["value"]))
    assert heated.tolist() == [b.heated for b in county.buildings]
    for side in ("supply", "return"):
        pipes = _layer(spec, f"pipes.{side}")
        rows = read(pipes["row"])
        assert {county.network.pipes[i].side.value for i in rows} == {side}
        starts = read(pipes["data"]["startIndices"])
        assert len(starts) == len(rows) + 1
        path = pipes["data"]["attributes"]["getPath"]
        assert 3 * starts[-1] == path["length"]


def test_addresses_with_a_hash_are_cached_for_ever(client: Client, spec: dict[str, Any]) -> None:
    scene = spec["scene"]
    for url in (*scene["buffers"].values(), scene["tables"], *scene["pictures"].values(), scene["renderer"]):
        answer = client.get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        again = client.get(url, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


def test_an_old_hash_is_not_cached_for_ever(client: Client, spec: dict[str, Any]) -> None:
    url = spec["scene"]["buffers"]["pipes"].split("?")[0]
    for suffix in ("", "?v=0123456789abcdef"):
        assert client.get(url + suffix).headers["cache-control"] == "no-cache"


def test_buffers_travel_compressed(client: Client, spec: dict[str, Any]) -> None:
    url = spec["scene"]["buffers"]["buildings"]
    packed = client.get(url, headers={"Accept-Encoding": "gzip"})
    plain = client.get(url)
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed.content) == plain.content


@pytest.mark.parametrize(
    "path",
    [
        "/scene/buffers/../../pyproject.toml", "/scene/buffers/..%2f..%2fpyproject.toml",
        "/scene/buffers/%2e%2e/spec.py", "/scene/buffers/nothing.bin", "/scene/buffers//etc/passwd",
        "/scene/ground/..%2fdark.webp", "/scene/ground/none.webp", "/scene/vendor/index.js",
        "/scene/vendor/..%2f..%2fpackage.json",
    ],
)  # fmt: skip
def test_other_names_are_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("query", ["lang=xx", "theme=../dark", "view=%00", "lang=&theme=&view="])
def test_unknown_options_fall_back_to_the_first(client: Client, query: str) -> None:
    scene = client.get(f"/scene/spec.json?{query}").json()["scene"]
    assert (scene["lang"], scene["theme"], scene["view"]) == ("zh", "dark", "heating")


def test_the_spec_speaks_both_languages(client: Client) -> None:
    zh = client.get("/scene/spec.json?lang=zh").json()["scene"]["texts"]
    en = client.get("/scene/spec.json?lang=en").json()["scene"]["texts"]
    assert zh["supply"] == "供水"
    assert en["supply"] == "Supply"
    assert set(zh) == set(en)


def test_every_word_has_two_languages() -> None:
    for key, words in SCENE_TEXTS.items():
        assert key.startswith("scene.")
        assert len(words) == 2
        assert all(w.strip() for w in words)


def test_the_renderer_asks_for_no_source_map(client: Client) -> None:
    text = client.get("/scene/vendor/deck.js").text
    assert "sourceMappingURL" not in text[-300:]


def test_the_component_carries_its_options_as_attributes() -> None:
    box = scene_component("map", view="overview", lang="en", controls=False, legend=True).to_plotly_json()
    props = box["props"]
    assert props["id"] == "map"
    assert props["data-scene"] == "overview"
    assert props["data-scene-controls"] == "0"
    assert props["data-scene-legend"] == "1"
    assert props["aria-label"] == "3D scene of the heat network"
