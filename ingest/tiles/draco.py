"""Draco: meshes and points, decoded by Google's own library through DracoPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.model.errors import InputError


def decode_draco(
    data: bytes | memoryview, attributes: dict[str, int], name: str
) -> tuple[dict[str, NDArray[Any]], NDArray[Any] | None]:
    """Unpack one Draco blob.

    Parameters
    ----------
    attributes : what the file calls them -> unique id in the blob

    Returns
    -------
    arrays : (n, k) per attribute
    triangles : (m, 3), None for points

    Raises
    ------
    InputError : damaged, or an attribute is missing
    """
    import DracoPy

    try:
        mesh = DracoPy.decode(bytes(data))
    except (DracoPy.FileTypeException, ValueError, TypeError, RuntimeError) as e:
        raise InputError(f"{name}: its Draco data are damaged ({e}); copy or export it again") from e
    found = {row["unique_id"]: np.asarray(row["data"]) for row in mesh.attributes}
    missing = [key for key, number in attributes.items() if number not in found]
    if missing:
        raise InputError(f"{name}: its Draco data lack {', '.join(missing)}; export it again")
    faces = getattr(mesh, "faces", None)
    rows = np.asarray(faces).reshape(-1, 3) if faces is not None and len(faces) else None
    return {key: found[number] for key, number in attributes.items()}, rows
