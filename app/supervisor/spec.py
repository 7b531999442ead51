"""What a child process is: its command, what it waits for, how it is seen to be up and how it is stopped."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Folder of the packages; every child runs there so that ``python -m`` finds them."""

EX_CONFIG = 78
"""Exit status of a process that cannot run as configured (``sysexits.h``); it is not restarted."""

Probe = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process to keep running.

    ``needs``: names that must be up (or done, for a ``once`` child) first, however long that takes.
    ``after``: names that should be up first, waited for ``after_s`` at most (it spreads the work of a start).
    ``probe``: True when it answers; without one it counts as up after ``settle_s``.
    ``stop_rank``: lower is stopped earlier; ``grace_s`` is what it gets between TERM and KILL.
    ``once``: it does one job and ends with status 0; any other status ends the run, unless it is not
    ``vital``: then the run goes on without what it would have made.
    ``orphan_signal``: what the kernel sends it when the supervisor itself is killed.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    after_s: float = 12.0
    probe: Probe | None = None
    settle_s: float = 2.0
    stop_rank: int = 0
    grace_s: float = 5.0
    once: bool = False
    vital: bool = True
    orphan_signal: signal.Signals = signal.SIGKILL
