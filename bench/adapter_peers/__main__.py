"""``python -m bench.adapter_peers``: every adapter against devices of other people's making.

Each peer connects with its own SDK to a real Mosquitto, is born, sends, is written to where its protocol has
it, and goes; what the store then holds is compared with what it says it sent. Prints a table; ends with 1
when a peer and its adapter differ.

The SDK of Huawei stands on GitHub only: give a checkout of ``huaweicloud/huaweicloud-iot-device-sdk-python``
with ``--huawei FOLDER``, or its peers are left out and said to be.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from pathlib import Path

from bench.adapter_peers.field import FIRST, PEERS, SECOND, Peer, make_field
from bench.adapter_peers.install import FAMILIES, HERE, install, install_node
from bench.adapter_peers.judge import Result, judge
from bench.ingest_rig import Rig
from ingest.broker import write_mosquitto_conf
from ingest.county import save_county
from tests.support.system import ROOT, free_port, listens, mosquitto_path, wait_until

HTTP_TOKEN = "token-of-an-http-device"  # noqa: S105 - loopback, for a minute


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=(), metavar="PEER", help="beginnings of script names")
    parser.add_argument(
        "--cache", type=Path, default=Path.home() / ".cache" / "county-twin" / "adapter-peers"
    )
    parser.add_argument("--huawei", type=Path, help="checkout of huaweicloud-iot-device-sdk-python")
    parser.add_argument("--json", type=Path, dest="file")
    options = parser.parse_args(arguments)
    peers = [p for p in PEERS if not options.only or p.script.startswith(tuple(options.only))]
    left_out = [p for p in peers if p.family == "huawei" and options.huawei is None]
    peers = [p for p in peers if p not in left_out]
    with tempfile.TemporaryDirectory(prefix="bench-adapter-peers-") as folder:
        results = run_peers(Path(folder), options.cache, peers, options.huawei)
    print("| adapter | peer | licence | exchanged | rows as expected | differs |\n|---|---|---|---|---:|---|")
    for r in results:
        print(r.line())
    for p in left_out:
        print(f"left out: {p.script}: it needs --huawei FOLDER")
    if options.file is not None:
        told = {"t": time.time(), "peers": [r.as_json() for r in results]}
        options.file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    return int(any(r.differs for r in results))


def run_peers(folder: Path, cache: Path, peers: Sequence[Peer], huawei: Path | None) -> list[Result]:
    """A broker, an ingest and the push gateway; then one peer after the other."""
    programs = {f: install(cache, f) for f in FAMILIES if any(p.family == f for p in peers)}
    programs["here"] = Path(sys.executable)
    modules = install_node(cache) if any(p.family == "node" for p in peers) else None
    county = make_field()
    save_county(county, folder / "county")
    with ExitStack() as stack:
        port, mounted = start_mosquitto(stack, folder / "mosquitto")
        os.environ["CT_COMMANDS"] = "one"
        rig = Rig(folder / "county", folder, port)
        stack.callback(rig.client.close)
        rig.start()
        stack.callback(rig.stop)
        push = start_push(stack, folder, port) if any(p.script == "tb_http.py" for p in peers) else 0
        shared = {
            "host": "127.0.0.1", "port": port, "mounted": mounted, "push": f"http://127.0.0.1:{push}",
            "token": HTTP_TOKEN, "folder": str(folder), "checkout": str(huawei.absolute()) if huawei else "",
        }  # fmt: skip
        results = []
        for peer in peers:
            process = start_peer(peer, programs, modules, shared)
            try:
                found = judge(peer, process, folder / f"{peer.script}.log", county, rig.client)
            finally:
                process.kill()
                process.wait()
            found.version = find_version(peer, programs, modules)
            results.append(found)
            print(found.line(), file=sys.stderr, flush=True)
        return results


def start_mosquitto(stack: ExitStack, folder: Path) -> tuple[int, int]:
    """The project's own configuration, and a listener with a mount point, as docs/gateways.md says."""
    folder.mkdir()
    port, mounted = free_port(), free_port()
    conf = write_mosquitto_conf(folder, port)
    with conf.open("a", encoding="utf-8") as out:
        out.write(f"listener {mounted} 127.0.0.1\nmount_point tb/tb-device/\n")
    broker = subprocess.Popen([mosquitto_path(), "-c", str(conf)], stderr=subprocess.DEVNULL)
    stack.callback(broker.wait)
    stack.callback(broker.terminate)
    wait_until(lambda: listens(port) and listens(mounted), 10, "mosquitto listens")
    return port, mounted


def start_push(stack: ExitStack, folder: Path, broker: int) -> int:
    """The push gateway with one sender."""
    port = free_port()
    (folder / "push.toml").write_text(
        f'[http]\nlisten = "127.0.0.1:{port}"\n[[http.sender]]\nname = "sdk"\n'
        f'token = "{HTTP_TOKEN}"\ndevices = ["tb-http"]\n',
        encoding="utf-8",
    )
    env = {**os.environ, "MQTT_URL": f"mqtt://127.0.0.1:{broker}"}
    gateway = subprocess.Popen(
        [sys.executable, "-m", "ingest.gateways", str(folder / "push.toml")],
        cwd=ROOT, env=env, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    stack.callback(gateway.wait)
    stack.callback(gateway.terminate)
    wait_until(lambda: listens(port), 20, "the push gateway listens")
    return port


def start_peer(
    peer: Peer, programs: dict[str, Path], modules: Path | None, shared: dict[str, object]
) -> "subprocess.Popen[str]":
    """The peer's process, with its orders."""
    keys = peer.keys()
    now = round(time.time() * 1000)
    orders = {
        **shared, "name": peer.name, "sp": keys["cv_sp"], "pos": keys["cv_pos"], "whole": keys["t_stn"],
        "mode": keys.get("mode", ""), "spare": peer.extra[0][0] if peer.extra else "",
        "t1": now - 5000, "t2": now - 2000,
        "first": {keys[k]: v for k, v in FIRST.items()} | ({keys["mode"]: False} if peer.switch else {}),
        "second": {keys[k]: v for k, v in SECOND.items()},
    }  # fmt: skip
    program = str(programs[peer.family]) if peer.script.endswith(".py") else "node"
    env = {**os.environ, "PYTHONUNBUFFERED": "1"} | ({"NODE_PATH": str(modules)} if modules else {})
    log = Path(str(shared["folder"])) / f"{peer.script}.log"
    with log.open("wb") as err:
        return subprocess.Popen(
            [program, str(HERE / "sdk" / peer.script), json.dumps(orders)], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err,
        )  # fmt: skip


def find_version(peer: Peer, programs: dict[str, Path], modules: Path | None) -> str:
    """What was installed; of a checkout, its commit where it has one."""
    if peer.family == "here":
        return version(peer.package)
    if peer.family == "node" and modules is not None:
        return str(json.loads((modules / peer.package / "package.json").read_text())["version"])
    ask = f"import importlib.metadata as m; print(m.version({peer.package!r}))"
    said = ""
    with suppress(OSError):
        said = subprocess.run(
            [str(programs[peer.family]), "-c", ask], capture_output=True, text=True, check=False
        ).stdout.strip()
    return said or "checkout"


if __name__ == "__main__":
    sys.exit(main())
