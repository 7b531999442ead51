"""``python -m bench.adapter_peers.pollers``: Modbus and OPC UA against servers of other people's making.

The meters have theirs: ``bench.adapter_peers.mbus``, ``bench.adapter_peers.cjt188``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.adapter_peers.install import HERE, install_node
from ingest.gateways.config import read_config
from ingest.gateways.poll import Poller
from tests.support.system import free_port

OPCUA_KEYS = ("P1_TS", "P1_PS", "T_STN", "P1_VOL", "P1_ENERGY", "CP1_RUN", "NAME", "P1_PR")
OPCUA_SAYS = {"P1_TS": 81.5, "P1_PS": 0.625, "T_STN": -5, "P1_VOL": 4e9, "P1_ENERGY": 1234567, "CP1_RUN": 1}
MODBUS_SAYS = {
    "ABCD": 81.5, "CDAB": 81.5, "BADC": 81.5, "DCBA": 81.5, "T_STN": -5, "CV_SP": 40, "COUNT": 1005,
    "PUMP": 1, "MAINS": 1,
}  # fmt: skip
AFTER_ORDERS = MODBUS_SAYS | {"CV_SP": 45, "PUMP": 0}


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module; ends with 1 when a server and its poller differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cache", type=Path, default=Path.home() / ".cache" / "county-twin" / "adapter-peers"
    )
    modules = install_node(parser.parse_args(arguments).cache, "pollers")
    versions = {
        p: json.loads((modules / p / "package.json").read_text())["version"]
        for p in ("node-opcua", "modbus-serial")
    }
    rows = []
    with serve("opcua_server.cjs", modules) as port:
        for account in ("", 'user = "reader"\npassword = "secret"\n'):
            said = ask(_opcua_file(port) + account + _opcua_nodes())
            rows.append(
                (f"OPC UA, {'password' if account else 'anonymous'}", "node-opcua", said == OPCUA_SAYS, said)
            )
    with serve("modbus_server.cjs", modules) as port:
        said = ask(_modbus_file(port))
        rows.append(("Modbus TCP, read", "modbus-serial", said == MODBUS_SAYS, said))
        said = ask(_modbus_file(port), {"CV_SP": 45.0, "PUMP": 0.0})
        rows.append(("Modbus TCP, written", "modbus-serial", said == AFTER_ORDERS, said))
    print("| poller | server | as expected |\n|---|---|---|")
    for what, package, good, found in rows:
        print(f"| {what} | {package} {versions[package]} | {'yes' if good else found} |")
    return int(not all(good for _, _, good, _ in rows))


@contextmanager
def serve(script: str, modules: Path) -> Iterator[int]:
    """A server in Node on a free port."""
    port = free_port()
    process = subprocess.Popen(
        ["node", str(HERE / "sdk" / script), str(port)], env={**os.environ, "NODE_PATH": str(modules)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if not any(line.startswith("ready") for line in process.stdout):
            raise RuntimeError(f"{script} did not start")
        yield port
    finally:
        process.kill()
        process.wait()


def ask(text: str, orders: dict[str, float] | None = None) -> dict[str, float]:
    """What one round of a gateway's file publishes, after set-points were written."""
    said: list[bytes] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gateway.toml"
        file.write_text(text, encoding="utf-8")
        poller = Poller(read_config(file).devices[0], lambda _, p: said.append(p), threading.Event())
    try:
        for no, (key, value) in enumerate((orders or {}).items()):
            poller.obey(json.dumps({"id": no, key: value}).encode(), 0.0)
        poller.ask_once(0.0)
    finally:
        poller._link.close()
    found: dict[str, float] = json.loads(said[-1])
    del found["ts"]
    return found


def _opcua_file(port: int) -> str:
    return f'[[device]]\nname = "RB1"\nprotocol = "opcua"\nurl = "opc.tcp://127.0.0.1:{port}/station"\n'


def _opcua_nodes() -> str:
    return "".join(f'[[device.node]]\nkey = "{k}"\nnode = "ns=1;s=Station.{k}"\n' for k in OPCUA_KEYS)


def _modbus_file(port: int) -> str:
    rows = [
        (order, 2 * i, f'kind = "f32"\norder = "{order}"') for i, order in enumerate(MODBUS_SAYS) if i < 4
    ]
    rows += [("T_STN", 20, 'kind = "i16"'), ("CV_SP", 30, 'kind = "u16"\nscale = 0.1\nwritable = true')]
    rows += [
        ("COUNT", 5, 'kind = "u16"\ntable = "input"'),
        ("PUMP", 0, 'kind = "bit"\ntable = "coil"\nwritable = true'),
        ("MAINS", 0, 'kind = "bit"\ntable = "discrete"'),
    ]  # fmt: skip
    registers = "".join(f'[[device.register]]\nkey = "{k}"\naddress = {a}\n{more}\n' for k, a, more in rows)
    return f'[[device]]\nname = "RB1"\nhost = "127.0.0.1"\nport = {port}\nunit = 1\n{registers}'


if __name__ == "__main__":
    sys.exit(main())
