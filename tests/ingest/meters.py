"""Meters of a heating network behind a TCP converter, played from published frames, and an OPC UA server.

They know nothing of the decoders under test: they compare requests and send bytes. The M-Bus telegrams are
those of real meters in the test frames of libmbus (Raditex AB, BSD licence), whose normalised values are
the ones expected in the tests; the CJ/T 188 answer is the one that a maker's protocol description prints.
"""

import asyncio
import socketserver
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

KAMSTRUP_601 = bytes.fromhex(
    "68F7F76808117217588506 2D2C080404000000 0C7817588506 0406E7910000 04142CDB0000 0422D9030000 0459B9270000"
    "045D08120000 0461B1150000 042D5B010000 142DC0010000 043B1F020000 143B74020000 84100600000000"
    "84200600000000 84401400000000 8480401400000000 84C0400600000000 046D1A2F6511 440651820000 4414B2C30000"
    "542D26020000 543B03040000 C4100600000000 C4200600000000 C4401400000000 C480401400000000"
    "C4C0400600000000 426C5F1C 0F00000000E7E4000063660000000000000000000000000000 5BC9A50234530000E0B20300"
    "899C680000000000010001070709010300000000009816"
)
ALLMESS_CF50 = bytes.fromhex(
    "683D3D680801720051200282 4D020400880000 040700000000 0C1503000000 0B2E000000 0B3B000000 0A5A8812 "
    "0A5E1605 0B61237700 026C8C11 0227370D 0F60006716"
)
POLLUTHERM = bytes.fromhex(
    "68414168080072 8916 3524AE4C0B0454100000 0C0700000000 0C1400000000 0C3C00000000 0C2C00000000 325A0000"
    "325E0000 3360000000 0C7889163524 0CFD1089163524CE16"
)
CJT_ADDRESS = "00000040314132"
CJT_REQUEST = bytes.fromhex("FEFEFEFE6820 3241314000 0000 0103 901F01 2016")
CJT_ANSWER = bytes.fromhex(
    "FEFEFEFE6820 3241314000 0000 812E 901F01 0802000000 0802000000 1700000000 3500000000 2C34100000 352500"
    "662500 000000 53001210071520 0000 3116"
)
"""As printed: its maker writes 90 1F and the unit before the number."""
Play = Callable[[bytes], bytes]


@contextmanager
def play(answer: Play) -> Iterator[int]:
    """A converter on a free port that answers each request by ``answer`` (empty: silence)."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while request := self.request.recv(300):
                said = answer(request)
                # in pieces, as serial lines deliver
                for i in range(0, len(said), 7):
                    self.request.sendall(said[i : i + 7])

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class MBusLine:
    """Three meters on one line: 17 (Multical 601), 1 (CF-50), and 24351689, known by its number only."""

    def __init__(self) -> None:
        self.selected = False
        self.requests: list[bytes] = []

    def __call__(self, request: bytes) -> bytes:
        self.requests.append(request)
        frames = {0x11: KAMSTRUP_601, 0x01: ALLMESS_CF50}
        if request[0] == 0x68:
            self.selected = request[7:11] == bytes.fromhex("89163524")
            return b"\xe5" if self.selected else b""
        control, address = request[1], request[2]
        if (control + address) & 0xFF != request[3] or request[4] != 0x16:
            return b""
        if address == 0xFD and self.selected and control in (0x5B, 0x7B):
            return POLLUTHERM
        if address not in frames:
            return b""
        return b"\xe5" if control == 0x40 else frames[address] if control in (0x5B, 0x7B) else b""


def close_cjt(body: bytes) -> bytes:
    """A frame from 0x68 to its data, with check sum and end."""
    return b"\xfe\xfe" + body + bytes((sum(body) % 256, 0x16))


def standard_meter(request: bytes) -> bytes:
    """A meter that writes as the standard does: 1F 90, unit behind the number."""
    frame = request.lstrip(b"\xfe")
    if frame[2:9] != bytes.fromhex("78563412001111") or frame[11:13] != b"\x1f\x90":
        return b""
    data = bytes.fromhex(
        "56341200 05 785634 12 05 00250100 17 45230100 35 89674500 2C 512800 544600 21430030451013012026 0000"
    )
    body = (
        bytes.fromhex("6820 78563412001111 81") + bytes((3 + len(data),)) + b"\x1f\x90" + frame[13:14] + data
    )
    return close_cjt(body)


async def serve_opcua(port: int) -> None:
    """Nodes of all kinds, one of bad status."""
    from asyncua import Server, ua

    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/station")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    number = await server.register_namespace("station")
    station = await server.nodes.objects.add_object(number, "Station")
    for name, value in (("P1_TS", 81.5), ("P1_PS", 0.8125), ("CP1_RUN", True), ("MODE", 1), ("NAME", "HRZ")):
        node = await station.add_variable(f"ns={number};s=Station.{name}", name, value)
        await node.set_writable()
    broken = await station.add_variable(f"ns={number};s=Station.P1_PR", "P1_PR", 0.0)
    status = ua.StatusCode(ua.UInt32(ua.StatusCodes.BadSensorFailure))
    await broken.write_value(ua.DataValue(ua.Variant(0.0, ua.VariantType.Double), status))
    async with server:
        print("ready", flush=True)
        await asyncio.sleep(600)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    asyncio.run(serve_opcua(int(sys.argv[1])))
