"""What is started for a run: from settings and options to the list of children. Starts nothing itself."""

import os
import signal
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from app.supervisor.broker import BrokerChoice
from app.supervisor.ports import accepts_connections, answers_http, reachable_host
from app.supervisor.spec import ROOT, ChildSpec
from ingest.demo.survey.listing import has_survey
from ingest.settings import Settings, parse_mqtt_url
from twin.model.errors import ConfigError

DemoChoice = Literal["auto", "always", "never"]
DEFAULT_SEED = 7
SURVEY_WAIT_S = 45
"""The photography of the demo county is made after live values stand on the screen, not against them."""

LEAN = {
    "PYTHONUNBUFFERED": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_MAX_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
"""Thread pools and arenas per process cost memory and gain nothing here; what the user has set wins."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line adds to the settings. ``demo_args`` go to the demo devices as they are."""

    demo: DemoChoice = "auto"
    seed: int | None = None
    demo_args: tuple[str, ...] = ()


def read_county_meta(folder: Path) -> dict[str, object] | None:
    """Return the ``[county]`` table of a county folder, or None when there is no county.

    Raises
    ------
    ConfigError : ``county.toml`` is not TOML
    """
    file = folder / "county.toml"
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as e:
        raise ConfigError(f"{file} cannot be read: {e}") from e
    table = said.get("county")
    return dict(table) if isinstance(table, dict) else {}


def wants_new_county(settings: Settings, options: RunOptions, env: Mapping[str, str]) -> bool:
    """Whether the demo county must be made first.

    Raises
    ------
    ConfigError : there is no county and none may be made, or the one here has another seed than asked for
    """
    meta = read_county_meta(settings.county)
    if meta is None:
        if "CT_COUNTY" in env and options.demo != "always":
            raise ConfigError(
                f"There is no county in {settings.county} (county.toml is missing); import one with "
                f"'python -m app import-county MAPPING --into {settings.county}', or leave --county away "
                "for the demo county."
            )
        if options.demo == "never":
            raise ConfigError(
                f"There is no county in {settings.county} and --no-demo forbids to make one; import one "
                f"with 'python -m app import-county MAPPING --into {settings.county}'."
            )
        return True
    if options.seed is not None and meta.get("demo") and meta.get("seed") not in (None, options.seed):
        raise ConfigError(
            f"{settings.county} holds the demo county of seed {meta.get('seed')}, and its history belongs "
            f"to it; for seed {options.seed} give another folder with --data."
        )
    return False


def wants_devices(settings: Settings, options: RunOptions, env: Mapping[str, str]) -> bool:
    """Whether the demo devices run: asked for, or no county of one's own is configured."""
    if options.demo != "auto":
        return options.demo == "always"
    meta = read_county_meta(settings.county)
    return meta is None or (bool(meta.get("demo")) and "CT_COUNTY" not in env)


def make_plan(
    settings: Settings, options: RunOptions, env: Mapping[str, str], broker: BrokerChoice, token: str
) -> list[ChildSpec]:
    """Return the children of this run, in the order in which they are told about.

    Parameters
    ----------
    settings : with the store's address as it will be used
    env : environment of the user; every child gets it with the settings written into it
    token : the store's; only those who ask the store get it
    """
    common = _child_env(settings, env)
    bus = {**common, "MQTT_URL": broker.url}
    asks_store = {**common, "CT_STORE_TOKEN": token}
    both = {**bus, "CT_STORE_TOKEN": token}
    python = sys.executable
    plan: list[ChildSpec] = []
    if broker.command:
        at = parse_mqtt_url(broker.url)
        plan.append(
            ChildSpec("broker", broker.command, bus, probe=partial(accepts_connections, at.host, at.port),
                      stop_rank=3, orphan_signal=signal.SIGTERM)
        )  # fmt: skip
    new = wants_new_county(settings, options, env)
    if new:
        seed = DEFAULT_SEED if options.seed is None else options.seed
        maker = (python, "-m", "app.supervisor.make_county", "--seed", str(seed))
        plan.append(ChildSpec("county", maker, common, once=True))
    needs = ("county",) if new else ()
    host, port = _store_address(settings)
    plan.append(
        ChildSpec("ingest", (python, "-m", "ingest"), both, needs, after=("broker",), stop_rank=2,
                  probe=partial(accepts_connections, host, port), grace_s=12.0)
    )  # fmt: skip
    plan.append(
        ChildSpec("dashboard", (python, "-m", "app.web"), both, needs, stop_rank=1,
                  probe=partial(answers_http, reachable_host(settings.host), settings.port))
    )  # fmt: skip
    devices = wants_devices(settings, options, env)
    if devices:
        field = (python, "-m", "ingest.demo", *options.demo_args)
        plan.append(ChildSpec("devices", field, bus, needs, after=("broker", "ingest"), stop_rank=0))
    plan.append(
        ChildSpec("twin", (python, "-m", "app.workers.twin"), asks_store, needs,
                  after=("ingest", "dashboard"), stop_rank=1)
    )  # fmt: skip
    if devices and env.get("CT_DEMO_SURVEY", "1") != "0" and (new or not has_survey(settings.county)):
        # Needs nothing that would stop it, but comes after all that a first look at the dashboard needs.
        survey = (python, "-m", "ingest.demo.survey", "--wait-s", str(SURVEY_WAIT_S))
        plan.append(
            ChildSpec("survey", survey, common, (*needs, "dashboard"), after=("twin", "devices"),
                      once=True, vital=False, stop_rank=0)
        )  # fmt: skip
    return plan


def _store_address(settings: Settings) -> tuple[str, int]:
    host, _, port = settings.store_uri.removeprefix("quack:").rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"CT_STORE_URI is {settings.store_uri!r}; write it as quack:127.0.0.1:9494")
    return host, int(port)


def _child_env(settings: Settings, env: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in env.items() if k not in ("CT_STORE_TOKEN", "MQTT_URL")}
    said = {
        "CT_DATA": str(settings.data),
        "CT_COUNTY": str(settings.county),
        "CT_STORE_URI": settings.store_uri,
        "CT_HOST": settings.host,
        "CT_PORT": str(settings.port),
        "CT_FRAME_ANCESTORS": settings.frame_ancestors,
        "CT_LANG": settings.lang,
    }
    if "NUMBA_CACHE_DIR" not in env and not os.access(ROOT / "twin", os.W_OK):
        said["NUMBA_CACHE_DIR"] = str(settings.data / "cache" / "numba")
    return {**LEAN, **kept, **said}
