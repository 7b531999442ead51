"""``python -m bench.mbus_telegrams FOLDER``: telegrams of real meters, read by us and by libmbus.

FOLDER holds ``*.hex`` and, beside each, ``*.norm.xml``: what libmbus makes of it, in SI. Such a folder is
``test/test-frames`` of a checkout of ``rscada/libmbus``. Every value of a quantity that we read must be the
same; what only one of the two reads is listed.
"""

import argparse
import math
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

from ingest.gateways.mbus import MBusError, Record, decode_records, take_frame

QUANTITIES = {
    "Energy": "energy", "Volume": "volume", "Mass": "mass", "Power": "power", "Volume flow": "flow",
    "Flow temperature": "t_supply", "Return temperature": "t_return", "Temperature difference": "dt",
    "External temperature": "t_outside",
}  # fmt: skip
UNITS = {"J": 1.0, "Wh": 3600.0, "W": 1.0, "m^3": 1.0, "m^3/h": 1 / 3600.0, "°C": 1.0, "K": 1.0, "kg": 1.0}
FUNCTIONS = {"Instantaneous value": "instant", "Maximum value": "max", "Minimum value": "min"}
NEAR, LAST_DIGIT = 1e-5, 1.4e-10
"""libmbus prints six decimals: of a flow in m³/h half a digit is 1.4e-10 m³/s; the least of all."""


def read_theirs(file: Path) -> list[Record]:
    """Values of our quantities in a ``norm.xml``; those that the meter marks as erroneous are left out."""
    text = re.sub(r"<\?.*?\?>", "", file.read_text(encoding="utf-8", errors="replace"))
    found = []
    for row in ET.fromstring(text).iter("DataRecord"):  # noqa: S314 - a folder of one's own
        said = {child.tag: (child.text or "").strip() for child in row}
        quantity, unit = QUANTITIES.get(said.get("Quantity", "")), UNITS.get(said.get("Unit", ""))
        function = FUNCTIONS.get(said.get("Function", ""))
        if quantity is not None and unit is not None and function is not None:
            numbers = (int(said.get(k) or 0) for k in ("StorageNumber", "Tariff", "Device"))
            found.append(Record(quantity, float(said["Value"]) * unit, *numbers, function))
    return found


def is_same(a: Record, b: Record) -> bool:
    """The same value of the same thing."""
    keys = [(r.quantity, r.storage, r.tariff, r.subunit, r.function) for r in (a, b)]
    return keys[0] == keys[1] and math.isclose(a.value, b.value, rel_tol=NEAR, abs_tol=LAST_DIGIT)


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    counts: Counter[str] = Counter()
    for file in sorted(parser.parse_args().folder.glob("*.hex")):
        norm = file.with_name(file.stem + ".norm.xml")
        if not norm.exists():
            continue
        counts["telegrams"] += 1
        try:
            ours, _ = decode_records(take_frame(bytes.fromhex(re.sub(r"\s", "", file.read_text()))))
        except MBusError as e:
            counts["refused"] += 1
            print(f"{file.stem}: {e}")
            continue
        left = [r for r in ours if math.isfinite(r.value)]
        for theirs in read_theirs(norm):
            same = next((r for r in left if is_same(r, theirs)), None)
            counts["equal" if same else "only libmbus"] += 1
            if same:
                left.remove(same)
            else:
                print(f"{file.stem}: only libmbus reads {theirs}")
        for r in left:
            counts["only ours"] += 1
            print(f"{file.stem}: only we read {r}")
    print(dict(counts))
    return int(not counts["equal"])


if __name__ == "__main__":
    sys.exit(main())
