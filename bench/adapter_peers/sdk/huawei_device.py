"""Huawei's IoTDA device SDK: a device reports properties of a service, is set, answers."""

import sys
import time

from peer import await_end, await_order, job, orders, say, sent

j = job()
sys.path.insert(0, j.checkout)
from iot_device_sdk_python.client import iot_result  # noqa: E402
from iot_device_sdk_python.client.client_conf import ClientConf  # noqa: E402
from iot_device_sdk_python.client.connect_auth_info import ConnectAuthInfo  # noqa: E402
from iot_device_sdk_python.client.listener.property_listener import PropertyListener  # noqa: E402
from iot_device_sdk_python.client.request.service_property import ServiceProperty  # noqa: E402
from iot_device_sdk_python.iot_device import IotDevice  # noqa: E402


class Listener(PropertyListener):
    def on_property_set(self, request_id, services) -> None:
        orders.put(services[0].properties[j.sp.split("/")[1]])
        device.get_client().respond_properties_set(request_id, iot_result.SUCCESS)

    def on_property_get(self, request_id, service_id) -> None:
        pass


def report(values: dict, t: "int | None") -> None:
    stamp = None if t is None else time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(t / 1000))
    plain = {k.split("/")[1]: v for k, v in values.items()}
    device.get_client().report_properties([ServiceProperty("Station", plain, stamp)])


auth = ConnectAuthInfo()
auth.server_uri, auth.port, auth.id, auth.secret = j.host, 1883, j.name, "secret"
device = IotDevice(ClientConf(auth))
auth.port = j.port  # only its constructor insists on 1883 or 8883
device.get_client().set_properties_listener(Listener())
device.connect()
client = device.get_client()  # Huawei's own broker delivers these unasked
client.subscribe_topic(f"$oc/devices/{auth.id}/sys/properties/set/#", 1, client)
time.sleep(0.5)
report(j.first, j.t1)
report(j.second, j.t2)
say(sent=sent(j.first, j.t1 // 1000 * 1000) + sent(j.second, j.t2 // 1000 * 1000))
value = await_order()
report({j.sp: value, j.pos: value}, None)
say(sent=sent({j.sp: value, j.pos: value}, None))
await_end()
device.get_client().close()
sys.exit(0)
