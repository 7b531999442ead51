"""ngsildclient: entities normalized by it, in the notification that a context broker sends over MQTT."""

import json
from datetime import UTC, datetime

import paho.mqtt.client as mqtt
from ngsildclient import Entity
from peer import await_end, job, say, sent

j = job()
client = mqtt.Client()
client.connect(j.host, j.port)
client.loop_start()


def notify(number: int, values: dict, t: int) -> None:
    entity = Entity("HeatSubstation", j.name.removeprefix("urn:ngsi-ld:HeatSubstation:"))
    moment = datetime.fromtimestamp(t / 1000, UTC)
    for key, value in values.items():
        entity.prop(key, value, observedat=moment, unitcode="CEL" if key == "P1_TS" else None)
    entity.loc(35.58, 103.62)
    entity.rel("refHeatSource", "HeatSource:SRC1")
    shown = json.loads(entity.to_json())
    body = {"id": f"urn:ngsi-ld:Notification:{number}", "type": "Notification", "data": [shown],
            "subscriptionId": "urn:ngsi-ld:Subscription:7",
            "notifiedAt": datetime.now(UTC).isoformat().replace("+00:00", "Z")}  # fmt: skip
    envelope = {"metadata": {"Content-Type": "application/json"}, "body": body}
    client.publish("ngsi-ld/notify", json.dumps(envelope), qos=1).wait_for_publish()


notify(1, j.first, j.t1)
notify(2, j.second, j.t2)
say(sent=sent(j.first, j.t1 // 1000 * 1000) + sent(j.second, j.t2 // 1000 * 1000))
await_end()
