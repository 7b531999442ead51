"""Prices and limits of dispatch: ``tariff.toml`` in the county folder, defaults where it is silent."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from twin.dispatch import Tariff
from twin.model.errors import InputError

FILE = "tariff.toml"


def read_tariff(folder: Path) -> tuple[Tariff, bool]:
    """The tariff of a county folder, and whether it is its own (else defaults).

    Raises
    ------
    InputError : the file cannot be read, names something unknown, or a value cannot be; names the place
    """
    path = folder / FILE
    if not path.is_file():
        return Tariff(), False
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise InputError(f"{path}: {e}") from None
    known = {f.name for f in fields(Tariff)}
    unknown = sorted(set(found) - known)
    if unknown:
        raise InputError(f"{path}: unknown {', '.join(unknown)}: give some of {', '.join(sorted(known))}")
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}
    try:
        return Tariff(**plain), True
    except InputError as e:
        raise InputError(f"{path}: {e}") from None
