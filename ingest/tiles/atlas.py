"""Pictures of many surfaces brought into one: whole pictures side by side, or only the pieces that are used.

A piece is the least rectangle around a chart: triangles that hang together in the picture. Pieces keep their
orientation and a rim of pixels, so that no colour of a neighbour bleeds in.

Rectangles are packed on shelves, highest first: at most a few per cent worse than the best on pictures of
surveys, and simple to check.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ingest.tiles.glb import Material, Part, Picture
from ingest.tiles.pictures import encode_picture, open_picture

RIM = 2
MAX_SIDE = 4096
LEAST_SIDE = 4
WHOLE = 0.6
"""A picture of which more than this share is used is taken whole."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of pixels: left, top, width, height."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some triangles of a part, and which region of the pictures they use."""

    part: Part
    triangles: NDArray[np.int64]
    region: int


@dataclass(frozen=True, slots=True)
class _Region:
    """A rectangle of one picture that goes into the sheet."""

    image: Image.Image
    source: Rect


def pack_pictures(parts: list[Part], shrink: int = 1) -> list[Part]:
    """Return the surfaces with one common picture; those without a picture stay as they are.

    Parameters
    ----------
    shrink : the pixels of the result are this much larger along each side
    """
    plain = [p for p in parts if p.material.picture is None or p.uv is None]
    by_picture: dict[Picture, list[Part]] = {}
    for part in parts:
        if part.material.picture is not None and part.uv is not None and part.triangles is not None:
            by_picture.setdefault(part.material.picture, []).append(part)
    if not by_picture:
        return plain
    regions: list[_Region] = []
    pieces: list[_Piece] = []
    for picture, group in by_picture.items():
        image = open_picture(picture.data, "picture", small=False).convert("RGB")
        _cut(image, group, regions, pieces)
    while True:
        places, width, height = pack_rects([_shrunk(region.source, shrink) for region in regions])
        if max(width, height) <= MAX_SIDE:
            break
        shrink *= 2
    crops = [_crop(region.image, region.source, place) for region, place in zip(regions, places, strict=True)]
    means = np.array([np.asarray(crop).reshape(-1, 3).mean(axis=0) for crop in crops])
    red, green, blue = map(int, np.average(means, axis=0, weights=[place.w * place.h for place in places]))
    sheet = Image.new("RGB", (width, height), (red, green, blue))  # what lies between bleeds unseen
    for crop, place in zip(crops, places, strict=True):
        sheet.paste(crop, (place.x, place.y))
    material = Material(encode_picture(sheet))
    done = [
        _move(piece, regions[piece.region], places[piece.region], (width, height), material)
        for piece in pieces
    ]
    return plain + done


def _cut(image: Image.Image, parts: list[Part], regions: list[_Region], pieces: list[_Piece]) -> None:
    """Add the charts of one picture, or the picture as a whole where most of it is used."""
    found: list[tuple[Part, NDArray[np.int64], Rect]] = []
    straight = []
    for part in parts:
        assert part.uv is not None and part.triangles is not None
        uv = part.uv.astype(float) / (65535.0 if part.uv.dtype == np.uint16 else 1.0)
        if uv.min() < -1e-3 or uv.max() > 1.0 + 1e-3:
            uv = uv - np.floor(
                uv.min(axis=0)
            )  # repeated pictures: moved to the first copy, cut off beyond it
        straight.append(replace(part, uv=np.clip(uv, 0.0, 1.0)))
    for part in straight:
        assert part.uv is not None and part.triangles is not None
        rows = part.triangles.astype(np.int64)
        labels = _label(np.asarray(part.uv, float), rows)
        order = np.argsort(labels, kind="stable")
        starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
        groups = np.split(rows[order], starts[1:])
        found += [
            (part, group, _bounds(np.asarray(part.uv, float)[group.reshape(-1)], image.size))
            for group in groups
        ]
    if sum(rect.w * rect.h for _, _, rect in found) > WHOLE * image.size[0] * image.size[1]:
        regions.append(_Region(image, Rect(0, 0, *image.size)))
        pieces += [_Piece(p, p.triangles.astype(np.int64), len(regions) - 1) for p in straight
                   if p.triangles is not None]  # fmt: skip
        return
    for part, group, rect in found:
        regions.append(_Region(image, rect))
        pieces.append(_Piece(part, group, len(regions) - 1))


def _label(uv: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Chart number of each triangle: triangles that share a place in the picture hang together."""
    places, of_vertex = np.unique(np.round(uv, 7), axis=0, return_inverse=True)
    corners = of_vertex.reshape(-1)[rows]
    left, right = (
        np.concatenate([corners[:, 0], corners[:, 1]]),
        np.concatenate([corners[:, 1], corners[:, 2]]),
    )
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(len(places), len(places)))
    _, labels = connected_components(graph.tocsr(), directed=False)
    return np.asarray(labels[corners[:, 0]], np.int64)


def _bounds(uv: NDArray[np.float64], size: tuple[int, int]) -> Rect:
    w, h = size
    x0, y0 = np.floor(uv.min(axis=0) * size).astype(int) - RIM
    x1, y1 = np.ceil(uv.max(axis=0) * size).astype(int) + RIM
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, w), min(y1, h)
    return Rect(int(x0), int(y0), max(int(x1 - x0), 1), max(int(y1 - y0), 1))


def _shrunk(rect: Rect, shrink: int) -> Rect:
    return Rect(rect.x, rect.y, max(-(-rect.w // shrink), LEAST_SIDE), max(-(-rect.h // shrink), LEAST_SIDE))


def pack_rects(rects: list[Rect]) -> tuple[list[Rect], int, int]:
    """Place rectangles without overlap.

    Returns
    -------
    places : where each one lies, in the order given
    width, height : of the sheet, multiples of four
    """
    area = sum(r.w * r.h for r in rects)
    width = max(*(r.w for r in rects), int(np.ceil(np.sqrt(area) * 1.05)))
    width = -(-width // 4) * 4
    places: list[Rect | None] = [None] * len(rects)
    x = y = shelf = 0
    for i in sorted(range(len(rects)), key=lambda i: (-rects[i].h, -rects[i].w, i)):
        rect = rects[i]
        if x + rect.w > width:
            x, y, shelf = 0, y + shelf, 0
        places[i] = Rect(x, y, rect.w, rect.h)
        x += rect.w
        shelf = max(shelf, rect.h)
    return [p for p in places if p is not None], width, -(-(y + shelf) // 4) * 4


def _crop(image: Image.Image, source: Rect, place: Rect) -> Image.Image:
    box = (source.x, source.y, source.x + source.w, source.y + source.h)
    return image.resize((place.w, place.h), Image.Resampling.BOX, box=box)


def _move(piece: _Piece, region: _Region, place: Rect, sheet: tuple[int, int], material: Material) -> Part:
    """The piece's triangles with texture coordinates in the sheet."""
    part, source = piece.part, region.source
    assert part.uv is not None
    used, rows = np.unique(piece.triangles.reshape(-1), return_inverse=True)
    pixels = part.uv[used].astype(float) * region.image.size - (source.x, source.y)
    scaled = pixels * (place.w / source.w, place.h / source.h) + (place.x, place.y)
    return Part(
        part.positions[used], rows.reshape(-1, 3), material, scaled / sheet, None, None,
        part.features[used] if part.features is not None else None,
    )  # fmt: skip
