"""Memory that a step frees serves the next one."""

import json
import subprocess
import sys

import pytest

from twin.heat.memory import keep_freed_memory

STEPS = """
import json, resource
import numpy as np
from twin.heat.memory import keep_freed_memory
kept = keep_freed_memory()
def step():
    a = [np.ones(80_000) for _ in range(8)]
    return sum(x[0] for x in a)
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(json.dumps([kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before]))
"""


def test_steps_find_the_memory_of_the_step_before():
    out = subprocess.run([sys.executable, "-c", STEPS], check=True, capture_output=True, text=True)
    kept, faults = json.loads(out.stdout)
    if not kept:
        pytest.skip("this C library has no mallopt")
    assert faults < 200  # 25,000 pages are written


def test_a_library_without_the_call_is_no_mistake(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert keep_freed_memory() is False
