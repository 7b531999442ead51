"""``python -m bench.adapter_peers.cjt188 CLONE``: our CJ/T 188 poller against another implementation.

``CLONE`` holds python_cjt188.py of github.com/aixiwang/python_cjt188 (BSD, tried by its author on a meter).
It is written for Python 2: it is translated, and its own functions take our requests apart and write the
answers. A meter is played around them over TCP: which one is asked, and its eight numbers in BCD at the
places that xijunzhou/sdqr_energy_node_class (``cj188.h``) reads them from.
"""

import argparse
import socket
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.adapter_peers.pollers import ask

ADDRESS = "11110012345678"
SAYS = {
    "E": 123456.78,
    "ES": 120000.0,
    "P": 345.67,
    "Q": 12.3456,
    "V": 98765.43,
    "TS": 81.5,
    "TR": 43.25,
    "H": 4321,
}
# bytes before the unit, digits after the point, code of the unit: kWh, kW, m³/h, m³
NUMBERS = (
    ("ES", 4, 2, 0x05), ("E", 4, 2, 0x05), ("P", 4, 2, 0x17), ("Q", 4, 4, 0x35), ("V", 4, 2, 0x2C),
    ("TS", 3, 2, None), ("TR", 3, 2, None), ("H", 3, 0, None),
)  # fmt: skip
KEYS = (
    ("E", "energy", "kWh"), ("ES", "energy_settled", "kWh"), ("P", "power", "kW"), ("Q", "flow", "m3/h"),
    ("V", "volume", "m3"), ("TS", "t_supply", "°C"), ("TR", "t_return", "°C"), ("H", "hours", "h"),
)  # fmt: skip


def read_peer(clone: Path) -> Any:
    """The other implementation as a module."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lib2to3 is on its way out of Python, and this code older than that
        from lib2to3.refactor import RefactoringTool, get_fixers_from_package

        tool = RefactoringTool(get_fixers_from_package("lib2to3.fixes"))
    source = (clone / "python_cjt188.py").read_text(encoding="latin-1")
    source = source.split("if __name__")[0].expandtabs(4) + "\n"
    peer = types.ModuleType("python_cjt188")
    sys.modules.setdefault("serial", types.ModuleType("serial"))  # its door to a real line is not used
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(  # noqa: S102  what is run is what the caller has fetched to be run
            compile(str(tool.refactor_string(source, "python_cjt188.py")), "python_cjt188.py", "exec"),
            peer.__dict__,
        )
    return peer


def write_numbers(unit_first: bool) -> str:
    """The eight numbers as a meter sends them, least byte first, each byte a character."""
    out = b""
    for key, size, decimals, unit in NUMBERS:
        digits = f"{round(SAYS[key] * 10**decimals):0{2 * size}d}"
        number, code = bytes.fromhex(digits)[::-1], b"" if unit is None else bytes((unit,))
        out += code + number if unit_first else number + code
    return (out + bytes(9)).decode("latin-1")  # its clock and its state


@contextmanager
def play_meter(peer: Any, answer: Callable[[str], str]) -> Iterator[int]:
    """A line over TCP that ``peer`` reads and writes; gives the port."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            with line:
                while heard := line.recv(1024):
                    code, kind, address, order, data = peer.decode_cjt188(
                        peer.cjt188_rm_fe(heard.decode("latin-1"))
                    )
                    if (
                        code != 0
                        or order != peer.C_READ_DATA
                        or address[::-1].encode("latin-1").hex() != ADDRESS
                    ):
                        continue  # a meter is silent where it is not meant
                    code, told = peer.encode_cjt188(kind, address, peer.C_READ_DATA_RESP, data + answer(data))
                    line.sendall(b"\xfe\xfe\xfe" + told.encode("latin-1"))

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield door.getsockname()[1]
    finally:
        door.close()


def poll(port: int, identifier: str, unit_first: bool) -> dict[str, float]:
    """What our gateway publishes of that meter."""
    values = "".join(f'[[device.value]]\nkey = "{k}"\nquantity = "{q}"\nunit = "{u}"\n' for k, q, u in KEYS)
    return ask(
        f'[[device]]\nname = "RB1"\nprotocol = "cjt188"\nhost = "127.0.0.1"\nport = {port}\n'
        f'address = "{ADDRESS}"\nmeter_type = 0x20\nidentifier = "{identifier}"\n'
        f"unit_first = {str(unit_first).lower()}\n{values}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module; ends with 1 when the two differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clone", type=Path)
    peer = read_peer(parser.parse_args(arguments).clone)
    bad = 0
    print("| identifier | unit | what was said |\n|---|---|---|")
    for identifier in ("901F", "1F90"):
        for unit_first in (False, True):
            with play_meter(peer, lambda _, first=unit_first: write_numbers(first)) as port:  # type: ignore[misc]
                said = poll(port, identifier, unit_first)
            differs = {k: v for k, v in said.items() if abs(v - SAYS[k]) > 1e-9 * abs(SAYS[k])}
            bad += bool(differs) or set(said) != set(SAYS)
            where = "before its number" if unit_first else "behind its number"
            print(f"| {identifier} | {where} | {differs or f'{len(said)} values, as expected'} |")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
