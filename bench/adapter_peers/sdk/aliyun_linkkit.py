"""Aliyun's LinkKit: a device of a thing model posts properties, is answered, is set, answers."""

import json
import time
from pathlib import Path

from linkkit import linkkit
from peer import await_end, await_order, job, orders, say, sent

j = job()
key, name = j.name.split("/")
model = Path(j.folder) / "tsl.json"
model.write_text(json.dumps({"profile": {"productKey": key}, "properties": [], "events": [], "services": []}))
kit = linkkit.LinkKit("cn-shanghai", key, name, "secret")
kit.config_mqtt(port=j.port, secure="", endpoint=j.host)
kit.thing_setup(str(model))
kit.on_thing_enable = lambda _: enabled.append(1)
kit.on_thing_prop_changed = lambda params, _: orders.put(params[j.sp])
kit.on_thing_prop_post = lambda number, code, data, message, _: answers.append((number, code))
enabled: list = []
answers: list = []
kit.connect_async()
for _ in range(200):
    if enabled:
        break
    time.sleep(0.05)
topics = (f"/sys/{j.name}/thing/service/property/set", f"/sys/{j.name}/thing/event/property/post_reply")
kit.on_subscribe_topic = lambda mid, qos, topic, _: subscribed.append(topic)
subscribed: list = []
kit.subscribe_topic([(t, 1) for t in topics])  # Aliyun's own broker delivers these unasked
for _ in range(100):
    if subscribed:
        break
    time.sleep(0.05)
first = {k: {"value": int(v) if isinstance(v, bool) else v, "time": j.t1} for k, v in j.first.items()}
second = {k: {"value": int(v) if isinstance(v, bool) else v, "time": j.t2} for k, v in j.second.items()}
kit.thing_post_property(first)
kit.thing_post_property(second)
say(sent=sent(j.first, j.t1) + sent(j.second, j.t2))
value = await_order()
kit.thing_post_property({j.sp: value, j.pos: value})
say(sent=sent({j.sp: value, j.pos: value}, None))
for _ in range(40):
    if len(answers) == 3:
        break
    time.sleep(0.05)
say(told=f"{sum(code == 200 for _, code in answers)} of 3 posts answered")
await_end()
kit.disconnect()
