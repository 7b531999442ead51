"""``python -m bench.adapter_peers.mbus PROGRAM``: our M-Bus poller against a slave that is not ours.

PROGRAM (a command) speaks on a serial line, whose path becomes its last argument; here that is a pseudo
terminal behind a TCP port, as behind a converter. Without more it is taken for addiva-elektronik/mbus-device
(MIT, in C on libmbus), built as its README says: polled by address and by number, and nothing may be
published of a meter that is not there. With ``--frames FOLDER`` (``test/test-frames`` of rscada/libmbus) it
is each of those real meters in turn, and what is published is held against libmbus's own reading of it.

``--says QUANTITY=VALUE ...`` polls any other slave that says these values, in the units of ``UNITS``, at
address 5 and as number 12345678.
"""

import argparse
import math
import os
import pty
import re
import select
import shlex
import socket
import subprocess
import sys
import threading
import tty
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.adapter_peers.pollers import ask
from bench.mbus_telegrams import LAST_DIGIT, NEAR, read_theirs
from ingest.gateways.link import LinkError
from ingest.gateways.mbus import MBusError, Record, decode_records, take_frame
from twin.model.quantities import convert_to_si

Key = tuple[str, int, int, int, str]
Said = dict[Key, float]

ADDRESS, NUMBER = 5, "12345678"
OWN: Said = {("volume", 0, 0, 0, "instant"): 12.565, ("energy", 0, 2, 1, "instant"): 218.37}
"""What mbus-device says by itself: quantity, storage, tariff, subunit, function."""
UNITS = {
    "energy": "kWh", "volume": "m3", "power": "W", "flow": "m3/h",
    "t_supply": "°C", "t_return": "°C", "dt": "°C", "t_outside": "°C",
}  # fmt: skip


@contextmanager
def run_slave(command: Sequence[str]) -> Iterator[int]:
    """The slave on a terminal, and a TCP port that is the other end of its line; gives the port."""
    line, far = pty.openpty()
    tty.setraw(far)
    process = subprocess.Popen([*command, os.ttyname(far)], stderr=subprocess.DEVNULL)
    door = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_carry, args=(door, line), daemon=True).start()
    try:
        yield door.getsockname()[1]
    finally:
        process.kill()
        process.wait()
        door.close()
        os.close(far)


def _carry(door: socket.socket, line: int) -> None:
    """Bytes both ways, for one caller after the other, until the door or the line is closed."""
    with suppress(OSError):
        while True:
            caller, _ = door.accept()
            with caller:
                while True:
                    ready, _, _ = select.select([caller.fileno(), line], [], [])
                    if line in ready:
                        said = os.read(line, 512)
                        with suppress(ConnectionError):
                            caller.sendall(said)
                    if caller.fileno() in ready:
                        heard = caller.recv(512)
                        if not heard:
                            break
                        os.write(line, heard)


def poll(port: int, whom: str, keys: Sequence[Key]) -> Said:
    """What our gateway publishes of that meter; ``whom``: how its file calls the meter."""
    rows = "".join(
        f'[[device.value]]\nkey = "{i}"\nquantity = "{quantity}"\nunit = "{UNITS[quantity]}"\n'
        f'storage = {storage}\ntariff = {tariff}\nsubunit = {subunit}\nfunction = "{function}"\n'
        for i, (quantity, storage, tariff, subunit, function) in enumerate(keys)
    )
    head = f'[[device]]\nname = "RB1"\nprotocol = "mbus"\nhost = "127.0.0.1"\nport = {port}\n{whom}\n'
    return {keys[int(i)]: value for i, value in ask(head + rows).items()}


def try_slave(command: Sequence[str], says: Said) -> bool:
    """Polled by address twice, by number, and whoever is not there: tells, and says whether good."""
    good = True
    with run_slave(command) as port:
        for whom in (f"address = {ADDRESS}", f"address = {ADDRESS}", f'secondary = "{NUMBER}"'):
            said = poll(port, whom, list(says))
            same = set(said) == set(says) and all(math.isclose(said[k], says[k], rel_tol=NEAR) for k in says)
            good &= same
            print(f"| {whom} | {f'{len(said)} values, as expected' if same else said} |")
        for whom in ("address = 99", 'secondary = "90909090"', f'secondary = "{NUMBER[:-1]}0"'):
            try:
                print(f"| {whom}, not there | {poll(port, whom, list(says))} |")
                good = False
            except LinkError as e:
                print(f"| {whom}, not there | {e} |")
    return good


def try_frames(command: Sequence[str], folder: Path) -> bool:
    """The slave as each meter of ``folder`` that libmbus and we can read; tells, and whether none differs."""
    counts: Counter[str] = Counter()
    for file in sorted(folder.glob("*.hex")):
        norm = file.with_name(file.stem + ".norm.xml")
        if not norm.exists():
            continue
        try:
            frame = bytes.fromhex(re.sub(r"\s", "", file.read_text()))
            ours = {_key(r) for r in decode_records(take_frame(frame))[0] if r.quantity in UNITS}
        except MBusError as e:
            print(f"{file.stem}: {e}")
            counts["not read"] += 1
            continue
        theirs: dict[Key, list[float]] = {}
        for record in read_theirs(norm):
            if _key(record) in ours:
                theirs.setdefault(_key(record), []).append(record.value)
        if theirs:
            _try_frame([*command, "-a", str(ADDRESS), "-f", str(file)], frame, theirs, counts)
        else:
            counts["without our quantities"] += 1
    print(dict(counts))
    return counts["values"] > 0 and not counts["different"]


def _try_frame(
    command: Sequence[str], frame: bytes, theirs: dict[Key, list[float]], counts: Counter[str]
) -> None:
    number = frame[7:11][::-1].hex()
    ways = [f"address = {ADDRESS}"] + ([f'secondary = "{number}"'] if number.isdecimal() else [])
    with run_slave(command) as port:
        for whom in ways:
            for key, value in poll(port, whom, list(theirs)).items():
                si = convert_to_si(value, UNITS[key[0]])
                same = any(math.isclose(si, v, rel_tol=NEAR, abs_tol=LAST_DIGIT) for v in theirs[key])
                counts["values" if same else "different"] += 1
                if not same:
                    print(f"{command[-1]}, {whom}: {key} is {si}, libmbus says {theirs[key]}")
            counts[whom.split()[0]] += 1


def _key(record: Record) -> Key:
    return record.quantity, record.storage, record.tariff, record.subunit, record.function


def _read_said(text: str) -> tuple[Key, float]:
    quantity, value = text.split("=")
    if quantity not in UNITS:
        raise argparse.ArgumentTypeError(f"{quantity}: one of {', '.join(UNITS)}")
    return (quantity, 0, 0, 0, "instant"), float(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module; ends with 1 when slave and poller differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program")
    parser.add_argument("--frames", type=Path)
    parser.add_argument("--says", nargs="+", type=_read_said, default=())
    options = parser.parse_args(arguments)
    command = shlex.split(options.program)
    if options.says:
        return int(not try_slave(command, dict(options.says)))
    good = try_slave([*command, "-a", str(ADDRESS)], OWN)
    if options.frames is not None:
        good &= try_frames(command, options.frames)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
