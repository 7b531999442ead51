"""What every Python peer shares: orders come as JSON in the first argument, what it did goes out as lines.

Runs in an environment of its own, without this project.
"""

import json
import sys
from queue import Queue
from types import SimpleNamespace

orders: "Queue[float]" = Queue()
"""Set-points as the SDK handed them to the device, in the vendor's unit."""


def job() -> SimpleNamespace:
    """``host``, ``port``, ``name``; ``first``, ``second``: key -> value; ``t1``, ``t2``: ms; ``sp``."""
    return SimpleNamespace(**json.loads(sys.argv[1]))


def say(**what: object) -> None:
    """One line for the bench: ``sent`` lists (key, value, ms or None), ``told`` what was exchanged beside."""
    print(json.dumps(what), flush=True)


def sent(values: dict, t: "int | None") -> list:
    """Rows of one message, as the store must hold them."""
    return [[key, value, t] for key, value in values.items()]


def await_order() -> float:
    """The set-point, when it has come."""
    value = float(orders.get(timeout=60))
    say(order=value)
    return value


def await_end() -> None:
    """Until the bench has seen enough."""
    sys.stdin.readline()
