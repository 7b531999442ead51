"""What a calibration is: factors on survey values, how sure they are, and what they are worth.

A factor multiplies the survey value of its group; its logarithm is normally distributed. What the data do not
tell keeps the factor it was believed to have, and says so.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import exp
from typing import Any, Literal

from twin.model.errors import InputError

Kind = Literal[
    "roughness", "valve_loss", "heat_loss", "exchanger", "building_loss", "building_capacity",
    "building_gain", "building_wind", "building_air",
]  # fmt: skip
KINDS: tuple[Kind, ...] = (
    "roughness", "valve_loss", "heat_loss", "exchanger", "building_loss", "building_capacity",
    "building_gain", "building_wind", "building_air",
)  # fmt: skip
LEARNT_SHARE = 0.7
"""A factor counts as learnt when the data have brought its uncertainty below this share of what it was."""
FORMAT = 1
SECTION_VALVES = "section valves"


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor on the survey values of a group.

    ``kind``: what it multiplies; ``group``: name of a pipe group, ``section valves``, or id of a station.
    ``value``: the factor; ``sigma``: standard uncertainty of its logarithm, ``prior_sigma`` the same before
    the data were seen.
    """

    kind: Kind
    group: str
    value: float
    sigma: float
    prior_sigma: float

    @property
    def learnt(self) -> bool:
        """Whether the data say more than what was believed before."""
        return self.sigma < LEARNT_SHARE * self.prior_sigma

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.value * exp(-1.96 * self.sigma)

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.value * exp(1.96 * self.sigma)


@dataclass(frozen=True, slots=True)
class Score:
    """Root mean square of measured less simulated, SI, on days that were not used: with survey values
    (``before``) and with the factors (``after``), over ``count`` readings of the points with this ``key``."""

    key: str
    before: float
    after: float
    count: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """One version.

    ``trained``, ``tested``: first and last moment (s since 1970 UTC) of the records used for fitting and of
    those kept apart. ``pipes``: group of each pipe by its id. ``unknown``: sentences on what the data cannot
    tell, and which data would.
    """

    factors: tuple[Factor, ...]
    scores: tuple[Score, ...]
    pipes: dict[str, str]
    trained: tuple[float, float]
    tested: tuple[float, float]
    unknown: tuple[str, ...]

    def find(self, kind: Kind, group: str) -> Factor | None:
        """The factor of one group, or None."""
        return next((f for f in self.factors if f.kind == kind and f.group == group), None)

    def as_body(self) -> dict[str, Any]:
        """Plain tables, for JSON."""
        return {"format": FORMAT, **asdict(self)}


def read_calibration(body: Mapping[str, Any]) -> Calibration:
    """Take a calibration from what :meth:`Calibration.as_body` gave.

    Raises
    ------
    InputError : the body is not one, or of a newer format
    """
    if body.get("format") != FORMAT:
        raise InputError(f"calibration of format {body.get('format')!r}: this version reads format {FORMAT}")
    try:
        return Calibration(
            factors=tuple(Factor(**row) for row in body["factors"]),
            scores=tuple(Score(**row) for row in body["scores"]),
            pipes=dict(body["pipes"]),
            trained=(float(body["trained"][0]), float(body["trained"][1])),
            tested=(float(body["tested"][0]), float(body["tested"][1])),
            unknown=tuple(body["unknown"]),
        )
    except (KeyError, TypeError, IndexError, ValueError) as e:
        raise InputError(f"calibration cannot be read: {e}") from e
