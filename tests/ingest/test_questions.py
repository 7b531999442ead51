"""Questions to the store: what becomes of one that takes too long, and of one that is asked at the end."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingest.adapters import make_adapters
from ingest.store import bind, client, questions, serving, sums_client
from ingest.store.batch import Batch
from ingest.store.client import StoreClient
from ingest.store.owner import StoreOwner
from ingest.worker import loop
from ingest.worker.decode import Decoder
from ingest.worker.inbox import Inbox, Message
from tests.ingest.golden import directory
from tests.ingest.store_child import make_batch
from tests.ingest.test_delivery import reading
from tests.ingest.test_store_trouble import Acks
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


def test_a_question_whose_answer_nobody_fetches_is_let_go_and_keeps_no_old_versions(
    served: tuple[StoreOwner, StoreClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, asker = served
    monkeypatch.setattr(client, "TIMEOUT_S", 60.0)
    held = leave_open(asker)
    assert asked(owner) == 1 and owner.let_go() == 0, "it may still be fetched"
    owner.write(make_batch(2))
    assert not checkpoints(owner)
    monkeypatch.setattr(serving, "DESERTED_S", 0.0)
    assert owner.let_go() == 1 and asked(owner) == 0
    wait_until(lambda: checkpoints(owner), 20, "its snapshot is gone")
    assert asker.latest().point_no.size == 20, "whoever asks again is answered"
    held.close()


def checkpoints(owner: StoreOwner) -> bool:
    try:
        owner.db.execute("CHECKPOINT")
    except duckdb.Error:
        return False
    return True


def test_a_write_that_finds_no_memory_ends_the_questions_that_hold_it_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "RETRY_FIRST_S", 0.001)
    monkeypatch.setattr(client, "TIMEOUT_S", 60.0)
    owner = FullOwner(tmp_path / "county.duckdb", make_tiny_county().points)
    owner.write(make_batch(1))
    uri = f"quack:127.0.0.1:{free_port()}"
    owner.serve(uri, TOKEN)
    asker = StoreClient(uri, TOKEN)
    held = leave_open(asker)
    inbox, acks = Inbox(), Acks()
    writer = loop.Writer(owner, Decoder(make_adapters(), directory()), inbox, acks, threading.Event())
    inbox.put(Message("heat/RTU0001/data", reading(round(time.time() * 1000)), time.time(), 7, 1, 1))
    writer.step(0.0)
    assert acks.mids == [7] and owner.refused == 1
    assert dict(owner.db.execute("SELECT name, value FROM ingest_counter").fetchall())["messages"] == 1
    held.close()
    asker.close()
    owner.close()


class FullOwner(StoreOwner):
    """No memory as long as a question is open."""

    refused = 0

    def write(self, batch: Batch) -> int:
        if self._serving is not None and asked(self):
            self.refused += 1
            raise duckdb.OutOfMemoryException("as if")
        return super().write(batch)


def leave_open(asker: StoreClient) -> duckdb.DuckDBPyConnection:
    """A question of many rows of which only the first are fetched."""

    def work(cursor: duckdb.DuckDBPyConnection, store: str) -> duckdb.DuckDBPyConnection:
        mine = cursor.cursor()
        mine.execute(f"FROM {store}.query(?)", ["SELECT n FROM range(20000000) a(n)"])
        assert mine.fetchmany(10)
        return mine

    return asker._database().run(work, 60.0)
