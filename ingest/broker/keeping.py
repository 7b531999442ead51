"""What amqtt needs to keep its word at QoS 1: a message stays until the receiver has acknowledged it.

amqtt 0.12 drops a message it has sent when the receiver goes away, or takes more than 5 s, before the
acknowledgement. Ingest acknowledges after its commit, so that these are exactly the messages to send again.
"""

import asyncio
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

    def attach(self, session: Session, reader: Any, writer: Any) -> None:
        """Remember the session beyond ``detach``, for what is still on its way then."""
        super().attach(session, reader, writer)
        self.kept_session = session

    async def mqtt_publish(
        self,
        topic: str,
        data: bytes | bytearray,
        qos: int | None,
        retain: bool,
        ack_timeout: int | None = None,
    ) -> OutgoingApplicationMessage:
        """Send a message; one for a connection that has just ended waits in its session for the next."""
        session = self.kept_session
        if self.session is None and session is not None and qos == QOS_1:
            message = OutgoingApplicationMessage(session.next_packet_id, topic, qos, data, retain)
            session.inflight_out[message.packet_id] = message
            return message
        return await super().mqtt_publish(topic, data, qos, retain, ack_timeout)

    async def handle_puback(self, puback: Any) -> None:
        """Take an acknowledgement, also one that arrives together with the end of the connection."""
        number = puback.variable_header.packet_id
        if number in self._puback_waiters:
            await super().handle_puback(puback)
        elif self.kept_session is not None:
            self.kept_session.inflight_out.pop(number, None)

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
        finally:
            self._puback_waiters.pop(number, None)
        session.inflight_out.pop(number, None)


def make_broker(config: dict[str, Any]) -> amqtt.broker.Broker:
    """Return an amqtt broker whose connections keep what is not acknowledged."""
    amqtt.broker.BrokerProtocolHandler = KeepingHandler
    return amqtt.broker.Broker(config)
