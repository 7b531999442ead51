"""The client's side of findings."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.store.bind import Bindable, microseconds
from ingest.store.finding_api import FoundSuspect, TwinFinding

FINDINGS = """
SELECT id, epoch(max(t)) AS t, arg_max(open, finding.t) AS open, arg_max(kind, finding.t) AS kind,
       arg_max(place, finding.t) AS place, arg_max(size, finding.t) AS size,
       arg_max(probability, finding.t) AS probability, epoch(arg_max(since, finding.t)) AS since,
       arg_max(evidence, finding.t) AS evidence, arg_max(suspects, finding.t) AS suspects
FROM finding WHERE finding.t >= make_timestamp($since)
GROUP BY id ORDER BY open DESC, since DESC, id LIMIT $rows
"""


class FindingCalls:
    """What ``StoreClient`` offers of findings; see ``FindingDoor``."""

    def _ask(self, sql: str, values: Mapping[str, Bindable] | None = None) -> dict[str, NDArray[np.generic]]:
        raise NotImplementedError

    def _append(self, table: str, row: pa.Table) -> None:
        raise NotImplementedError

    def write_findings(self, rows: Sequence[TwinFinding]) -> None:
        """See ``FindingDoor.write_findings``."""
        if rows:
            self._append("finding", _as_table(rows))

    def findings(self, since: float = 0.0, limit: int = 200) -> list[TwinFinding]:
        """See ``FindingDoor.findings``."""
        r = self._ask(FINDINGS, {"since": microseconds(since), "rows": limit})
        return [
            TwinFinding(
                str(r["id"][i]), float(r["t"][i]), bool(r["open"][i]), str(r["kind"][i]), str(r["place"][i]),
                float(r["size"][i]), float(r["probability"][i]), float(r["since"][i]),
                float(r["evidence"][i]), _read_suspects(str(r["suspects"][i])),
            )
            for i in range(len(r["id"]))
        ]  # fmt: skip


def _as_table(rows: Sequence[TwinFinding]) -> pa.Table:
    def times(values: list[float]) -> pa.Array:
        return pa.array(np.array([microseconds(v) for v in values], "datetime64[us]"))

    return pa.table(
        {
            "id": [r.id for r in rows],
            "t": times([r.t for r in rows]),
            "open": [r.open for r in rows],
            "kind": [r.kind for r in rows],
            "place": [r.place for r in rows],
            "size": pa.array([r.size for r in rows], pa.float64()),
            "probability": pa.array([r.probability for r in rows], pa.float64()),
            "since": times([r.since for r in rows]),
            "evidence": pa.array([r.evidence for r in rows], pa.float64()),
            "suspects": [_write_suspects(r.suspects) for r in rows],
        }
    )


def _write_suspects(rows: Sequence[FoundSuspect]) -> str:
    """JSON without NaN: a missing size is null."""
    plain = [[s.kind, s.place, s.size if np.isfinite(s.size) else None, s.probability] for s in rows]
    return json.dumps(plain, ensure_ascii=False)


def _read_suspects(text: str) -> tuple[FoundSuspect, ...]:
    return tuple(
        FoundSuspect(str(k), str(p), float("nan") if size is None else float(size), float(chance))
        for k, p, size, chance in json.loads(text)
    )
