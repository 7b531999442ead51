"""``county.toml``: what the county is called, where its terrain grid lies, which GeoPackage belongs to it."""

import json
import tomllib
from dataclasses import MISSING, fields
from typing import Any

from twin.model.county import CountyMeta
from twin.model.errors import CountyError

FORMAT = 1

_TYPES: dict[str, tuple[type, ...]] = {"text": (str,), "number": (int, float), "bool": (bool,), "int": (int,)}
_META_KINDS = {
    "design_outdoor_c": "number",
    "room_target_c": "number",
    "demo": "bool",
    "seed": "int",
}


def render_toml(tables: dict[str, dict[str, Any]], head: str) -> str:
    """Return TOML text of flat tables of text, numbers, booleans and lists of numbers."""
    lines = [head]
    for name, table in tables.items():
        lines.append(f"\n[{name}]")
        lines += [f"{key} = {_render_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _render_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_render_value(v) for v in value) + "]"
    return repr(float(value) if isinstance(value, float) else int(value))


def render_meta(meta: CountyMeta) -> dict[str, Any]:
    """Return the ``[county]`` table of ``meta``; an unknown seed is left out."""
    row = {f.name: getattr(meta, f.name) for f in fields(meta)}
    return {k: v for k, v in row.items() if v is not None}


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """Parse TOML.

    Raises
    ------
    CountyError : not TOML; the text names the line
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise CountyError(f"{where} is not TOML: {e}") from e


def parse_meta(table: Any, where: str) -> CountyMeta:
    """Read the ``[county]`` table.

    Raises
    ------
    CountyError : a key is missing, unknown or of the wrong type; each is one finding
    """
    if not isinstance(table, dict):
        raise CountyError(f"{where}: the table [county] is missing; see docs/county-format.md")
    known = {f.name: f for f in fields(CountyMeta)}
    found = [f"county, {k}: is not known; take it out" for k in table if k not in known]
    values: dict[str, Any] = {}
    for name, field in known.items():
        if name not in table:
            if field.default is MISSING:
                found.append(f"county, {name}: is missing; add it to [county]")
            continue
        value = table[name]
        kind = _META_KINDS.get(name, "text")
        if name == "center":
            good = isinstance(value, list) and len(value) == 2 and all(_is_number(v) for v in value)
            value = tuple(float(v) for v in value) if good else value
        else:
            good = isinstance(value, _TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))
            value = float(value) if good and kind == "number" else value
        if not good:
            wanted = "[lon, lat] in degrees" if name == "center" else kind
            found.append(f"county, {name}: is {value!r}; give {wanted}")
        values[name] = value
    if found:
        raise CountyError(f"{where}: the table [county] is wrong", tuple(found))
    return CountyMeta(**values)


def parse_grid(table: Any, where: str) -> tuple[float, float, float, float]:
    """Read the ``[terrain]`` table: lon0, lat0, dlon, dlat in degrees.

    Raises
    ------
    CountyError : the table or one of its numbers is missing
    """
    names = ("lon0", "lat0", "dlon", "dlat")
    if not isinstance(table, dict) or not all(_is_number(table.get(n)) for n in names):
        raise CountyError(f"{where}: the table [terrain] needs the numbers {', '.join(names)} in degrees")
    lon0, lat0, dlon, dlat = (float(table[n]) for n in names)
    return lon0, lat0, dlon, dlat


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
