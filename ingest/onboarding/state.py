"""What onboarding has added to a county: ``onboarding.json`` in the county's folder.

Flows with all their versions, and the devices and points that the published ones have made. A point keeps its
number for ever, so what is taken back stays in the tables as retired: under a name that no message carries.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from ingest.onboarding.flow import MAPPED, Flow, Source
from twin.model.check_points import check_devices, check_points
from twin.model.county import County, Device, Point
from twin.model.errors import CountyError, InputError
from twin.model.findings import split_findings

FILE_NAME = "onboarding.json"
FORMAT = 1
RETIRED = "retired"
"""Kind of a device that was taken back."""
KEEP_VERSIONS = 50


class Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One published state of a flow: number from 1, when (s since 1970 UTC), by whom."""

    number: int
    t: float
    by: str
    flow: Flow


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flow with its versions, oldest first; ``live`` is the number that ingest follows, 0 for none."""

    id: str
    versions: tuple[Version, ...]
    live: int

    def find(self, number: int) -> Version | None:
        """A version by its number."""
        return next((v for v in self.versions if v.number == number), None)

    @property
    def flow(self) -> Flow | None:
        """What ingest follows."""
        found = self.find(self.live)
        return found.flow if found else None


class Simulated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time in which the values of a flow's devices were simulated; ``until`` is 0 while they are."""

    flow: str
    since: float
    until: float = 0.0


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. ``revision`` grows with every change."""

    format: int = FORMAT
    revision: int = 0
    flows: tuple[Kept, ...] = ()
    devices: tuple[Device, ...] = ()
    points: tuple[Point, ...] = ()
    simulated: tuple[Simulated, ...] = ()

    def find(self, flow_id: str) -> Kept | None:
        """A flow by its id."""
        return next((k for k in self.flows if k.id == flow_id), None)

    @property
    def live(self) -> tuple[Flow, ...]:
        """The flows that ingest follows."""
        return tuple(k.flow for k in self.flows if k.flow is not None)

    @property
    def sources(self) -> dict[str, Source]:
        """Sources of the flows that ingest follows, by flow id."""
        return {f.id: f.source for f in self.live if f.dialect == MAPPED and f.source is not None}

    @property
    def ignored(self) -> dict[str, frozenset[str]]:
        """External keys that are not wanted, by device id."""
        return {
            f.device_id(d.external_id): frozenset(f.ignore) for f in self.live if f.ignore for d in f.devices
        }


def read_state(folder: Path) -> State:
    """Read the file; an empty state when there is none.

    Raises
    ------
    CountyError : the file is damaged; the text names it and the mend
    """
    file = folder / FILE_NAME
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return State()
    except OSError as e:
        raise CountyError(f"{file} cannot be read: {e.strerror}") from e
    try:
        state = msgspec.json.decode(text, type=State)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise CountyError(f"{file}: {e}; restore it from a backup, or move it away to go without") from e
    if state.format != FORMAT:
        raise CountyError(f"{file}: format is {state.format}; this version reads format {FORMAT}")
    return state


@contextlib.contextmanager
def change_state(folder: Path) -> Iterator[list[State]]:
    """Yield ``[state]``; what stands there at the end replaces the file at once, with the next revision.

    Raises
    ------
    InputError : the folder cannot be written to
    CountyError : the file is damaged
    """
    file = folder / FILE_NAME
    staged = folder / f".{FILE_NAME}-{secrets.token_hex(4)}"
    try:
        with (folder / f".{FILE_NAME}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            box = [read_state(folder)]
            before = box[0]
            yield box
            if box[0] is before:
                return
            after = msgspec.structs.replace(box[0], revision=before.revision + 1)
            box[0] = after
            with staged.open("wb") as out:
                out.write(msgspec.json.format(msgspec.json.encode(after), indent=1))
                out.flush()
                os.fsync(out.fileno())
            staged.replace(file)
    except OSError as e:
        raise InputError(f"{file} cannot be written ({e.strerror or e}); make room or mend its rights") from e
    finally:
        staged.unlink(missing_ok=True)


def merge_county(county: County, state: State, folder: Path | str = FILE_NAME) -> County:
    """Return ``county`` with the onboarded devices and points.

    Raises
    ------
    CountyError : a number, id or name on the wire stands twice; the text says which row to mend
    """
    if not state.points and not state.devices:
        return county
    points = tuple(sorted((*county.points, *state.points), key=lambda p: p.no))
    ours = {p.id for p in state.points}
    for row, p in enumerate(points):
        if p.no != row:
            who = next((x for x in points if x.no == p.no and x.id not in ours), p)
            raise CountyError(
                f"{folder}/{FILE_NAME}: the point number {p.no} of {who.id} is taken or leaves a gap; "
                "onboarded points have numbers too: give a new row of county.gpkg the number "
                f"{len(points) - 1}"
            )
    merged = replace(county, devices=(*county.devices, *state.devices), points=points)
    errors, _ = split_findings((*check_devices(merged), *check_points(merged)))
    if errors:
        raise CountyError(f"{folder}/{FILE_NAME}: {len(errors)} faults", tuple(f.line() for f in errors))
    return merged
