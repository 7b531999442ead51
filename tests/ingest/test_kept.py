"""Kept things over the real store."""

import numpy as np
import pytest

from ingest.store.client import StoreClient
from tests.ingest import test_store
from twin.model.errors import InputError

served = test_store.served


def test_a_kept_thing_is_decided_on_and_its_body_stays(served) -> None:  # type: ignore[no-untyped-def]
    client: StoreClient = served[0]
    first = client.keep("dispatch", "早高峰", {"heat_w": np.array([1.5, np.nan]), "n": np.int64(3)})
    second = client.keep("dispatch", "夜间", [1, 2], who="zhang")
    client.keep("forecast", "", {})
    rows = client.kept("dispatch")
    assert [(r.no, r.state, r.who, r.title) for r in rows] == [
        (second, "made", "zhang", "夜间"), (first, "made", "", "早高峰"),
    ]  # fmt: skip
    client.mark_kept(rows[1], "approved", "li")
    assert [(r.state, r.who) for r in client.kept("dispatch")] == [("made", "zhang"), ("approved", "li")]
    assert client.kept_body(first) == {"heat_w": [1.5, None], "n": 3}
    client.mark_kept(rows[0], "edited", "li", {"new": True})
    assert client.kept_body(second) == {"new": True}
    assert [r.no for r in client.kept("dispatch", since=rows[0].made)] == [second]
    assert client.kept_body(1) is None


def test_what_json_cannot_say_is_refused(served) -> None:  # type: ignore[no-untyped-def]
    client: StoreClient = served[0]
    with pytest.raises(InputError, match="not JSON"):
        client.keep("dispatch", "", {"x": object()})
    with pytest.raises(InputError, match="no kind"):
        client.keep("nonsense", "", {})  # type: ignore[arg-type]
