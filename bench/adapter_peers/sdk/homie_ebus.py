"""ebus-sdk (Homie 5): strict datatypes, a retracted value, a set-point and a switch that are set, death."""

import time

from ebus_sdk import Device, PropertyDatatype
from peer import await_end, job, say, sent

j = job()
device = Device(j.name, name="heat station", homie_domain="homie", mqtt_cfg={"host": j.host, "port": j.port})
node = device.add_node_from_dict({"id": "station", "name": "station", "type": "station"})
properties = {}


def kind(key, value) -> PropertyDatatype:
    if isinstance(value, bool):
        return PropertyDatatype.BOOLEAN
    return PropertyDatatype.INTEGER if key == j.whole else PropertyDatatype.FLOAT


def on_set(key, payload) -> None:
    text = payload.decode() if isinstance(payload, bytes) else str(payload)
    value = text == "true" if key == j.mode else float(text)
    say(order=float(value), told=f"{key} set to {text}")
    answer = {key: value, **({j.pos: value} if key == j.sp else {})}
    for k, v in answer.items():
        properties[k].set_value(v)
    say(sent=sent(answer, None))


for key, value in j.first.items():
    settable = key in (j.sp, j.mode)
    properties[key] = node.add_property_from_dict({
        "id": key.split("/")[1], "name": key, "datatype": kind(key, value), "settable": settable,
        "set_callback": (lambda payload, key=key: on_set(key, payload)) if settable else None,
    })  # fmt: skip
for key, value in j.first.items():
    properties[key].set_value(value)
device.start_mqtt_client()
time.sleep(1.5)
for key, value in j.second.items():
    properties[key].set_value(value)
spare = node.add_property_from_dict(
    {"id": j.spare.split("/")[1], "name": "spare", "datatype": PropertyDatatype.FLOAT}
)
spare.set_value(1.5)
spare.set_value(None)
unchanged = [k for k in j.second if j.second[k] == j.first[k]]
say(sent=sent(j.first, None) + sent({k: v for k, v in j.second.items() if k not in unchanged}, None)
    + [[j.spare, 1.5, None]])  # fmt: skip
await_end()
device.stop()
