"""Limits of the complaints desk: ``complaints.toml`` in the county folder, defaults where it is silent."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domains.heating.own_file import read_own
from twin.model.errors import InputError

FILE = "complaints.toml"


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits in hours from receipt: ``measure_h`` until a room is measured, ``solve_h`` until the case is
    solved (defaults: 兰州市供热用热条例, art. 26). A clock is near its limit when ``near_share`` of it has
    run. Cases of one station or branch within ``group_h`` of each other, at least ``group_least``, are one
    group. Telephone numbers are forgotten ``phone_days`` after a case was closed. ``crews``: names to choose
    from. ``heads``: further column heads of the hotline's export, field -> heads.

    Raises
    ------
    InputError : a limit is not positive and finite, or the names are not text
    """

    measure_h: float = 24.0
    solve_h: float = 48.0
    near_share: float = 0.75
    group_h: float = 6.0
    group_least: int = 3
    phone_days: float = 30.0
    crews: tuple[str, ...] = ()
    heads: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        for name in ("measure_h", "solve_h", "near_share", "group_h", "group_least", "phone_days"):
            x = getattr(self, name)
            if isinstance(x, bool) or not isinstance(x, int | float) or not math.isfinite(x) or x <= 0.0:
                raise InputError(f"{name} must be a number above 0")
        if self.near_share >= 1.0:
            raise InputError("near_share must lie between 0 and 1: the part of a limit that may run in calm")
        if self.group_least < 2 or self.group_least != int(self.group_least):
            raise InputError("group_least must be a whole number of 2 or more")
        names = (*self.crews, *(h for _, heads in self.heads for h in heads))
        if not all(isinstance(n, str) and 0 < len(n) <= 60 for n in names):
            raise InputError("crews and heads must be lists of texts of at most 60 letters")


def read_rules(folder: Path) -> tuple[Rules, bool]:
    """The rules of a county folder, and whether they are its own (else defaults).

    Raises
    ------
    InputError : the file cannot be read, names something unknown, or a value cannot be; names the place
    """
    return read_own(folder / FILE, Rules, _plain)


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """Lists and tables as tuples. Raises ``InputError``: one is something else."""
    out = dict(found)
    if "crews" in out:
        out["crews"] = _texts(out["crews"], "crews")
    if "heads" in out:
        if not isinstance(out["heads"], dict):
            raise InputError("heads must be a table: field = [heads]")
        out["heads"] = tuple((k, _texts(v, f"heads.{k}")) for k, v in out["heads"].items())
    return out


def _texts(x: object, name: str) -> tuple[str, ...]:
    if not isinstance(x, list):
        raise InputError(f"{name} must be a list of texts")
    return tuple(x)
