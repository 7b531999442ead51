"""pysparkplug: an edge node with one device; integers of every width, a command, a death."""

import time

import pysparkplug as spb
from peer import await_end, await_order, job, orders, say, sent

j = job()
TYPES = {"CP1_RUN": spb.DataType.BOOLEAN, "T_STN": spb.DataType.INT16, "P1_ENERGY": spb.DataType.DOUBLE}


def metrics(values: dict, t: int) -> list:
    return [
        spb.Metric(timestamp=t, name=k, datatype=TYPES.get(k, spb.DataType.FLOAT), value=v)
        for k, v in values.items()
    ]


def on_order(_, message) -> None:
    for m in message.payload.metrics:
        say(told=f"DCMD {m.name} as {m.datatype.name}")
        orders.put(m.value)


node = spb.EdgeNode("620999", "pyspb-edge", [])
node.register(spb.Device(j.name, metrics(j.first, j.t1), cmd_callback=on_order))
node.connect(j.host, port=j.port)
time.sleep(0.7)
node.update_device(j.name, metrics(j.second, j.t2))
say(sent=sent(j.first, j.t1) + sent(j.second, j.t2))
value, t = await_order(), round(time.time() * 1000)
node.update_device(j.name, metrics({j.sp: value, j.pos: value}, t))
say(sent=sent({j.sp: value, j.pos: value}, t))
await_end()
node.disconnect()
