"""ThingsBoard's own SDK, device API over HTTP, to the push gateway."""

from datetime import UTC, datetime

from peer import await_end, job, say, sent
from tb_device_http import TBHTTPDevice

j = job()
device = TBHTTPDevice(j.push, j.token)
device.send_attributes({"firmware": "1.9"})
device.send_telemetry(j.first, timestamp=datetime.fromtimestamp(j.t1 / 1000, UTC), queued=False)
device.send_telemetry(j.second, timestamp=datetime.fromtimestamp(j.t2 / 1000, UTC), queued=False)
say(sent=sent(j.first, j.t1) + sent(j.second, j.t2), firmware="1.9")
await_end()
