"""A desk over a real store, with a clock of its own and the wire in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from ingest.adapters import compile_directory, make_adapters
from ingest.commands.desk import Desk
from ingest.commands.rules import Rules
from ingest.settings import CommandRule
from ingest.store.command_api import Command
from ingest.store.command_book import CommandBook
from ingest.store.owner import StoreOwner
from ingest.worker.decode import Decoder
from ingest.worker.inbox import Message
from tests.support.tiny import make_tiny_county
from twin.model.county import County

NOW = 1_795_000_000.0


@dataclass
class Office:
    """``say``: a message from the field; ``ask`` and ``decide``: what the dashboard writes into the inbox."""

    county: County
    owner: StoreOwner
    now: float = NOW
    wire: list[tuple[str, bytes, float]] = field(default_factory=list)
    approval: CommandRule = "second"
    broker_there: bool = True

    def __post_init__(self) -> None:
        self.decoder = Decoder(make_adapters(), compile_directory(self.county))
        self.book = CommandBook(self.owner.db)
        self.open_desk()

    def open_desk(self) -> None:
        """As after a restart of ingest: nothing is remembered but what the store holds."""
        self.desk = Desk(
            self.book, Rules(self.county, self.approval), self.decoder.adapters,
            self.send, self.decoder.answers, lambda: self.now,
        )  # fmt: skip

    def send(self, topic: str, payload: bytes, valid_s: float) -> bool:
        if self.broker_there:
            self.wire.append((topic, payload, valid_s))
        return self.broker_there

    def no(self, point_id: str) -> int:
        return self.county.point_by_id[point_id].no

    def say(self, topic: str, payload: bytes) -> None:
        batch, _ = self.decoder.decode_batch([Message(topic, payload, self.now, 0, 1, 1)])
        self.owner.write(batch)
        assert batch.dead == (), batch.dead

    def wish(
        self, act: str, no: int, who: str, point_no: int = -1, value: float = 0.0, text: str = ""
    ) -> None:
        self.owner.db.execute(
            "INSERT INTO wish VALUES (make_timestamp(?), ?, ?, ?, ?, ?, ?, ?)",
            [round(self.now * 1e6), act, no, who, point_no, value, "page", text],
        )
        self.desk.work()

    def ask(self, point_id: str, value: float, who: str = "li") -> int:
        number = round(self.now * 1e6) + np.random.default_rng().integers(1, 999_999)
        self.wish("request", int(number), who, self.no(point_id), value, "it is cold")
        return int(number)

    def find(self, no: int) -> Command:
        found = self.book.find(no)
        assert found is not None
        return found

    def steps(self, no: int) -> list[tuple[str, str]]:
        rows = self.owner.db.execute(
            "SELECT step, who FROM command_step WHERE no = ? ORDER BY t, rowid", [no]
        ).fetchall()
        return [(str(step), str(who)) for step, who in rows]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    county = make_tiny_county()
    owner = StoreOwner(tmp_path / "store" / "county.duckdb", county.points)
    yield Office(county, owner)
    owner.close()
