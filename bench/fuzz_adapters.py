"""Hammer every adapter and meter codec for a given time: ``python -m bench.fuzz_adapters --minutes 60``.

Cases come from hypothesis: golden messages with bytes or values changed, JSON of all shapes in place of what
is expected, topics with levels exchanged, and raw bytes. Each must be read or refused in words: no other
error, no number that is not finite, no column longer than another, no second of thinking. A case that breaks
this is shrunk, printed and kept as a file; the exit status is 1 then.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ingest.adapters import Adapter, make_adapters
from ingest.gateways import cjt188, mbus
from tests.ingest.golden import RECEIVED, find_cases, fresh_adapter
from tests.ingest.golden import directory as golden_directory
from tests.ingest.meters import ALLMESS_CF50, CJT_ANSWER, KAMSTRUP_601, POLLUTHERM
from twin.model.errors import PayloadError

ROUND = 400
"""Cases of one adapter before the next has its turn."""
SLOW_S = 1.0
CODECS = ("mbus", "cjt188")
Case = tuple[str, bytes]


@dataclass
class Tally:
    """Of one adapter."""

    cases: int = 0
    read: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    broken: list[str] = field(default_factory=list)


def json_values() -> st.SearchStrategy[object]:
    """Anything JSON can say, with numbers as large and names as odd as it allows."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(), st.integers(-(10**400), 10**400), st.floats(),
        st.text(max_size=20),
        st.sampled_from([0, -1, 1e308, 2**63, "NaN", "", "1e5", 1_700_000_000_000, "2023-11-14T22:13:20Z"]),
    )  # fmt: skip
    keys = st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            ["ts", "values", "id", "ok", "params", "services", "device", "data", "object", "time"]
        ),
    )
    return st.recursive(
        leaves,
        lambda x: st.one_of(st.lists(x, max_size=5), st.dictionaries(keys, x, max_size=5)),
        max_leaves=25,
    )


def graft(payload: bytes, path: list[int], new: object) -> bytes:
    """A golden JSON message with one of its values exchanged; other payloads stay as they are."""
    try:
        body = json.loads(payload)
    except ValueError:
        return payload
    here, spot = body, path[:]
    while spot and isinstance(here, (dict, list)) and here:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = keys[spot.pop() % len(keys)]
        if not spot or not isinstance(here[key], (dict, list)) or not here[key]:
            here[key] = new
            break
        here = here[key]
    return json.dumps(body).encode("utf-8", "replace")


def damage(payload: bytes, cuts: list[tuple[int, bytes, int]]) -> bytes:
    """Bytes inserted, exchanged and cut out."""
    out = bytearray(payload)
    for at, new, gone in cuts:
        i = at % (len(out) + 1)
        out[i : i + gone] = new
    return bytes(out)


def cases_of(adapter: Adapter) -> st.SearchStrategy[Case]:
    """(topic, payload) around the golden cases of an adapter."""
    golden = [(c.topic, c.payload) for c in find_cases() if c.folder.parent.name == adapter.name]
    golden = golden or [
        (adapter.filters[0].replace("+", "x").replace("#", "x") if adapter.filters else "x/y", b"{}")
    ]
    seeds = st.sampled_from(golden)
    cuts = st.lists(
        st.tuples(st.integers(0, 4000), st.binary(max_size=6), st.integers(0, 4)), min_size=1, max_size=6
    )
    levels = st.lists(
        st.one_of(st.text(max_size=8), st.sampled_from(["", "+", "#", "data", "x"])), max_size=7
    )
    values = json_values()
    payloads = st.one_of(
        st.builds(lambda s, c: damage(s[1], c), seeds, cuts),
        st.builds(
            lambda s, p, v: graft(s[1], p, v),
            seeds,
            st.lists(st.integers(0, 9), min_size=1, max_size=6),
            values,
        ),
        values.map(lambda v: json.dumps(v).encode("utf-8", "replace")),
        st.binary(max_size=200),
    )
    topics = st.one_of(
        seeds.map(lambda s: s[0]), seeds.map(lambda s: s[0]),
        st.builds(lambda s, more: "/".join([*s[0].split("/")[:2], *more]), seeds, levels),
    )  # fmt: skip
    return st.tuples(topics, payloads)


def codec_cases(name: str) -> st.SearchStrategy[Case]:
    """Telegrams of meters with bytes changed, some with a mended check sum so that they are looked into."""
    frames = [KAMSTRUP_601, ALLMESS_CF50, POLLUTHERM] if name == "mbus" else [CJT_ANSWER]
    cuts = st.lists(
        st.tuples(st.integers(4, 300), st.binary(min_size=1, max_size=4), st.integers(0, 4)), max_size=8
    )
    changed = st.builds(damage, st.sampled_from(frames), cuts)
    return st.tuples(st.just(name), st.one_of(changed, changed.map(mend_sum), st.binary(max_size=300)))


def mend_sum(frame: bytes) -> bytes:
    """An M-Bus telegram whose length and check sum fit its changed body again."""
    body = frame[4:-2][:250]
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


