import fcntl
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.supervisor import broker as broker_module
from app.supervisor.broker import BrokerChoice, choose_broker
from app.supervisor.launch import check_dashboard_port, check_disk, describe_address, run_system
from app.supervisor.lock import hold_data_folder, is_held, kill_leftovers, process_birth
from app.supervisor.plan import RunOptions, make_plan, wants_devices, wants_new_county
from app.supervisor.ports import pick_port
from app.supervisor.spec import ChildSpec
from ingest.settings import Settings, read_settings
from twin.model.errors import ConfigError

DEMO_TOML = '[county]\nname = "x"\ndemo = true\nseed = 1\n'
OWN_TOML = '[county]\nname = "x"\ndemo = false\n'


def settings_in(data: Path, **more: str) -> Settings:
    return read_settings({"CT_DATA": str(data), **more})


def write_county(data: Path, toml: str) -> None:
    (data / "county").mkdir(parents=True)
    (data / "county" / "county.toml").write_text(toml)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        yield s.getsockname()[1]


def test_a_taken_port_is_named_with_a_free_one(data: Path, taken: int) -> None:
    with pytest.raises(ConfigError, match=f"Port {taken} on 127.0.0.1 is taken .* --port ") as said:
        check_dashboard_port(settings_in(data, CT_PORT=str(taken)))
    free = int(str(said.value).split("--port ")[1].split(",")[0])
    check_dashboard_port(settings_in(data, CT_PORT=str(free)))


def test_an_address_of_another_machine_is_said(data: Path) -> None:
    with pytest.raises(ConfigError, match="cannot listen on 203.0.113.7.*CT_HOST"):
        check_dashboard_port(settings_in(data, CT_HOST="203.0.113.7"))


def test_a_full_disk_is_said_before_anything_starts(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda p: shutil._ntuple_diskusage(10**9, 10**9, 5_000_000))  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="Only 5 MB are free .* --data"):
        check_disk(settings_in(data))


def test_pick_port_keeps_the_usual_one_only_while_it_is_free(taken: int) -> None:
    free = pick_port()
    assert pick_port(free) == free
    assert pick_port(taken) not in (taken, 0)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8050/"),
        ("0.0.0.0", "http://127.0.0.1:8050/"),
        ("::", "http://[::1]:8050/"),
        ("::1", "http://[::1]:8050/"),
    ],
)
def test_the_address_told_can_be_opened_here(data: Path, host: str, address: str) -> None:
    assert describe_address(settings_in(data, CT_HOST=host)) == address


def test_a_second_run_on_the_same_data_names_the_first(data: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom app.supervisor.lock import hold_data_folder\n"
        "with hold_data_folder(Path(sys.argv[1])):\n print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None and first.stdout.readline() == b"held\n"
        assert is_held(data)
        with pytest.raises(ConfigError, match=rf"already runs .*process {first.pid}.*--data"):
            run_system({"CT_DATA": str(data)}, RunOptions())
        first.kill()
    assert not is_held(data)
    with hold_data_folder(data):
        assert is_held(data)


def test_a_data_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"), hold_data_folder(tmp_path / "file"):
        pass


def test_the_lock_is_not_passed_on_to_children(data: Path) -> None:
    with hold_data_folder(data):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with (data / "run" / "supervisor.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        child.communicate(b"\n", timeout=10)


def test_leftovers_are_killed_by_pid_and_birth_and_strangers_are_not(data: Path) -> None:
    sleepers = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(2)]
    ours, stranger = sleepers
    birth = process_birth(stranger.pid)
    assert birth is not None
    rows = [
        {"name": "broker", "pid": ours.pid, "birth": process_birth(ours.pid)},
        {"name": "ingest", "pid": stranger.pid, "birth": birth + 1},
        {"name": "twin", "pid": None, "birth": None},
    ]
    (data / "run" / "status.json").write_text(json.dumps({"processes": rows}))
    try:
        assert kill_leftovers(data / "run" / "status.json") == ["broker"]
        assert ours.wait(10) == -signal.SIGKILL
        assert stranger.poll() is None
    finally:
        for p in sleepers:
            p.kill()
            p.communicate(timeout=10)


def test_a_broken_status_file_leaves_nothing_to_kill(data: Path) -> None:
    (data / "run" / "status.json").write_text("{half")
    assert kill_leftovers(data / "run" / "status.json") == []


def test_the_broker_of_mqtt_url_wins_and_its_password_is_never_told(tmp_path: Path) -> None:
    choice = choose_broker("embedded", {"MQTT_URL": "mqtt://u:geheim@broker.county:1884"}, tmp_path)
    assert (choice.kind, choice.command) == ("external", ())
    assert choice.name == "external broker at broker.county:1884"


def test_without_mosquitto_the_embedded_broker_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "SYSTEM_FOLDERS", ())
    env = {"PATH": str(tmp_path)}
    assert choose_broker("auto", env, None).kind == "embedded"
    with pytest.raises(ConfigError, match="apt-get install mosquitto"):
        choose_broker("mosquitto", env, None)
    with pytest.raises(ConfigError, match="auto, mosquitto or embedded"):
        choose_broker("kafka", env, None)


def test_mosquitto_outside_the_search_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "mosquitto"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(broker_module, "SYSTEM_FOLDERS", (str(tmp_path),))
    assert choose_broker("auto", {"PATH": "/nowhere"}, None).command == (str(program),)


