"""What has been done, line by line on disk, so that an interrupted import goes on where it was."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

Item = TypeVar("Item")
Triple = tuple[float, float, float]
REST = "#rest"
"""Ending of the key of surfaces that are written a second time, because their level has no finer file."""


@dataclass(frozen=True, slots=True)
class Done:
    """One content that was converted, or refused.

    ``key``: its name within the import; ``stamp``: size and time of its sources; ``out``: the glb below the
    layer's folder, empty where nothing is drawn. ``low``, ``high``, ``centre``: metres east, north, up of
    the county; the glb's positions are relative to ``centre``. ``ground``: lon, lat, height of its ground.
    ``error_m`` and ``children``: what the source says about finer levels (OSGB). ``skirt``: its last surface
    only hides gaps. ``trouble``: why it was
    refused.
    """

    key: str
    stamp: str = ""
    out: str = ""
    low: Triple = (0.0, 0.0, 0.0)
    high: Triple = (0.0, 0.0, 0.0)
    centre: Triple = (0.0, 0.0, 0.0)
    ground: Triple | None = None
    triangles: int = 0
    points: int = 0
    texture_bytes: int = 0
    bytes: int = 0
    read_bytes: int = 0
    error_m: float = 0.0
    children: tuple[str, ...] = ()
    skirt: bool = False
    trouble: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is one of the contents that were expected, and not a part written a second time."""
        return not self.key.endswith(REST)


@dataclass(slots=True)
class Journal:
    """The lines of one piece of work; ``known`` by key."""

    path: Path
    known: dict[str, Done] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """Read what is there; a last line that was cut off by a kill is left aside."""
        path.parent.mkdir(parents=True, exist_ok=True)
        journal = cls(path)
        whole = 0
        if path.exists():
            for line in path.read_bytes().splitlines(keepends=True):
                try:
                    done = msgspec.json.decode(line, type=Done)
                except msgspec.MsgspecError:
                    break
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                journal.known[done.key] = done
            with path.open("r+b") as f:
                f.truncate(whole)
        return journal

    def find(self, key: str, stamp: str, out: Path) -> Done | None:
        """Return what was done for ``key``, if its source is the same and its file is still there."""
        done = self.known.get(key)
        if done is None or done.stamp != stamp or done.trouble:
            return None
        if done.out and not ((out / done.out).is_file() and (out / done.out).stat().st_size == done.bytes):
            return None
        return done

    def add(self, done: Done) -> None:
        """Keep ``done``; it is on disk when this returns."""
        self.known[done.key] = done
        with self.path.open("ab") as f:
            f.write(msgspec.json.encode(done) + b"\n")


def read_journal(path: Path) -> dict[str, Done]:
    """Return all lines of a journal by key."""
    return Journal.open(path).known


def stamp_files(paths: Iterable[Path]) -> str:
    """Return size and time of change of files, as one text; a missing one is said as such."""
    return ",".join(_stamp(path) for path in paths)


def _stamp(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError:
        return "missing"
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def chunked(rows: list[Item], size: int) -> Iterator[list[Item]]:
    """Yield ``rows`` in lists of at most ``size``."""
    for at in range(0, len(rows), size):
        yield rows[at : at + size]
