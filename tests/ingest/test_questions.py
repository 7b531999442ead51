"""Questions to the store: what becomes of one that takes too long, and of one that is asked at the end."""

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingest.store import bind, client, questions, sums_client
from ingest.store.client import StoreClient
from ingest.store.owner import StoreOwner
from tests.ingest.store_child import make_batch
from tests.support.system import free_port, wait_until
from tests.support.tiny import make_tiny_county
from twin.model.errors import StoreUnavailable

TOKEN = "token-of-a-test"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[StoreOwner, StoreClient]]:
    owner = StoreOwner(tmp_path / "county.duckdb", make_tiny_county().points)
    owner.write(make_batch(1))
    uri = f"quack:127.0.0.1:{free_port()}"
    owner.serve(uri, TOKEN)
    asker = StoreClient(uri, TOKEN)
    yield owner, asker
    asker.close()
    owner.close()


def endless(monkeypatch: pytest.MonkeyPatch, seconds: int) -> str:
    monkeypatch.setattr(bind, "ASKED_S", seconds)
    return f"SELECT count(*) FROM range(1000000000000) a(n) WHERE {bind.in_time('n')}"


def asked(owner: StoreOwner) -> int:
    found = owner.db.execute("SELECT count(*) FROM quack_active_connections() WHERE state = 'active'")
    return int((found.fetchone() or (0,))[0])


def test_a_question_whose_client_has_gone_ends_at_the_owner(
    served: tuple[StoreOwner, StoreClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, asker = served
    assert asker.latest().point_no.size == 20
    monkeypatch.setattr(client, "TIMEOUT_S", 0.5)
    with pytest.raises(StoreUnavailable, match="no answer in 0.5 s"):
        asker._ask(endless(monkeypatch, 3))
    assert asked(owner) == 1, "it goes on without its client"
    wait_until(lambda: asked(owner) == 0, 60, "the owner has given the question up")
    monkeypatch.setattr(client, "TIMEOUT_S", 60.0)
    assert asker.latest().point_no.size == 20, "others are answered as before"


def test_the_owner_answers_what_was_asked_before_it_closes(
    served: tuple[StoreOwner, StoreClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, asker = served
    said: list[str] = []
    text = endless(monkeypatch, 2)
    monkeypatch.setattr(client, "TIMEOUT_S", 60.0)

    def ask() -> None:
        try:
            asker._database().run(
                lambda c, store: c.execute(f"FROM {store}.query(?)", [text]).fetchall(), 60.0
            )
        except duckdb.Error as e:
            said.append(str(e))

    thread = threading.Thread(target=ask)
    thread.start()
    wait_until(lambda: asked(owner) == 1, 60, "the question runs")
    owner.close()
    thread.join(120)
    assert "took longer than 2 s" in said[0], "not broken off by the end of the owner"


def test_what_reads_many_rows_has_a_limit() -> None:
    texts = {k: v for k, v in vars(questions).items() if isinstance(v, str) and "FROM reading" in v}
    texts |= {"fresh": sums_client._FRESH, **{str(k): v for k, v in questions.ROLLED_UP.items()}}
    assert len(texts) >= 8
    assert [k for k, v in texts.items() if "uuidv7()" not in v] == []
