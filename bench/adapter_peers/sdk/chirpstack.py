"""ChirpStack's own message definitions: an uplink, a status and a join, written as JSON by protobuf."""

import time

import paho.mqtt.client as mqtt
from chirpstack_api import integration
from google.protobuf.json_format import MessageToJson
from peer import await_end, job, say, sent

j = job()
client = mqtt.Client()
client.connect(j.host, j.port)
client.loop_start()


def publish(event: str, message) -> None:
    message.device_info.dev_eui = j.name
    message.device_info.application_name = "heat"
    message.device_info.tags["station"] = "S07"
    topic = f"application/4f9a/device/{j.name}/event/{event}"
    client.publish(topic, MessageToJson(message), qos=1).wait_for_publish()


def uplink(values: dict, t: int) -> integration.UplinkEvent:
    up = integration.UplinkEvent(f_port=2, f_cnt=17, dr=5, adr=True, confirmed=True, data=b"\x01\x02")
    up.time.FromMilliseconds(t)
    for key, value in values.items():
        up.object[key] = value
    for rssi, snr in ((-117, -3.5), (-31, 7.25)):
        up.rx_info.add(gateway_id="0016c001f153a14c", rssi=rssi, snr=snr)
    up.tx_info.frequency = 486300000
    return up


join = integration.JoinEvent(dev_addr="00189440")
join.time.FromMilliseconds(j.t1 - 1000)
publish("join", join)
publish("up", uplink(j.first, j.t1))
publish("up", uplink(j.second, j.t2))
status = integration.StatusEvent(margin=7, battery_level=93.5)
status.time.FromMilliseconds(j.t2 + 1)
publish("status", status)
publish("ack", integration.AckEvent(acknowledged=True))
publish("txack", integration.TxAckEvent(downlink_id=3))
publish("log", integration.LogEvent(level="WARNING", description="no answer"))
say(sent=sent(j.first, j.t1) + sent(j.second, j.t2)
    + [["rssi", -31, j.t1], ["rssi", -31, j.t2], ["batteryLevel", 93.5, j.t2 + 1]])  # fmt: skip
await_end()
time.sleep(0.1)
