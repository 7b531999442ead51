"""The door for what engines made and people decided on: forecasts, proposals, rehearsals, calibrations."""

from dataclasses import dataclass
from typing import Literal, Protocol

KeptKind = Literal[
    "forecast",
    "dispatch",
    "rehearsal",
    "drill",
    "calibration",
    "balance",
    "report",
    "ahead",
    "verdict",
    "sight",
    "assimilation",
    "assimilation_order",
    "search",
    "search_advice",
    "complaint",
]
KINDS: tuple[KeptKind, ...] = (
    "forecast", "dispatch", "rehearsal", "drill", "calibration", "balance", "report", "ahead", "verdict",
    "sight", "assimilation", "assimilation_order", "search", "search_advice", "complaint",
)  # fmt: skip
"""Their places are the numbers in the store: only ever append."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One kept thing as it stands, without its body. ``made``: s since 1970 UTC; ``changed``: when ``state``
    and ``who`` were written last."""

    no: int
    kind: str
    made: float
    changed: float
    state: str
    who: str
    title: str


@dataclass(frozen=True, slots=True)
class KeptLine:
    """One line of the life of a kept thing: what was written at ``t`` (s since 1970 UTC) by ``who``.
    ``body``: None where the line only decided."""

    no: int
    t: float
    state: str
    who: str
    title: str
    body: object | None


class KeptDoor(Protocol):
    """What a store offers of kept things. Every call raises ``StoreUnavailable`` as the others do."""

    def keep(self, kind: KeptKind, title: str, body: object, who: str = "", state: str = "made") -> int:
        """Keep a body (anything JSON can say; NaN becomes null); returns its number.

        Raises
        ------
        InputError : JSON cannot say it, or the kind is unknown
        """
        ...

    def mark_kept(self, row: Kept, state: str, who: str, body: object = None) -> None:
        """A kept thing has been decided on (``body``: and changed)."""
        ...

    def kept(self, kind: KeptKind, since: float = 0.0, limit: int = 100) -> list[Kept]:
        """Things made at or after ``since``, newest first."""
        ...

    def kept_body(self, no: int) -> object | None:
        """The body as it stands, or None: there is none of this number."""
        ...

    def kept_log(self, kind: KeptKind, since: float = 0.0, limit: int = 100_000) -> list[KeptLine]:
        """Every line that was written at or after ``since`` for things of a kind, oldest first: what was
        later decided otherwise too."""
        ...
