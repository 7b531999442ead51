"""The door for commands and the life of devices: what other processes may ask for and see."""

from dataclasses import dataclass
from typing import Literal, Protocol

CommandState = Literal[
    "waiting", "sent", "done", "refused", "rejected", "withdrawn", "expired", "timed_out", "differs"
]
OPEN: tuple[str, ...] = ("waiting", "sent")
"""States that change by themselves; all others are ends."""
Verdict = Literal["approve", "reject", "withdraw"]


@dataclass(frozen=True, slots=True)
class Command:
    """One set-point as it stands. Values in SI, times in s since 1970 UTC; NaN: not known, not yet.

    ``before``: what the point said before; ``seen``: the last read-back; ``answered``: what the device said.
    ``requested_by``, ``approved_by``: accounts; empty: this machine, without accounts (or not yet approved).
    """

    no: int
    t: float
    point_no: int
    device_id: str
    value: float
    before: float
    state: str
    changed: float
    requested_by: str
    approved_by: str
    origin: str
    reason: str
    sent: float
    until: float
    answered: bool | None
    seen: float
    detail: str


@dataclass(frozen=True, slots=True)
class CommandStep:
    """One row of the audit."""

    no: int
    t: float
    step: str
    who: str
    detail: str


@dataclass(frozen=True, slots=True)
class DeviceLife:
    """Where a device stands: ``state`` registered, online, silent, faulty or retired, ``since`` when, why.

    ``firmware``: what it says; ``certificate_ends``: s since 1970 UTC, NaN when it has none that we know.
    """

    device_id: str
    state: str
    since: float
    why: str
    firmware: str
    certificate_ends: float


class CommandDoor(Protocol):
    """Part of ``ingest.store.api.Store``. Every call raises ``StoreUnavailable`` as the others do."""

    def request_command(
        self, point_no: int, value: float, who: str, reason: str, origin: str = "page"
    ) -> int:
        """Ask that ``value`` (SI) be written to a point; returns the number of the command.

        ``who``: name of the account that asks. Ingest takes it within about a second, refuses it or lets it
        wait for approval, as ``commands`` then tells.
        """
        ...

    def decide_command(self, no: int, verdict: Verdict, who: str, reason: str = "") -> None:
        """Approve, reject or withdraw a waiting command; what is not allowed is told in its steps."""
        ...

    def commands(self, since: float = 0.0, limit: int = 200) -> list[Command]:
        """Asked for at or after ``since``, newest first."""
        ...

    def command_steps(self, no: int = 0, limit: int = 1000) -> list[CommandStep]:
        """The audit of one command (0: of all, the newest), by time."""
        ...

    def retire_device(self, device_id: str, who: str, reason: str, *, back: bool = False) -> None:
        """Take a device out of service (``back``: into service again)."""
        ...

    def device_lives(self) -> list[DeviceLife]:
        """Where every device stands that ingest knows, by id."""
        ...
