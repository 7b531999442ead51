"""Surfaces put together and taken apart: by material, by triangles, without vertices that nobody needs."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.tiles.glb import Material, Part


def merge_parts(parts: list[Part]) -> list[Part]:
    """Return one surface for each material and kind; points stay points."""
    groups: dict[Any, list[Part]] = {}
    for part in parts:
        have = (part.triangles is None, part.uv is None, part.colours is None, part.features is None)
        groups.setdefault((part.material, *have), []).append(part)
    return [_merge(group) for group in groups.values()]


def _merge(group: list[Part]) -> Part:
    if len(group) == 1:
        return group[0]
    starts = np.cumsum([0, *(len(p.positions) for p in group[:-1])])

    def join(key: str) -> Any:
        arrays = [getattr(p, key) for p in group]
        return None if arrays[0] is None else np.concatenate(arrays)

    rows = None
    if group[0].triangles is not None:
        rows = np.concatenate([p.triangles + at for p, at in zip(group, starts, strict=True)])
    return Part(
        join("positions"), rows, group[0].material, join("uv"), None, join("colours"), join("features")
    )


def take_triangles(part: Part, triangles: NDArray[Any]) -> Part:
    """Return the surface of these triangles only, with the vertices that they use."""
    used, rows = np.unique(triangles.reshape(-1), return_inverse=True)

    def pick(array: Any) -> Any:
        return None if array is None else array[used]

    return replace(
        part, positions=part.positions[used], triangles=rows.reshape(-1, 3), uv=pick(part.uv),
        normals=pick(part.normals), colours=pick(part.colours), features=pick(part.features),
    )  # fmt: skip


def plain_material(part: Part) -> Material:
    """Return the part's material without its picture."""
    return replace(part.material, picture=None)
