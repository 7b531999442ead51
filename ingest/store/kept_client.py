"""The client's side of kept things."""

import json
import math
import time
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.store.bind import Bindable, microseconds
from ingest.store.kept_api import KINDS, Kept, KeptKind, KeptLine
from twin.model.errors import InputError

LIST = """
SELECT no, min(kind) AS kind, epoch(max(t)) AS changed, arg_max(state, t) AS state, arg_max(who, t) AS who,
       arg_max(title, t) AS title
FROM kept WHERE kind = $kind AND no >= $since GROUP BY no ORDER BY no DESC LIMIT $rows
"""
BODY = "SELECT arg_max(body, t) AS body FROM kept WHERE no = $no AND body <> '' GROUP BY no"

LOG = """
SELECT no, epoch(t) AS at, state, who, title, body FROM kept
WHERE kind = $kind AND t >= make_timestamp($since) ORDER BY t, no LIMIT $rows
"""


class KeptCalls:
    """What ``StoreClient`` offers of kept things; see ``KeptDoor``."""

    _last_kept = 0

    def _ask(self, sql: str, values: Mapping[str, Bindable] | None = None) -> dict[str, NDArray[np.generic]]:
        raise NotImplementedError

    def _append(self, table: str, row: pa.Table) -> None:
        raise NotImplementedError

    def keep(self, kind: KeptKind, title: str, body: object, who: str = "", state: str = "made") -> int:
        """See ``KeptDoor.keep``."""
        text = write_body(body)
        no = self._last_kept = max(microseconds(time.time()), self._last_kept + 1)
        self._append("kept", _as_table(no, no / 1e6, kind, state, who, title, text))
        return no

    def mark_kept(self, row: Kept, state: str, who: str, body: object = None) -> None:
        """See ``KeptDoor.mark_kept``."""
        text = "" if body is None else write_body(body)
        t = max(time.time(), row.changed + 1e-6)
        self._append("kept", _as_table(row.no, t, row.kind, state, who, row.title, text))

    def kept(self, kind: KeptKind, since: float = 0.0, limit: int = 100) -> list[Kept]:
        """See ``KeptDoor.kept``."""
        r = self._ask(LIST, {"kind": find_kind(kind), "since": microseconds(since), "rows": limit})
        return [
            Kept(
                int(r["no"][i]), KINDS[int(r["kind"][i])], int(r["no"][i]) / 1e6, float(r["changed"][i]),
                str(r["state"][i]), str(r["who"][i]), str(r["title"][i]),
            )
            for i in range(len(r["no"]))
        ]  # fmt: skip

    def kept_body(self, no: int) -> object | None:
        """See ``KeptDoor.kept_body``."""
        r = self._ask(BODY, {"no": no})
        if not len(r["body"]):
            return None
        found: object = json.loads(str(r["body"][0]))
        return found

    def kept_log(self, kind: KeptKind, since: float = 0.0, limit: int = 100_000) -> list[KeptLine]:
        """See ``KeptDoor.kept_log``."""
        r = self._ask(LOG, {"kind": find_kind(kind), "since": microseconds(since), "rows": limit})
        return [
            KeptLine(int(no), float(t), str(state), str(who), str(title), json.loads(body) if body else None)
            for no, t, state, who, title, body in zip(
                *(r[c].tolist() for c in ("no", "at", "state", "who", "title", "body")), strict=True
            )
        ]


def find_kind(kind: str) -> int:
    """Number of a kind. Raises ``InputError``: there is no such kind."""
    if kind not in KINDS:
        raise InputError(f"kept: there is no kind {kind!r}: give one of {', '.join(KINDS)}")
    return KINDS.index(kind)


def write_body(body: object) -> str:
    """As JSON; numpy arrays and numbers as plain ones, NaN as null. Raises ``InputError``."""
    try:
        return json.dumps(_plain(body), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as e:
        raise InputError(f"kept: the body is not JSON: {e}") from None


def _plain(x: object) -> object:
    if isinstance(x, np.ndarray):
        return _plain(x.tolist())
    if isinstance(x, np.generic):
        return _plain(x.item())
    if isinstance(x, float):
        return x if math.isfinite(x) else None
    if isinstance(x, Mapping):
        return {str(k): _plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [_plain(v) for v in x]
    return x


def _as_table(no: int, t: float, kind: str, state: str, who: str, title: str, body: str) -> pa.Table:
    return pa.table(
        {
            "no": pa.array([no], pa.int64()),
            "t": pa.array(np.array([microseconds(t)], "datetime64[us]")),
            "kind": pa.array([find_kind(kind)], pa.int32()),
            "state": [state],
            "who": [who],
            "title": [title],
            "body": [body],
        }
    )
