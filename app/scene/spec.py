"""The layer spec: which layers there are, in what order, from which buffers, in which colours.

Made with pydeck's classes and written as JSON. Layer ids and ``role`` are engine-neutral (``pipes.supply``,
``buildings``); the ``@@type`` names are deck.gl's. Another renderer needs another table of types only.
"""

import json
from typing import Any

import pydeck as pdk

from app.scene.assets import LayerData, SceneAssets, SceneLibrary
from app.scene.content import sun_direction
from app.scene.ground import EDGE_FADE
from app.scene.palette import PALETTES, Palette, Rgb
from app.scene.texts import read_texts

SPEC_VERSION = 1
VIEWS = {"heating": "temperature", "overview": "temperature", "hydraulics": "pressure"}
"""View -> what colours the pipes at first; the user may change it."""
HEAT_INDEX_RANGE_W_M2 = (35.0, 70.0)
TREE_SIZE_M = [2.6, 8.0]
"""Radius and height of a street tree."""
TREES_FROM_ZOOM = 14.8
WATER_ALPHA = 224
"""The bed shows through a little, deeper in the middle."""
BLIND_WALLS = frozenset({"industry", "plant", "chimney", "cooling_tower", "village", "old_town", "stadium"})
"""Uses whose walls show no floors; told to the shader by an alpha of 254."""
LIGHTS = {
    "dark": {"ambient": 1.0, "sun": 1.25, "colour": [255, 244, 228]},
    "light": {"ambient": 1.15, "sun": 1.1, "colour": [255, 250, 240]},
}
TILES = "/scene/tiles/catalogue.json"
TONES = {"dark": "calm", "light": "day"}
"""How photography is toned at first: in the control room it steps back behind pipes and labels."""
SUPPLY_SIDE = -0.62
RETURN_SIDE = 0.62
"""Sideways offset in pipe widths, left and right of the trench, so that the pair never merges."""


def _data(layer: LayerData) -> dict[str, Any]:
    return {"length": layer.length, "startIndices": layer.starts, "attributes": dict(layer.attributes)}


def _rgba(colour: Rgb, alpha: int = 255) -> list[int]:
    return [*colour, alpha]


def _ground_layers(assets: SceneAssets) -> list[pdk.Layer]:
    """The county, and over it the cells that have a finer picture; those appear when it has come."""
    parts: list[tuple[str, dict[str, Any]]] = [("ground", {"picture": "'far'"})]
    if assets.near:
        parts.append(("ground.near", {"picture": "'near'", "cells": list(assets.near), "lift": 0.5}))
    return [
        pdk.Layer(
            "SimpleMeshLayer",
            id=name,
            data=[{"position": [0, 0, 0]}],
            role="'ground'",
            heights=assets.heights,
            pickable=False,
            **part,
        )
        for name, part in parts
    ]


def _road_layer(assets: SceneAssets, palette: Palette) -> pdk.Layer:
    return pdk.Layer(
        "PathLayer",
        id="roads",
        data=_data(assets.layers["roads"]),
        role="'roads'",
        row=assets.layers["roads"].extra["row"],
        paint={
            "attribute": "getColor",
            "classes": assets.layers["roads"].extra["classes"],
            "table": [_rgba(c) for c in palette.roads.values()],
        },
        width_units="'meters'",
        width_min_pixels=0.6,
        joint_rounded=True,
        cap_rounded=True,
        lift=1,
        pickable=False,
    )


def _water_layer(assets: SceneAssets, palette: Palette) -> pdk.Layer:
    return pdk.Layer(
        "SolidPolygonLayer",
        id="water",
        data=_data(assets.layers["water"]),
        role="'water'",
        fading={"colour": _rgba(palette.water, WATER_ALPHA), "share": EDGE_FADE},
        extruded=False,
        lift=0.7,
        pickable=False,
    )


def _shadow_layer(assets: SceneAssets, palette: Palette) -> pdk.Layer:
    return pdk.Layer(
        "SolidPolygonLayer",
        id="shadows",
        data=_data(assets.layers["shadows"]),
        role="'buildings'",
        get_fill_color=_rgba(palette.shadow, palette.shadow_alpha),
        extruded=False,
        lift=2,
        pickable=False,
    )


def _building_layer(assets: SceneAssets, palette: Palette) -> pdk.Layer:
    layer = assets.layers["buildings"]
    return pdk.Layer(
        "SolidPolygonLayer",
        id="buildings",
        data=_data(layer),
        role="'buildings'",
        row=layer.extra["row"],
        paint={
            "attribute": "getFillColor",
            "value": layer.extra["heat_index"],
            "domain": list(HEAT_INDEX_RANGE_W_M2),
            "ramp": [list(palette.building_heated_low), list(palette.building_heated_high)],
            "classes": layer.extra["classes"],
            "table": [_rgba(c, 254 if use in BLIND_WALLS else 255) for use, c in palette.building.items()],
        },
        extruded=True,
        extensions=[{"@@type": "FacadeExtension"}],
        material={"ambient": 0.55, "diffuse": 0.62, "shininess": 8, "specularColor": [20, 24, 30]},
        pickable=True,
    )


def _tree_layer(assets: SceneAssets, palette: Palette) -> pdk.Layer:
    layer = assets.layers["trees"]
    return pdk.Layer(
        "SimpleMeshLayer",
        id="trees",
        data={"length": layer.length, "attributes": dict(layer.attributes)},
        role="'trees'",
        tree=TREE_SIZE_M,
        get_color=_rgba(palette.land["crown"]),
        from_zoom=TREES_FROM_ZOOM,
        pickable=False,
    )


