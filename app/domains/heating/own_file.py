"""What a county sets for itself: a TOML file in its folder, read into a dataclass that checks its values."""

import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from twin.model.errors import InputError

T = TypeVar("T")


def read_own(path: Path, kind: type[T], plain: Callable[[dict[str, Any]], dict[str, Any]]) -> tuple[T, bool]:
    """A ``kind`` (a dataclass) of the file's values, and whether there is a file (else defaults).

    Parameters
    ----------
    plain : turns what TOML gives (lists, tables) into what the fields hold; may raise ``InputError``

    Raises
    ------
    InputError : the file cannot be read, names something unknown, or a value cannot be; names the place
    """
    if not path.is_file():
        return kind(), False
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise InputError(f"{path}: {e}") from None
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(found) - known)
    if unknown:
        raise InputError(f"{path}: unknown {', '.join(unknown)}: give some of {', '.join(sorted(known))}")
    try:
        return kind(**plain(found)), True
    except InputError as e:
        raise InputError(f"{path}: {e}") from None
