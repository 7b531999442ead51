"""ThingsBoard's own SDK, device API, on a listener with a mount point: telemetry and attributes.

Not an RPC: Mosquitto 2.0.11 hands out topics with the mount point before them (mended in 2.0.12), so that the
device does not know them.
"""

import time

from peer import await_end, job, say, sent
from tb_device_mqtt import TBDeviceMqttClient

j = job()
client = TBDeviceMqttClient(j.host, j.mounted, username="token-of-a-device")
client.connect()
for _ in range(100):
    if client.is_connected():
        break
    time.sleep(0.05)
client.send_attributes({"current_fw_version": "2.1"})
client.send_telemetry({"ts": j.t1, "values": j.first})
client.send_telemetry([{"ts": j.t2, "values": j.second}]).get()
say(sent=sent(j.first, j.t1) + sent(j.second, j.t2), firmware="2.1")
await_end()
client.disconnect()
