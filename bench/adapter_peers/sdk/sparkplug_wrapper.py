"""mqtt-spb-wrapper: a device by itself, without the birth of an edge node; attributes, data, a command."""

import time

from mqtt_spb_wrapper import MqttSpbEntityDevice
from peer import await_end, await_order, job, orders, say, sent

j = job()
device = MqttSpbEntityDevice("620999", "wrapper-edge", j.name)
device.attributes.set_value("serial", "A-17")
device.commands.set_value(j.sp, 40.0, callback_on_change=orders.put)
for key, value in j.first.items():
    device.data.set_value(key, value, j.t1)
device.connect(j.host, j.port)
device.publish_birth()
time.sleep(0.3)
for key, value in j.second.items():
    device.data.set_value(key, value, j.t2)
device.publish_data()
say(sent=sent(j.first, j.t1) + sent(j.second, j.t2))
value, t = await_order(), round(time.time() * 1000)
device.data.set_value(j.pos, value, t)
device.publish_data()
say(sent=sent({j.pos: value}, t))
await_end()
device.disconnect()