def _pipe_layers(assets: SceneAssets, palette: Palette, side: str) -> list[pdk.Layer]:
    """Casing, then the pipe where it is in sight, then a faint one where something stands before it."""
    layer = assets.layers[f"pipes.{side}"]
    offset = SUPPLY_SIDE if side == "supply" else RETURN_SIDE
    common: dict[str, Any] = {
        "data": _data(layer),
        "role": f"'pipes.{side}'",
        "row": layer.extra["row"],
        "under": {"drop": layer.extra["under.drop"], "width": layer.extra["under.width"]},
        "width_units": "'meters'",
        "width_min_pixels": 3.0,
        "joint_rounded": True,
        "cap_rounded": True,
        "billboard": True,
        "extensions": [{"@@type": "SideOffsetExtension", "offset": offset}],
        "live": {
            "side": side,
            "ramp": [list(c) for c in (palette.supply if side == "supply" else palette.back)],
        },
        "lift": 4,
    }
    return [
        pdk.Layer("PathLayer", id=f"pipes.{side}", pickable=True, **common),
        pdk.Layer(
            "PathLayer",
            id=f"pipes.{side}.hidden",
            pickable=False,
            opacity=0.34,
            parameters={"depthCompare": "greater", "depthWriteEnabled": False},
            **common,
        ),
    ]


def _view_state(assets: SceneAssets, focus: dict[str, Any]) -> pdk.ViewState:
    """Only a start: the browser fits the view to the hull, because only it knows the screen's shape."""
    lon, lat = assets.frame.origin
    return pdk.ViewState(
        longitude=lon,
        latitude=lat,
        zoom=13.0,
        min_zoom=9.0,
        max_zoom=19.0,
        pitch=focus["pitch"],
        bearing=focus["bearing"],
        max_pitch=78.0,
        position=[0.0, 0.0, assets.frame.datum_m],
    )


def find_focus(assets: SceneAssets, view: str) -> dict[str, Any]:
    """What the first picture of ``view`` frames."""
    return assets.focus["overview" if view == "overview" else "network"]


def make_deck(assets: SceneAssets, palette: Palette, view: str) -> pdk.Deck:
    """Return the scene as a pydeck deck, without a base map."""
    layers = [
        *_ground_layers(assets),
        *([_water_layer(assets, palette)] if assets.layers["water"].length else []),
        _road_layer(assets, palette),
        _shadow_layer(assets, palette),
        *(_pipe_layers(assets, palette, "return")[:1]),
        *(_pipe_layers(assets, palette, "supply")[:1]),
        *([_tree_layer(assets, palette)] if assets.layers["trees"].length else []),
        _building_layer(assets, palette),
        *(_pipe_layers(assets, palette, "return")[1:]),
        *(_pipe_layers(assets, palette, "supply")[1:]),
    ]
    return pdk.Deck(
        layers=layers,
        views=[pdk.View("MapView", controller={"inertia": 200, "keyboard": True, "touchRotate": True})],
        initial_view_state=_view_state(assets, find_focus(assets, view)),
        map_provider=None,
        map_style=None,
    )


def make_spec(library: SceneLibrary, lang: str, theme: str, view: str) -> dict[str, Any]:
    """Return the spec as JSON-ready tables.

    Parameters
    ----------
    lang : zh or en
    theme : key of ``PALETTES``
    view : key of ``VIEWS``
    """
    assets, palette = library.assets, PALETTES[theme]
    deck: dict[str, Any] = json.loads(make_deck(assets, palette, view).to_json())
    origin = [*assets.frame.origin, assets.frame.datum_m]
    deck["scene"] = {
        "version": SPEC_VERSION,
        "view": view,
        "mode": VIEWS[view],
        "lang": lang,
        "theme": theme,
        "origin": origin,
        "extent": list(assets.mesh.extent_m),
        "focus": find_focus(assets, view),
        "sun": sun_direction().round(4).tolist(),
        "lights": LIGHTS[theme],
        "places": assets.places,
        "names": assets.names,
        "counts": {"nodes": len(assets.county.network.nodes), "pipes": len(assets.county.network.pipes)},
        "palette": {
            "background": list(palette.background),
            "none": list(palette.no_answer),
            "casing": list(palette.casing),
            "marker": list(palette.station),
            "accent": list(palette.accent),
            "rooms": [list(c) for c in palette.rooms],
            "ages": [list(c) for c in palette.ages],
            "index": [list(palette.building_heated_low), list(palette.building_heated_high)],
            "uses": {use: list(colour) for use, colour in palette.uses.items()},
            "supply": [list(c) for c in palette.supply],
            "return": [list(c) for c in palette.back],
        },
        "texts": read_texts(lang),
        "pictures": {
            name: f"/scene/ground/{theme}{tail}.webp?v={library.ground_digest(theme)}"
            for name, tail in (("far", ""), ("near", "-near"))
            if name == "far" or assets.near
        },
        "buffers": {
            name.removesuffix(".bin"): f"/scene/buffers/{name}?v={blob.digest}"
            for name, blob in assets.blobs.items()
            if name.endswith(".bin")
        },
        "tiles": TILES,
        "tone": TONES[theme],
        "addresses": f"/scene/buffers/addresses.json?v={assets.blobs['addresses.json'].digest}",
        "tables": f"/scene/buffers/tables.json?v={assets.blobs['tables.json'].digest}",
    }
    return deck
