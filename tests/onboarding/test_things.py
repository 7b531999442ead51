"""The library of thing models, its document, and what is refused."""

import re
from pathlib import Path

import pytest

from ingest.things import find_model, load_library
from ingest.things.check import check_model
from ingest.things.library import read_model
from twin.model.errors import InputError
from twin.model.quantities import QUANTITIES

DOCUMENT = Path(__file__).parents[2] / "docs" / "thing-models.md"
ASKED = {
    "heat_station_plc", "heat_meter", "room_sensor", "weather_station", "river_gauge", "rain_gauge",
    "parking_gate", "geomagnetic_bay", "traffic_counter", "light_cabinet", "camera", "manhole",
    "gas_detector",
}  # fmt: skip
SMALL = """
id = "pump"
version = 1
domain = "heating"
zh = "水泵"
en = "pump"
[[properties]]
key = "pump_t"
quantity = "temperature"
unit = "°C"
low = 0
high = 100
period_s = 60
zh = "泵温"
en = "pump temp"
normal = [40, 60]
"""


def test_the_library_has_what_a_county_buys() -> None:
    assert set(load_library()) == ASKED


@pytest.mark.parametrize("model", load_library().values(), ids=lambda m: m.id)
def test_a_model_is_whole(model: object) -> None:
    assert check_model(model) == ()
    assert len({(p.zh, p.en) for p in model.properties}) == len(model.properties)
    wire = [n.lower() for p in model.properties for n in p.names]
    assert len(wire) == len(set(wire)), "a name on the wire would mean two properties"


def test_the_document_shows_the_library_as_it_is() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = set(re.findall(r"^\| `(\w+)` \|(?:[^|]+\|){2} \d+ \|", text, re.MULTILINE))
    assert shown == ASKED
    for m in load_library().values():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{m.id}` |"))
        assert m.zh in row and f"| {len(m.properties)} |" in row
        for event in m.events:
            assert f"`{event.key}`" in row
        for service in m.services:
            assert f"`{service.key}`" in row
    for field in ("key", "quantity", "deadband", "register", "read_back", "normal", "counter", "hints"):
        assert f"`{field}`" in text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('unit = "°C"', 'unit = "MPa"', "cannot carry temperature; use one of: K, degC, degF, °C, ℃"),
        ('unit = "°C"', 'unit = "furlong"', "unit 'furlong' is not known"),
        ('"temperature"', '"warmth"', "quantity 'warmth' is not known; one of:"),
        ("low = 0", "low = 200", "low 200 must be below high 100"),
        ("high = 100", "high = 9000", "mend low, high or the unit"),
        ("normal = [40, 60]", "normal = [40, 600]", "lies outside 0 to 100"),
        ("version = 1", "version = 0", "count from 1"),
        ('key = "pump_t"', 'key = "Pump T"', "small letters, digits and _"),
        ('key = "pump_t"', 'key = "p1_ps"', "measures pressure, not temperature"),
        ("period_s = 60", "period_s = 0", "0.1 to 10000000 s"),
        ("period_s = 60", 'period_s = "a minute"', "Expected `float`, got `str` - at `$.prop"),
        ("low = 0", "lowest = 0", "unknown field `lowest` - at `$.properties[0]`"),
        ('domain = "heating"', "domain = heating", "not TOML"),
    ],
)  # fmt: skip
def test_a_fault_names_the_place_and_the_mend(old: str, new: str, said: str) -> None:
    assert old in SMALL
    with pytest.raises(InputError) as refused:
        read_model(SMALL.replace(old, new), "pump.toml")
    assert said in str(refused.value)
    assert str(refused.value).startswith("pump.toml: ")


def test_registers_events_and_services_are_checked() -> None:
    more = (
        SMALL + 'register = { address = 70000, order = "XY" }\n[[events]]\nkey = "hot"\nproperty = "heat"\n'
    )
    more += (
        'test = "over"\nvalue = 5\nlevel = 9\nzh = "热"\nen = "hot"\n[[services]]\nkey = "stop"\nzh = "停"\n'
    )
    more += 'en = "stop"\nread_back = "run"\ntimeout_s = 0\n'
    with pytest.raises(InputError) as refused:
        read_model(more, "pump.toml")
    for said in ("order is 'XY'", "address is 70000", "'heat' is none", "test is 'over'", "level is 9",
                 "read_back 'run'", "timeout_s is 0"):  # fmt: skip
        assert said in str(refused.value)


def test_a_county_brings_models_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "pump.toml").write_text(SMALL, encoding="utf-8")
    models = load_library(tmp_path)
    assert find_model(models, "pump").name("zh") == "水泵"
    assert set(models) == ASKED | {"pump"}
    with pytest.raises(InputError, match="no thing model 'mill'; one of: camera"):
        find_model(models, "mill")
    (tmp_path / "things" / "mill.toml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(InputError, match=r"name the file pump.toml"):
        load_library(tmp_path)


def test_every_quantity_of_the_library_has_both_names() -> None:
    used = {p.quantity for m in load_library().values() for p in m.properties}
    assert all(QUANTITIES[q].zh != QUANTITIES[q].en for q in used)
