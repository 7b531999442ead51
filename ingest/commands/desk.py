"""The desk: takes wishes, lets commands through, sends them, and watches for their effect.

Runs in the writer's thread, once a second. Every change of a command and its row in the audit are one
transaction; a command is written down as sent before it is handed to the broker, so that none is sent twice
after a crash (one that was never handed over times out and is told as such).
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ingest.adapters.downlink import Answer, Downlink, find_commander
from ingest.commands.rules import WAIT_S, Rules
from ingest.store.command_api import Command
from ingest.store.command_book import CommandBook, Step, Wish
from twin.model.county import County, Device
from twin.model.errors import InputError
from twin.model.quantities import convert_from_si
from twin.model.readings import Quality
from twin.model.setpoints import Limits, find_limits

log = logging.getLogger("ingest")
NAN = float("nan")
Send = Callable[[str, bytes, float], bool]
"""Publish (topic, payload) at QoS 1, void after so many seconds; False: the broker is away."""


@dataclass
class Desk:
    """``answers``: what devices said since the last call, filled by the decoder."""

    book: CommandBook
    rules: Rules
    adapters: Sequence[object]
    send: Send
    answers: "deque[Answer]" = field(default_factory=lambda: deque(maxlen=1000))
    clock: Callable[[], float] = time.time
    _at_sending: dict[int, float] = field(default_factory=dict)
    """Command -> measuring time of the read-back point when it was sent; lost with a restart."""

    def __post_init__(self) -> None:
        self.follow(self.rules.county)

    def follow(self, county: County) -> None:
        """Devices and points are now these."""
        self.rules = replace(self.rules, county=county)
        self._device = {d.id: d for d in county.devices}

    def work(self) -> None:
        """Everything that is due."""
        now = self.clock()
        for wish in self.book.wishes():
            self._take(wish, now)
        answers = [self.answers.popleft() for _ in range(len(self.answers))]
        for command in self.book.open_commands():
            if command.state == "waiting" and now - command.t > WAIT_S:
                self._end(command, "expired", "expired: nobody has decided on it in time", now)
            elif command.state == "sent":
                mine = [a for a in answers if a.no == command.no and a.device_id == command.device_id]
                self._watch(command, mine, now)

    def _take(self, wish: Wish, now: float) -> None:
        if wish.act == "request":
            self._request(wish, now)
        elif wish.act in ("approve", "reject", "withdraw"):
            self._decide(wish, now)
        elif wish.act not in ("retire", "reinstate"):
            self.book.write((), (), (wish,))

    def _request(self, wish: Wish, now: float) -> None:
        if self.book.find(wish.no) is not None:
            self.book.write((), (), (wish,))
            return
        seen = self.book.newest(wish.point_no)
        before = seen.value if seen is not None else NAN
        device_id, refused = "", ""
        try:
            busy = any(c.point_no == wish.point_no for c in self.book.open_commands())
            device_id = self.rules.find_point(wish.point_no).device_id
            self.rules.check_request(wish.point_no, wish.value, wish.who, before, busy)
            find_commander(self.adapters, self._find_device(device_id).dialect)
        except InputError as e:
            refused = str(e)
        command = Command(
            no=wish.no, t=now, point_no=wish.point_no, device_id=device_id, value=wish.value, before=before,
            state="refused" if refused else "waiting", changed=now, requested_by=wish.who, approved_by="",
            origin=wish.subject, reason=wish.reason, sent=NAN, until=NAN, answered=None, seen=NAN,
            detail=refused,
        )  # fmt: skip
        said = f"{wish.value:.6g} ({wish.subject}) {wish.reason}"
        steps = [Step(wish.no, now, "requested", wish.who, said)]
        if refused:
            steps.append(Step(wish.no, now, "refused", "", refused))
            log.warning("command %d refused: %s", wish.no, refused)
        self.book.write([command], steps, [wish])
        if not refused and self.rules.approval == "one":
            self._approve(command, wish.who, "whoever asks may approve (CT_COMMANDS=one)", now)

    def _decide(self, wish: Wish, now: float) -> None:
        command = self.book.find(wish.no)
        if command is None or command.state != "waiting":
            state = "unknown" if command is None else command.state
            said = f"state: not possible, the command is {state}"
            self.book.write((), [Step(wish.no, now, f"{wish.act} refused", wish.who, said)], [wish])
            return
        try:
            if wish.act == "approve":
                self.rules.check_approval(command.requested_by, wish.who)
            elif wish.act == "withdraw" and wish.who != command.requested_by:
                raise InputError("own: only who asked for it may withdraw it")
        except InputError as e:
            self.book.write((), [Step(wish.no, now, f"{wish.act} refused", wish.who, str(e))], [wish])
            return
        self.book.write((), (), [wish])
        if wish.act == "approve":
            self._approve(command, wish.who, wish.reason, now)
        else:
            state = "rejected" if wish.act == "reject" else "withdrawn"
            self._end(command, state, wish.reason, now, wish.who)

    def _approve(self, command: Command, who: str, reason: str, now: float) -> None:
        """Checked once more (minutes may have passed), written down as sent, then sent."""
        step = Step(command.no, now, "approved", who, reason)
        approved = replace(command, approved_by=who)
        held = self.book.newest(command.point_no)
        before = held.value if held is not None else NAN
        try:
            limits = self.rules.check_request(
                command.point_no, command.value, command.requested_by, before, busy=False
            )
            topic, payload, until = self._encode(command, limits, now)
        except InputError as e:
            self.book.write([], [step], ())
            self._end(approved, "refused", str(e), now)
            return
        feedback = self.book.newest(limits.feedback.no) if limits.feedback is not None else None
        self._at_sending[command.no] = feedback.t if feedback is not None else float("-inf")
        sent = replace(approved, state="sent", changed=now, sent=now, until=until, before=before)
        self.book.write([sent], [step, Step(command.no, now, "sent", "", topic)], ())
        if self.send(topic, payload, until - now):
            log.info("command %d sent to %s", command.no, topic)
        else:
            self._end(sent, "refused", "broker: the broker is away, nothing was sent", now)

    def _encode(self, command: Command, limits: Limits, now: float) -> tuple[str, bytes, float]:
        point = self.rules.find_point(command.point_no)
        device = self._find_device(command.device_id)
        until = now + limits.setpoint.timeout_s
        number = convert_from_si(command.value, point.unit)
        down = Downlink(device, point.external_key, number, command.no, now, until)
        return (*find_commander(self.adapters, device.dialect).encode_set(down), until)

    def _find_device(self, device_id: str) -> Device:
        try:
            return self._device[device_id]
        except KeyError:
            raise InputError(f"point: the county has no device {device_id!r}") from None

    def _watch(self, command: Command, answers: Sequence[Answer], now: float) -> None:
        """Has the value arrived, has the device refused, is the time over?"""
        steps: list[Step] = []
        for a in answers:
            said = ("yes" if a.ok else "no") + (f": {a.text}" if a.text else "")
            steps.append(Step(command.no, now, "answered", a.device_id, said))
            command = replace(command, answered=a.ok, detail=a.text)
        if steps:
            self.book.write([command], steps, ())
        if command.answered is False:
            self._end(command, "refused", command.detail or "the device refuses", now)
            return
        fresh, value, arrived = self._read_back(command)
        if fresh and not math.isclose(value, command.seen, abs_tol=1e-9):
            command = replace(command, seen=value)
            self.book.write([command], (), ())
        if arrived:
            self._end(command, "done", "", now)
        elif now > command.until:
            if fresh:
                self._end(
                    command, "differs", "differs: the time is over and the read-back says something else", now
                )
            else:
                known = (
                    "unseen: it has answered, but shown nothing"
                    if command.answered
                    else "silent: nothing was heard of it"
                )
                self._end(command, "timed_out", known, now)

    def _read_back(self, command: Command) -> tuple[bool, float, bool]:
        """(measured after the sending, value, arrived) of the read-back point.

        A point that already shows the value counts once the device has answered; a device without a
        read-back point is believed.
        """
        limits = find_limits(self.rules.county, self.rules.find_point(command.point_no))
        if limits is None or limits.feedback is None:
            return False, NAN, command.answered is True
        seen = self.book.newest(limits.feedback.no)
        if seen is None or seen.quality < Quality.UNCERTAIN:
            return False, NAN, False
        newer = seen.t > self._at_sending.get(command.no, command.sent)
        fresh = newer and seen.received >= command.sent
        near = abs(seen.value - command.value) <= limits.setpoint.tolerance
        return fresh, seen.value, near and (fresh or command.answered is True)

    def _end(self, command: Command, state: str, detail: str, now: float, who: str = "") -> None:
        self._at_sending.pop(command.no, None)
        over = replace(command, state=state, changed=now, detail=detail)
        point = self.rules.county.points[command.point_no]
        shown = "" if math.isnan(command.seen) else f"read back {command.seen:.6g}; "
        self.book.write([over], [Step(command.no, now, state, who, shown + detail)], ())
        log.info("command %d (%s = %.6g): %s %s", command.no, point.id, command.value, state, detail)
