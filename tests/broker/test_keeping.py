"""What the embedded broker does with messages and acknowledgements while one connection follows another."""

import asyncio
from typing import Any

import pytest
from amqtt.mqtt.constants import QOS_1
from amqtt.mqtt.puback import PubackPacket
from amqtt.session import Session

from ingest.broker.keeping import KeepingHandler
from tests.support.aio import run_alone


class Connection(KeepingHandler):  # type: ignore[misc]  # amqtt is untyped
    """A connection that only writes down what is sent."""

    def __init__(self, session: Session) -> None:
        super().__init__(plugins_manager=object(), loop=asyncio.get_running_loop())
        self.sent: list[int] = []
        self.attach(session, None, None)

    async def _send_packet(self, packet: Any) -> None:
        self.sent.append(packet.packet_id)

    async def begin(self) -> None:
        await self._retry_deliveries()
        await asyncio.sleep(0)

    def end(self) -> None:
        self._stop_waiters()
        self.detach()


def make_session() -> Session:
    session = Session()
    session.client_id = "ingest"
    session.clean_session = False
    return session


def test_an_acknowledgement_counts_although_the_connection_ends_in_the_same_breath() -> None:
    async def run() -> None:
        session = make_session()
        first = Connection(session)
        flow = asyncio.ensure_future(first.mqtt_publish("a", b"1", QOS_1, False))
        await asyncio.sleep(0)
        assert first.sent == [1] and list(session.inflight_out) == [1]
        asyncio.ensure_future(first.handle_puback(PubackPacket.build(1))).cancel()  # as amqtt does
        first.end()
        await asyncio.gather(flow, return_exceptions=True)
        second = Connection(session)
        await second.begin()
        assert second.sent == [] and not session.inflight_out

    run_alone(run())


@pytest.mark.parametrize("began", [False, True])
def test_a_message_for_the_connection_before_is_sent_by_the_next_one(began: bool) -> None:
    """``began``: the next connection has already looked at what the session holds."""

    async def run() -> None:
        session = make_session()
        first = Connection(session)
        under_way = asyncio.ensure_future(first.mqtt_publish("a", b"1", QOS_1, False))
        await asyncio.sleep(0)
        second = Connection(session)
        if began:
            await second.begin()
        late = asyncio.ensure_future(first.mqtt_publish("a", b"2", QOS_1, False))
        await asyncio.sleep(0)
        first.end()
        if not began:
            await second.begin()
        for _ in range(5):
            await asyncio.sleep(0)
        assert sorted(set(second.sent)) == [1, 2]
        for number in (1, 2):
            await second.handle_puback(PubackPacket.build(number))
        await asyncio.gather(under_way, late, return_exceptions=True)
        assert not session.inflight_out
        second.end()

    run_alone(run())
