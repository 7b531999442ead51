"""Publishing a flow, going to an earlier version, taking it back: one change of the file each, or none."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from ingest.onboarding.check import check_flow
from ingest.onboarding.flow import Flow
from ingest.onboarding.rows import rebuild
from ingest.onboarding.state import KEEP_VERSIONS, Kept, Simulated, State, Version, change_state, merge_county
from ingest.onboarding.troubles import Trouble, has_errors, make_trouble
from twin.model.county import County
from twin.model.errors import InputError


class Refused(InputError):  # noqa: N818 - it names an outcome
    """The flow may not be published; ``troubles`` say why."""

    def __init__(self, troubles: tuple[Trouble, ...]) -> None:
        super().__init__("; ".join(t.text("en") for t in troubles if t.is_error))
        self.troubles = troubles


def publish(
    folder: Path, county: County, flow: Flow, by: str, revision: int | None = None,
    clock: Callable[[], float] = time.time,
) -> State:  # fmt: skip
    """Make ``flow`` the one that ingest follows; returns the new state.

    Parameters
    ----------
    county : without what was onboarded
    revision : the one the user has seen; None does not ask

    Raises
    ------
    Refused : the flow has errors, or somebody was quicker; nothing is changed
    """
    with change_state(folder) as box:
        state = box[0]
        if revision is not None and revision != state.revision:
            raise Refused((make_trouble("publish", "conflict", revision=state.revision),))
        troubles = check_flow(flow, county, state)
        if has_errors(troubles):
            raise Refused(troubles)
        kept = state.find(flow.id) or Kept(flow.id, (), 0)
        number = max((v.number for v in kept.versions), default=0) + 1
        versions = (*kept.versions, Version(number, clock(), by, flow))[-KEEP_VERSIONS:]
        box[0] = _put(state, msgspec.structs.replace(kept, versions=versions, live=number), county, folder)
    return box[0]


def go_to(folder: Path, county: County, flow_id: str, number: int) -> State:
    """Follow an earlier (or later) version of a flow; 0 takes it back: its devices are retired.

    Raises
    ------
    Refused : the version does not fit any more
    InputError : there is no such flow or version
    """
    with change_state(folder) as box:
        kept = find_kept(box[0], flow_id)
        version = kept.find(number)
        if number and version is None:
            raise InputError(f"the flow {flow_id!r} has no version {number}")
        if version is not None:
            troubles = check_flow(version.flow, county, box[0])
            if has_errors(troubles):
                raise Refused(troubles)
        box[0] = _put(box[0], msgspec.structs.replace(kept, live=number), county, folder)
    return box[0]


def undo(folder: Path, county: County, flow_id: str) -> State:
    """Follow the version before the one that is followed; before the first: none.

    Raises
    ------
    Refused, InputError : as ``go_to``
    """
    with change_state(folder) as box:
        kept = find_kept(box[0], flow_id)
        before = max((v.number for v in kept.versions if v.number < kept.live), default=0)
    return go_to(folder, county, flow_id, before)


def find_kept(state: State, flow_id: str) -> Kept:
    """A flow with its versions.

    Raises
    ------
    InputError : there is none
    """
    kept = state.find(flow_id)
    if kept is None:
        raise InputError(f"there is no flow {flow_id!r}: load the page again")
    return kept


def _put(state: State, kept: Kept, county: County, folder: Path) -> State:
    flows = (*(k for k in state.flows if k.id != kept.id), kept)
    after = rebuild(msgspec.structs.replace(state, flows=tuple(sorted(flows, key=lambda k: k.id))), county)
    merge_county(county, after, folder)
    return after


def set_simulated(folder: Path, flow_id: str, on: bool, clock: Callable[[], float] = time.time) -> State:
    """Begin or end a time in which a flow's devices are simulated.

    Raises
    ------
    InputError : the flow is not followed by ingest
    """
    with change_state(folder) as box:
        state = box[0]
        if on and find_kept(state, flow_id).flow is None:
            raise InputError(f"the flow {flow_id!r} is not published: publish it, then simulate its devices")
        now = clock()
        rows = tuple(
            msgspec.structs.replace(s, until=now) if s.flow == flow_id and not s.until else s
            for s in state.simulated
        )
        if on:
            rows = (*rows, Simulated(flow_id, now))
        box[0] = msgspec.structs.replace(state, simulated=rows[-500:])
    return box[0]
