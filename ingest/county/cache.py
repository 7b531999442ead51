"""``county.cache``: the county as one checked block, so that a start reads it in a blink.

Reading the GeoPackage needs GDAL, pandas and pyproj (0.4 s and 120 MB more in every process); the cache needs
none. It is only ever a copy: its key is made of the content of both files and of the code's own tables,
its body has a checksum, and anything unexpected means "read the GeoPackage".
"""

import contextlib
import hashlib
import secrets
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ingest.county.schema import LAYERS
from twin.model import check_table
from twin.model.county import County, CountyMeta
from twin.model.network import HeatNetwork

CACHE_NAME = "county.cache"
_MAGIC = b"county-twin-cache-1\n"


def prepare_cache(folder: Path) -> None:
    """Have the first cache made by a process of its own: what reading the GeoPackage needs would stay in ours
    for its life. Whatever goes wrong there is told when the county is loaded here."""
    if not (folder / CACHE_NAME).exists():
        code = "import sys; from pathlib import Path; from ingest.county import load_county; "
        code += "load_county(Path(sys.argv[1]), onboarded=False)"
        with contextlib.suppress(subprocess.TimeoutExpired, OSError):
            subprocess.run(  # noqa: S603 - our own program
                [sys.executable, "-c", code, str(folder)], capture_output=True, check=False, timeout=120,
                cwd=Path(__file__).resolve().parents[2],
            )  # fmt: skip


def make_key(gpkg_sha256: str, meta: CountyMeta, grid: tuple[float, ...]) -> bytes:
    """Return the 32-byte key: files, record fields and the tables of the checks."""
    shapes = [[(f.name, str(f.type)) for f in fields(layer.record)] for layer in LAYERS.values()]
    rules = (check_table.RANGES, check_table.WORDS, check_table.UNIT_CARRIES, check_table.PARENT_KIND)
    text = repr((gpkg_sha256, meta, grid, shapes, rules))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def read_cache(folder: Path, key: bytes) -> County | None:
    """Return the county kept under ``key``; None when there is none or it is damaged."""
    try:
        block = (folder / CACHE_NAME).read_bytes()
    except OSError:
        return None
    head = _MAGIC + key
    body = block[len(head) + 32 :]
    if not block.startswith(head) or hashlib.sha256(body).digest() != block[len(head) : len(head) + 32]:
        return None
    try:
        kept = msgspec.msgpack.decode(body, type=_make_kept_type(), dec_hook=_decode)
        return _restore(kept)
    except (msgspec.MsgspecError, ValueError, TypeError):
        return None


def write_cache(folder: Path, key: bytes, county: County) -> None:
    """Keep ``county`` under ``key``; a folder that cannot be written to is no fault."""
    body = msgspec.msgpack.encode(_strip(county), enc_hook=_encode)
    staged = folder / f".{CACHE_NAME}-{secrets.token_hex(4)}"
    with contextlib.suppress(OSError):
        try:
            staged.write_bytes(_MAGIC + key + hashlib.sha256(body).digest() + body)
            staged.replace(folder / CACHE_NAME)
        finally:
            staged.unlink(missing_ok=True)


def _init_fields(record: type[Any]) -> list[tuple[str, Any]]:
    """Fields that a constructor takes; the indices that a record makes itself are not kept."""
    return [(f.name, f.type) for f in fields(record) if f.init]


def _make_kept_type() -> type[Any]:
    network = msgspec.defstruct("KeptNetwork", _init_fields(HeatNetwork))
    rows = [(n, network if n == "network" else kind) for n, kind in _init_fields(County)]
    return msgspec.defstruct("KeptCounty", rows)


def _strip(county: County) -> dict[str, Any]:
    network = {name: getattr(county.network, name) for name, _ in _init_fields(HeatNetwork)}
    return {name: getattr(county, name) for name, _ in _init_fields(County)} | {"network": network}


def _restore(kept: Any) -> County:
    network = HeatNetwork(**{name: getattr(kept.network, name) for name, _ in _init_fields(HeatNetwork)})
    rows = {name: getattr(kept, name) for name, _ in _init_fields(County)}
    return County(**{**rows, "network": network})


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [list(value.shape), np.ascontiguousarray(value, dtype="<f8").tobytes()]
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    raise TypeError(f"cannot keep a {type(value).__name__}")


def _decode(wanted: type, value: Any) -> Any:
    shape, raw = value
    return np.frombuffer(raw, dtype="<f8").reshape(shape).copy()
