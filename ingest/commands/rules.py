"""What may be asked for, and who may let it through. Pure: no clock, no store, no network.

A refusal is a word that pages can translate, a colon, and the sentence.
"""

import math
from dataclasses import dataclass

from ingest.settings import CommandRule
from twin.model.county import County, Point
from twin.model.errors import InputError
from twin.model.quantities import find_quantity
from twin.model.setpoints import Limits, find_limits

WAIT_S = 1800.0
"""A request that nobody has decided on by then is void."""


@dataclass(frozen=True, slots=True)
class Rules:
    """``approval``: see ``CT_COMMANDS``. A demo county, whose field is simulated, may be written without
    accounts."""

    county: County
    approval: CommandRule = "second"

    def check_request(self, point_no: int, value: float, who: str, before: float, busy: bool) -> Limits:
        """Limits of a request that may go on.

        Parameters
        ----------
        before : what the point says now, SI; NaN: nothing known
        busy : another command for the point is not finished

        Raises
        ------
        InputError : it may not, and why
        """
        if self.approval == "off":
            raise InputError("off: commands are switched off (CT_COMMANDS=off)")
        if not who and not self.county.meta.demo:
            raise InputError(
                "named: a real plant is written by named accounts only: make accounts, then sign in"
            )
        point = self.find_point(point_no)
        limits = find_limits(self.county, point)
        if limits is None:
            raise InputError(f"point: {point.id} is not a set-point")
        _check_value(point, limits, value, before)
        if busy:
            raise InputError(f"busy: another command for {point.id} is not finished")
        return limits

    def check_approval(self, requested_by: str, who: str) -> None:
        """Raises ``InputError``: this account may not let that request through."""
        if self.approval == "off":
            raise InputError("off: commands are switched off (CT_COMMANDS=off)")
        if not who and requested_by:
            raise InputError("named: who approves needs an account")
        if not who and not self.county.meta.demo:
            raise InputError(
                "named: a real plant is written by named accounts only: make accounts, then sign in"
            )
        if self.approval == "second" and who and who == requested_by:
            raise InputError(f"second: {who} has asked for it: a second account must approve")

    def find_point(self, point_no: int) -> Point:
        """Raises ``InputError``: no such point."""
        if not 0 <= point_no < len(self.county.points):
            raise InputError(f"point: there is no point {point_no}")
        return self.county.points[point_no]


def _check_value(point: Point, limits: Limits, value: float, before: float) -> None:
    row = limits.setpoint
    if not math.isfinite(value):
        raise InputError("number: a finite number is needed")
    if not limits.low <= value <= limits.high:
        legal = f"{_say(point, limits.low)} to {_say(point, limits.high)}"
        raise InputError(f"limits: {point.id}: {_say(point, value)} is outside {legal}")
    if row.switch and value != round(value):
        raise InputError(f"number: {point.id} is a switch: only whole values")
    if math.isfinite(before) and abs(value - before) > row.step + 1e-9:
        raise InputError(
            f"step: {point.id}: from {_say(point, before)} to {_say(point, value)} is more than "
            f"{_say(point, row.step)} at once: go in steps"
        )


def _say(point: Point, value: float) -> str:
    """In the display unit."""
    q = find_quantity(point.quantity)
    return f"{value * q.scale:.{q.decimals}f} {q.display_unit}".strip()
