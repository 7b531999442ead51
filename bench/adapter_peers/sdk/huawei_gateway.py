"""Huawei's IoTDA device SDK, a gateway: reports properties of a sub-device, which is set through it."""

import os
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
from iot_device_sdk_python.gateway.abstract_gateway import AbstractGateway  # noqa: E402
from iot_device_sdk_python.gateway.sub_devices_persistence import SubDevicesPersistence  # noqa: E402


class NoMemory(SubDevicesPersistence):
    def get_sub_device(self, node_id):
        return None

    def add_sub_devices(self, sub_devices_info):
        return -1

    def delete_sub_devices(self, sub_devices_info):
        return -1

    def get_version(self):
        return -1


class Gateway(AbstractGateway):
    def on_sub_dev_command(self, request_id, command):
        pass

    def on_sub_dev_message(self, message):
        pass

    def on_sub_dev_properties_set(self, request_id, props_set):
        if props_set.device_id == j.name:
            orders.put(props_set.services[0].properties[j.sp.split("/")[1]])
            self.get_client().respond_properties_set(request_id, iot_result.SUCCESS)

    def on_sub_dev_properties_get(self, request_id, prop_get):
        pass

    def on_delete_sub_devices(self, sub_devices_info):
        return 0

    def on_add_sub_devices(self, sub_devices_info):
        return 0


class Listener(PropertyListener):
    def on_property_set(self, request_id, services) -> None:
        say(told="this SDK does not read object_device_id: the set-point looks like the gateway's own")
        orders.put(services[0].properties[j.sp.split("/")[1]])
        gateway.get_client().respond_properties_set(request_id, iot_result.SUCCESS)

    def on_property_get(self, request_id, service_id) -> None:
        pass


def report(values: dict, t: int) -> None:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(t / 1000))
    plain = {k.split("/")[1]: v for k, v in values.items()}
    gateway.report_sub_device_properties(j.name, [ServiceProperty("Station", plain, stamp)])


auth = ConnectAuthInfo()
auth.server_uri, auth.port, auth.id, auth.secret = j.host, 1883, "5e06bfee334dd4f3_gateway", "secret"
gateway = Gateway(NoMemory(), ClientConf(auth))
auth.port = j.port  # only its constructor insists on 1883 or 8883
gateway.get_client().set_properties_listener(Listener())
gateway.connect()
client = gateway.get_client()  # Huawei's own broker delivers these unasked
client.subscribe_topic(f"$oc/devices/{auth.id}/sys/properties/set/#", 1, client)
time.sleep(0.5)
report(j.first, j.t1)
report(j.second, j.t2)
say(sent=sent(j.first, j.t1 // 1000 * 1000) + sent(j.second, j.t2 // 1000 * 1000))
value, t = await_order(), round(time.time()) * 1000
report({j.sp: value, j.pos: value}, t)
say(sent=sent({j.sp: value, j.pos: value}, t))
await_end()
os._exit(0)