def plan_of(settings: Settings, options: RunOptions, env: dict[str, str]) -> dict[str, ChildSpec]:
    broker = BrokerChoice("embedded", "mqtt://127.0.0.1:1999", (sys.executable, "-m", "ingest.broker"))
    return {s.name: s for s in make_plan(settings, options, env, broker, token="secret")}


def test_each_probe_asks_its_own_port(data: Path, taken: int) -> None:
    closed = pick_port()
    settings = settings_in(data, CT_STORE_URI=f"quack:127.0.0.1:{closed}")
    broker = BrokerChoice("embedded", f"mqtt://127.0.0.1:{taken}", ("x",))
    plan = {s.name: s for s in make_plan(settings, RunOptions(), {}, broker, "t")}
    up = {name: spec.probe() for name, spec in plan.items() if spec.probe is not None}
    assert up == {"broker": True, "ingest": False, "dashboard": False}


def test_a_first_start_makes_the_demo_county_and_all_wait_for_it(data: Path) -> None:
    plan = plan_of(settings_in(data), RunOptions(seed=7), {})
    assert list(plan) == ["broker", "county", "ingest", "dashboard", "devices", "twin", "survey"]
    assert plan["county"].once and plan["county"].command[-2:] == ("--seed", "7")
    assert all(plan[n].needs == ("county",) for n in ("ingest", "dashboard", "devices", "twin"))


def test_the_photography_of_the_demo_is_made_last_once_and_stops_nobody(data: Path) -> None:
    plan = plan_of(settings_in(data), RunOptions(), {})
    survey = plan["survey"]
    assert survey.once and not survey.vital and "dashboard" in survey.needs and "twin" in survey.after
    assert "survey" not in plan_of(settings_in(data), RunOptions(), {"CT_DEMO_SURVEY": "0"})


def test_secrets_go_only_to_those_who_need_them(data: Path) -> None:
    env = {"CT_STORE_TOKEN": "old", "MQTT_URL": "mqtt://u:geheim@h", "PATH": "/bin"}
    plan = plan_of(settings_in(data), RunOptions(), env)
    has_token = {n for n, s in plan.items() if "CT_STORE_TOKEN" in s.env}
    knows_bus = {n for n, s in plan.items() if "MQTT_URL" in s.env}
    assert has_token == {"ingest", "dashboard", "twin"}
    assert knows_bus == {"broker", "ingest", "dashboard", "devices"}
    assert all(s.env["PATH"] == "/bin" for s in plan.values())


def test_what_the_user_sets_for_libraries_wins(data: Path) -> None:
    plan = plan_of(settings_in(data), RunOptions(), {"OMP_NUM_THREADS": "4"})
    assert plan["twin"].env["OMP_NUM_THREADS"] == "4"
    assert plan["twin"].env["MALLOC_ARENA_MAX"] == "2"


def test_stopping_goes_from_the_devices_to_the_broker(data: Path) -> None:
    plan = plan_of(settings_in(data), RunOptions(), {})
    rank = {n: s.stop_rank for n, s in plan.items()}
    assert rank["devices"] < rank["dashboard"] <= rank["twin"] < rank["ingest"] < rank["broker"]


def test_a_county_of_ones_own_needs_no_demo_devices(data: Path) -> None:
    write_county(data, OWN_TOML)
    settings = settings_in(data)
    assert not wants_new_county(settings, RunOptions(), {})
    assert not wants_devices(settings, RunOptions(), {})
    assert wants_devices(settings, RunOptions("always"), {})


def test_the_demo_county_is_kept_and_its_devices_run(data: Path) -> None:
    write_county(data, DEMO_TOML)
    settings = settings_in(data)
    assert not wants_new_county(settings, RunOptions(), {})
    assert wants_devices(settings, RunOptions(), {})
    assert not wants_devices(settings, RunOptions("never"), {})
    assert not wants_devices(settings, RunOptions(), {"CT_COUNTY": str(settings.county)})


def test_another_seed_than_the_county_has_is_refused(data: Path) -> None:
    write_county(data, DEMO_TOML)
    with pytest.raises(ConfigError, match="seed 1.*seed 2 give another folder"):
        wants_new_county(settings_in(data), RunOptions("always", seed=2), {})


def test_a_county_that_is_not_there_is_said_with_the_way_to_get_one(data: Path) -> None:
    with pytest.raises(ConfigError, match="import-county MAPPING --into"):
        wants_new_county(settings_in(data), RunOptions(), {"CT_COUNTY": "x"})
    with pytest.raises(ConfigError, match="--no-demo forbids"):
        wants_new_county(settings_in(data), RunOptions("never"), {})


def test_a_county_file_that_is_not_toml_is_named(data: Path) -> None:
    write_county(data, "name = ")
    with pytest.raises(ConfigError, match=r"county\.toml cannot be read"):
        wants_new_county(settings_in(data), RunOptions(), {})


def test_the_store_address_must_be_one(data: Path) -> None:
    with pytest.raises(ConfigError, match="quack:127.0.0.1:9494"):
        plan_of(settings_in(data, CT_STORE_URI="9494"), RunOptions(), {})


def test_the_supervisor_itself_stays_light() -> None:
    code = (
        "import sys, app.cli.main\n"
        "heavy = {'numpy', 'pandas', 'geopandas', 'duckdb', 'dash', 'plotly', 'numba', 'fastapi', 'paho'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
