"""Taking values out of a gateway's file: each is checked, and the error names its place."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from twin.model.errors import ConfigError

T = TypeVar("T")


def take(where: str, row: Mapping[str, Any], key: str, kind: type) -> Any:
    """A value that must be there and be of a kind."""
    value = row.get(key)
    if not isinstance(value, kind):
        raise ConfigError(f"{where}: {key} is missing or not a text")
    return value


def one_of(where: str, key: str, value: object, legal: tuple[str, ...]) -> str:
    """A word of a list."""
    if value not in legal:
        raise ConfigError(f"{where}: {key} is {value!r}; one of {', '.join(legal)}")
    return str(value)


def number(
    where: str, row: Mapping[str, Any], key: str, default: float | None, low: float, high: float
) -> float:
    """A number within limits; ``default`` None: it must be there."""
    value = row.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ConfigError(f"{where}: {key} is {value!r}; a number from {low:g} to {high:g} is needed")
    return float(value)


def read_rows(
    where: str, row: Mapping[str, Any], key: str, read: Callable[[str, Mapping[str, Any]], T]
) -> tuple[T, ...]:
    """The rows ``[[device.key]]``, at least one."""
    rows = row.get(key)
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f"{where}: at least one [[device.{key}]] is needed")
    out = []
    for i, r in enumerate(rows, 1):
        if not isinstance(r, dict):
            raise ConfigError(f"{where}, {key} {i}: a table is needed")
        out.append(read(f"{where}, {key} {i}", r))
    return tuple(out)
