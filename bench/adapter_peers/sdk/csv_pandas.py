"""pandas: tables as ``to_csv`` writes them, wide with a time index and long."""

import paho.mqtt.client as mqtt
import pandas as pd
from peer import await_end, job, say, sent

j = job()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.connect(j.host, j.port)
client.loop_start()
wide = pd.DataFrame([j.first], index=pd.to_datetime([j.t1], unit="ms", utc=True).tz_convert("Asia/Shanghai"))
long = pd.DataFrame([{"ts": j.t2, "key": k, "value": float(v)} for k, v in j.second.items()])
for text in (wide.to_csv(index_label="time"), long.to_csv(index=False, sep=";")):
    client.publish(f"csv/{j.name}/data", text, qos=1).wait_for_publish()
say(sent=sent(j.first, j.t1) + sent(j.second, j.t2))
await_end()
