"""ThingsBoard's own SDK, gateway API: a device connects, sends, is written to, disconnects."""

import time

from peer import await_end, await_order, job, orders, say, sent
from tb_gateway_mqtt import TBGatewayMqttClient

j = job()
gateway = TBGatewayMqttClient(j.host, j.port, username="token-of-a-gateway")
ids: list = []


def on_rpc(_, body) -> None:
    if body.get("data", {}).get("method") == "set":
        ids.append(body["data"]["id"])
        orders.put(body["data"]["params"][j.sp])


gateway.gw_set_server_side_rpc_request_handler(on_rpc)
gateway.connect()
for _ in range(100):
    if gateway.is_connected():
        break
    time.sleep(0.05)
gateway.gw_connect_device(j.name, "heat station")
gateway.gw_send_attributes(j.name, {"firmware": "7.3"})
gateway.gw_send_telemetry(j.name, {"ts": j.t1, "values": j.first})
gateway.gw_send_telemetry(j.name, [{"ts": j.t2, "values": j.second}]).get()
say(sent=sent(j.first, j.t1) + sent(j.second, j.t2), firmware="7.3")
value, t = await_order(), round(time.time() * 1000)
gateway.gw_send_rpc_reply(j.name, ids[0], {"success": True})
gateway.gw_send_telemetry(j.name, {"ts": t, "values": {j.sp: value, j.pos: value}}).get()
say(sent=sent({j.sp: value, j.pos: value}, t))
await_end()
gateway.gw_disconnect_device(j.name).get()
gateway.disconnect()
