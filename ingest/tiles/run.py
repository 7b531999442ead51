"""One import under way: where it writes, what it has counted, whom it tells."""

import fcntl
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ingest.tiles.catalogue import LAYER_ID, tiles_folder
from ingest.tiles.convert import Target
from ingest.tiles.frames import CountyFrame
from ingest.tiles.journal import Done
from ingest.tiles.pool import run_all
from ingest.tiles.report import Report
from twin.model.errors import CountyError, InputError

Job = TypeVar("Job")
Say = Callable[[str], None]
Outcome = tuple[list[Done], int]
"""Contents of one piece of work, and how many of them were there from before."""
MAX_TROUBLES = 200
TELL_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. ``shift_m`` is added to every height;"""

    source: Path
    county: Path
    layer: str
    title: str = ""
    crs: str = ""
    origin_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift_m: float = 0.0
    skip_broken: bool = False
    workers: int = 0
    cim_level: int = 3
    captured: str = ""
    source_text: str = ""
    licence: str = ""


@dataclass(slots=True)
class Run:
    """State of an import, in the main process."""

    wish: Wish
    frame: CountyFrame
    staging: Path
    workers: int
    say: Say
    report: Report = field(default_factory=Report)
    started: float = field(default_factory=time.monotonic)
    expected: int = 0
    _told: float = 0.0
    _count: int = 0

    @property
    def target(self) -> Target:
        """Where workers write."""
        return Target(self.staging / "out", self.frame.origin)

    @property
    def journals(self) -> Path:
        """Folder of the journals."""
        return self.staging / "journal"

    def work(self, function: Callable[[Job], Outcome], jobs: Iterable[Job]) -> None:
        """Do ``jobs`` on all cores and count what comes back.

        Raises
        ------
        CountyError : so much is broken that going on has no use
        """
        few = isinstance(jobs, list) and len(jobs) < 2
        for dones, resumed in run_all(function, jobs, 1 if few else self.workers):
            self.report.resumed += resumed
            self._count += sum(done.counts for done in dones)
            for done in dones:
                self.report.add(done)
            if len(self.report.refused) > MAX_TROUBLES and not self.wish.skip_broken:
                self.stop_if_broken()
            self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told < TELL_EVERY_S:
            return
        self._told = now
        of = f" of {self.expected}" if self.expected else ""
        rate = self.report.written_mb / max(now - self.started, 0.1)
        self.say(
            f"{self._count}{of} contents, {self.report.triangles} triangles, {self.report.written_mb:.0f} MB "
            f"({rate:.1f} MB/s), {len(self.report.refused)} refused"
        )

    def stop_if_broken(self) -> None:
        """Fail with the list of what was refused, unless broken files are to be skipped.

        Raises
        ------
        CountyError : something was refused
        """
        refused = self.report.refused
        if refused and not self.wish.skip_broken:
            lines = tuple(why if file in why else f"{file}: {why}" for file, why in refused[:MAX_TROUBLES])
            raise CountyError(
                f"{len(refused)} parts of {self.wish.source} could not be imported; nothing was "
                "changed. Mend them and run the same command (what is done stays done), or leave them out "
                "with --skip-broken:",
                lines,
            )


def open_staging(wish: Wish, recipe: str) -> Path:
    """Return the folder an import works in; what an older import with another recipe left is removed.

    ``recipe`` says everything that decides what comes out.
    """
    folder = tiles_folder(wish.county) / f".importing-{wish.layer}"
    mark = hashlib.sha256(recipe.encode()).hexdigest()
    note = folder / "recipe.json"
    try:
        known = json.loads(note.read_bytes()).get("mark")
    except (OSError, ValueError, AttributeError):
        known = None
    if known != mark and folder.exists():
        for path in folder.iterdir():
            if path.name != ".lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    (folder / "out").mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"mark": mark, "recipe": recipe}))
    return folder


@contextmanager
def alone(wish: Wish) -> Iterator[None]:
    """Keep a second import of the same layer out.

    Raises
    ------
    InputError : another one is under way, or the layer's name cannot be one
    """
    if not LAYER_ID.match(wish.layer):
        raise InputError(f"layer id {wish.layer!r}: use small letters, digits, - and _, at most 48")
    folder = tiles_folder(wish.county) / f".importing-{wish.layer}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            raise InputError(f"layer {wish.layer} is being imported already; wait for it to end") from e
        yield
