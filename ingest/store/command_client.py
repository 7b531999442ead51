"""The client's side of commands and of the life of devices."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.store.bind import Bindable, microseconds
from ingest.store.command_api import Command, CommandStep, DeviceLife, Verdict

COMMANDS = """
SELECT no, epoch(t) AS t, point_no, device_id, value, before, state, epoch(changed) AS changed, requested_by,
       approved_by, origin, reason, epoch(sent) AS sent, epoch(until) AS until,
       CASE answered WHEN true THEN 1 WHEN false THEN 0 ELSE -1 END AS answered, seen, detail
FROM command WHERE t >= make_timestamp($since) ORDER BY no DESC LIMIT $rows
"""
STEPS = """
SELECT * FROM (
    SELECT no, epoch(t) AS t, step, who, detail, rowid AS row_no FROM command_step WHERE $no = 0 OR no = $no
    ORDER BY row_no DESC LIMIT $rows
) ORDER BY row_no
"""
LIVES = """
SELECT l.device_id, l.state, epoch(l.since) AS since, l.why, coalesce(f.value, '') AS firmware,
       try_cast(c.value AS DOUBLE) AS certificate_ends
FROM device_life l
LEFT JOIN device_fact f ON f.device_id = l.device_id AND f.key = 'firmware'
LEFT JOIN device_fact c ON c.device_id = l.device_id AND c.key = 'certificate_ends'
ORDER BY l.device_id
"""


class CommandCalls:
    """What ``StoreClient`` offers beside the readings; see ``CommandDoor``."""

    _last_no = 0

    def _ask(self, sql: str, values: Mapping[str, Bindable] | None = None) -> dict[str, NDArray[np.generic]]:
        raise NotImplementedError

    def _append(self, table: str, row: pa.Table) -> None:
        raise NotImplementedError

    def request_command(
        self, point_no: int, value: float, who: str, reason: str, origin: str = "page"
    ) -> int:
        """See ``CommandDoor.request_command``."""
        no = self._last_no = max(microseconds(time.time()), self._last_no + 1)
        self._wish("request", no, who, point_no, value, origin, reason)
        return no

    def decide_command(self, no: int, verdict: Verdict, who: str, reason: str = "") -> None:
        """See ``CommandDoor.decide_command``."""
        self._wish(verdict, no, who, -1, 0.0, "", reason)

    def commands(self, since: float = 0.0, limit: int = 200) -> list[Command]:
        """See ``CommandDoor.commands``."""
        r = self._ask(COMMANDS, {"since": microseconds(since), "rows": int(limit)})
        return [_command({k: v[i] for k, v in r.items()}) for i in range(len(r["no"]))]

    def command_steps(self, no: int = 0, limit: int = 1000) -> list[CommandStep]:
        """See ``CommandDoor.command_steps``."""
        r = self._ask(STEPS, {"no": int(no), "rows": int(limit)})
        return [
            CommandStep(
                int(r["no"][i]), float(r["t"][i]), str(r["step"][i]), str(r["who"][i]), str(r["detail"][i])
            )
            for i in range(len(r["no"]))
        ]  # fmt: skip

    def retire_device(self, device_id: str, who: str, reason: str, *, back: bool = False) -> None:
        """See ``CommandDoor.retire_device``."""
        self._wish("reinstate" if back else "retire", 0, who, -1, 0.0, device_id, reason)

    def device_lives(self) -> list[DeviceLife]:
        """See ``CommandDoor.device_lives``."""
        r = self._ask(LIVES)
        return [
            DeviceLife(
                str(r["device_id"][i]), str(r["state"][i]), float(r["since"][i]), str(r["why"][i]),
                str(r["firmware"][i]), _number(r["certificate_ends"][i]),
            )
            for i in range(len(r["device_id"]))
        ]  # fmt: skip

    def _wish(
        self, act: str, no: int, who: str, point_no: int, value: float, subject: str, reason: str
    ) -> None:
        at = np.array([microseconds(time.time())], "datetime64[us]")
        self._append(
            "wish",
            pa.table(
                {
                    "t": pa.array(at),
                    "act": [act],
                    "no": pa.array([no], pa.int64()),
                    "who": [who[:80]],
                    "point_no": pa.array([point_no], pa.int32()),
                    "value": pa.array([float(value)], pa.float64()),
                    "subject": [subject[:200]],
                    "reason": [reason[:500]],
                }
            ),
        )


def _number(x: Any) -> float:
    return float("nan") if np.ma.is_masked(x) or x is None else float(x)


def _command(row: Mapping[str, Any]) -> Command:
    answered = {1: True, 0: False}.get(int(row["answered"]))
    return Command(
        int(row["no"]), float(row["t"]), int(row["point_no"]), str(row["device_id"]), float(row["value"]),
        _number(row["before"]), str(row["state"]), float(row["changed"]), str(row["requested_by"]),
        str(row["approved_by"]), str(row["origin"]), str(row["reason"]), _number(row["sent"]),
        _number(row["until"]), answered, _number(row["seen"]), str(row["detail"]),
    )  # fmt: skip
