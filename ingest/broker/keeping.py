"""What amqtt needs to keep its word at QoS 1: a message stays until the receiver has acknowledged it.

amqtt 0.12 drops a message it has sent when the receiver goes away, or takes more than 5 s, before the
acknowledgement. Ingest acknowledges after its commit, so that these are exactly the messages to send again.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import amqtt.broker
from amqtt.mqtt.constants import QOS_1
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import OUTGOING, OutgoingApplicationMessage, Session


class TrustThisMachine(BaseAuthPlugin):  # type: ignore[misc]  # amqtt is untyped
    """Accepts every client; the listener is on loopback.

    amqtt's own plugin for anonymous clients marks them as such, and for these the broker keeps neither
    session nor messages, though they ask for it.
    """

    async def authenticate(self, *, session: Session) -> bool:
        """Return True."""
        return True


class KeepingHandler(BrokerProtocolHandler):  # type: ignore[misc]  # amqtt is untyped
    """One connection; outgoing QoS 1 messages leave the session only with their acknowledgement."""

    kept_session: Session | None = None
    redelivery: asyncio.Future[Any] | None = None
    _late: set[asyncio.Future[Any]]

    def attach(self, session: Session, reader: Any, writer: Any) -> None:
        """Remember the session beyond ``detach``, and that this is its connection now."""
        super().attach(session, reader, writer)
        self.kept_session = session
        self._late = set()
        session.keeper = self

    async def mqtt_publish(
        self,
        topic: str,
        data: bytes | bytearray,
        qos: int | None,
        retain: bool,
        ack_timeout: int | None = None,
    ) -> OutgoingApplicationMessage:
        """Send a message; one for a connection that has ended meanwhile goes to the next of its session."""
        session = self.kept_session
        ended = session is not None and (self.session is None or session.keeper is not self)
        if session is not None and ended and qos == QOS_1:
            message = OutgoingApplicationMessage(session.next_packet_id, topic, qos, data, retain)
            session.inflight_out[message.packet_id] = message
            self._hand_over(message)
            return message
        return await super().mqtt_publish(topic, data, qos, retain, ack_timeout)

    def _hand_over(self, message: OutgoingApplicationMessage) -> None:
        """A message that this connection could not bring: the next one sends what it finds in the session at
        its beginning; one that comes later it would not find until it ends."""
        heir = getattr(self.kept_session, "keeper", None)
        if isinstance(heir, KeepingHandler) and heir is not self and heir.redelivery is not None:
            task = asyncio.ensure_future(heir._handle_message_flow(message))
            heir._late.add(task)
            task.add_done_callback(heir._forget)

    def _forget(self, task: asyncio.Future[Any]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # the message is still in the session; what went wrong is the connection

    def handle_puback(self, puback: Any) -> Coroutine[Any, Any, None]:
        """Take an acknowledgement at once, not in the task that amqtt makes of the answer.

        With the end of the connection tasks that did not begin yet are cancelled, and what was acknowledged
        came again.
        """
        number = puback.variable_header.packet_id
        if self.kept_session is not None:
            self.kept_session.inflight_out.pop(number, None)
        waiter = self._puback_waiters.get(number)
        if waiter is not None and not waiter.done():
            waiter.set_result(puback)
        return _nothing()

    async def _retry_deliveries(self) -> None:
        """Send again what was not acknowledged, without keeping the new connection waiting for it."""
        session = self.kept_session
        if session is not None:
            waiting = [*session.inflight_in.values(), *session.inflight_out.values()]
            flows = [self._handle_message_flow(message) for message in waiting]
            self.redelivery = asyncio.gather(*flows, return_exceptions=True)

    async def _handle_qos1_message_flow(self, app_message: Any) -> None:
        session = self.session
        if app_message.direction != OUTGOING or session is None:
            await super()._handle_qos1_message_flow(app_message)
            return
        number = app_message.packet_id
        session.inflight_out[number] = app_message
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._puback_waiters[number] = waiter
        try:
            packet = app_message.build_publish_packet(dup=app_message.publish_packet is not None)
            app_message.publish_packet = packet
            await self._send_packet(packet)
            app_message.puback_packet = await waiter
        except BaseException:
            if session.inflight_out.get(number) is app_message:
                self._hand_over(app_message)
            raise
        finally:
            if self._puback_waiters.get(number) is waiter:
                del self._puback_waiters[number]


async def _nothing() -> None:
    """Everything is done already."""


def make_broker(config: dict[str, Any]) -> amqtt.broker.Broker:
    """Return an amqtt broker whose connections keep what is not acknowledged."""
    amqtt.broker.BrokerProtocolHandler = KeepingHandler
    return amqtt.broker.Broker(config)