def try_codec(case: Case, tally: Tally) -> None:
    """Read or refused, numbers finite or NaN."""
    name, data = case
    try:
        if name == "mbus":
            found = [r.value for r in mbus.decode_records(mbus.take_frame(data))[0]]
        else:
            body = cjt188.take_frame(data, "00000040314132")
            found = list(cjt188.decode_heat(body, cjt188.Dialect(unit_first=True)).values())
    except (mbus.MBusError, cjt188.Cjt188Error):
        tally.refused += 1
        return
    tally.read += len(found)
    assert not any(isinstance(x, complex) for x in found)


def try_adapter(adapter: Adapter, case: Case, tally: Tally) -> None:
    """Read or refused in words, in bounded time, numbers and times that can be stored."""
    topic, payload = case
    if not adapter.matches(topic):
        return
    directory = golden_directory()
    began = time.perf_counter()
    try:
        found = adapter.decode(topic, payload, RECEIVED, directory)
    except PayloadError as e:
        assert str(e), "refused without a word"
        tally.refused += 1
        return
    finally:
        took = time.perf_counter() - began
        tally.slowest_s = max(tally.slowest_s, took)
        assert took < SLOW_S, f"{took:.1f} s for {len(payload)} bytes"
    assert len(found.point_no) == len(found.t) == len(found.number)
    assert all(0 <= n < directory.scale.size for n in found.point_no)
    assert all(math.isfinite(t) for t in found.t) and all(math.isfinite(x) for x in found.number)
    assert all(math.isfinite(r.value) for r in found.readings(directory, RECEIVED))
    assert all(math.isfinite(t) for t in found.heard.values())
    tally.read += len(found.point_no)


def make_target(name: str, tally: Tally) -> tuple[st.SearchStrategy[Case], Callable[[Case], None]]:
    """What to draw and what to do with it; an adapter keeps its memory for the whole run."""
    if name in CODECS:
        return codec_cases(name), lambda case: try_codec(case, tally)
    adapter = fresh_adapter(name)
    return cases_of(adapter), lambda case: try_adapter(adapter, case, tally)


def run_round(
    cases: st.SearchStrategy[Case], attempt: Callable[[Case], None], tally: Tally, number: int
) -> None:
    """``ROUND`` cases; a broken one is kept shrunk."""
    last: list[Case] = []

    @seed(number)
    @settings(
        max_examples=ROUND, deadline=None, database=None, phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(cases)
    def hammer(case: Case) -> None:
        tally.cases += 1
        last[:] = [case]
        attempt(case)

    began = time.perf_counter()
    try:
        hammer()
    except Exception as e:  # what is looked for
        topic, payload = last[0]
        causes = e.exceptions if isinstance(e, ExceptionGroup) else (e,)
        said = "; ".join(f"{type(x).__name__}: {str(x)[:200]}" for x in causes)
        tally.broken.append(f"{said} -- {topic!r} {payload[:300]!r}")
    tally.seconds += time.perf_counter() - began


def write_json(file: Path, tallies: dict[str, Tally]) -> None:
    """The table as a list of rows."""
    rows = [
        {"adapter": n, "cases": x.cases, "seconds": x.seconds, "readings": x.read, "refused": x.refused,
         "slowest_ms": 1e3 * x.slowest_s, "broken": len(x.broken)}
        for n, x in tallies.items()
    ]  # fmt: skip
    file.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def print_table(tallies: dict[str, Tally]) -> None:
    """One line per adapter."""
    heads = ("cases", "per s", "readings", "refused", "slowest ms", "broken")
    print(f"{'adapter':<14}" + "".join(f"{h:>12}" for h in heads))
    for name, x in tallies.items():
        rate = x.cases / x.seconds if x.seconds else 0.0
        row = (x.cases, round(rate), x.read, x.refused, round(1e3 * x.slowest_s, 1), len(x.broken))
        print(f"{name:<14}" + "".join(f"{v:>12}" for v in row))
    cases, seconds = sum(x.cases for x in tallies.values()), sum(x.seconds for x in tallies.values())
    print(f"{cases} cases in {seconds / 60:.1f} min")


def main(argv: list[str]) -> int:
    """Exit status: 0 nothing broke, 1 something did."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--only", default="", help="one adapter or codec")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out", type=Path, default=Path("fuzz-broken.txt"), help="where broken cases are kept"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    names = [options.only] if options.only else [a.name for a in make_adapters()] + list(CODECS)
    tallies = {n: Tally() for n in names}
    targets = {n: make_target(n, tallies[n]) for n in names}
    end, number = time.monotonic() + 60.0 * options.minutes, options.seed
    while time.monotonic() < end:
        for name in names:
            number += 1
            run_round(*targets[name], tallies[name], number)
            if time.monotonic() > end:
                break
    print_table(tallies)
    if options.json is not None:
        write_json(options.json, tallies)
    broken = [f"{name}: {text}" for name, x in tallies.items() for text in x.broken]
    if broken:
        options.out.write_text("\n".join(broken) + "\n", encoding="utf-8")
        print(f"{len(broken)} broken, see {options.out}:", *broken[:5], sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
