"""``run``: the whole system."""

import os
from pathlib import Path
from typing import Annotated

import typer

from app.supervisor.launch import run_system
from app.supervisor.plan import DemoChoice, RunOptions

Data = Annotated[Path | None, typer.Option(help="Data folder [CT_DATA, else var].", show_default=False)]
CountyFolder = Annotated[
    Path | None, typer.Option(help="County folder [CT_COUNTY, else the demo county in the data folder].")
]
Host = Annotated[str | None, typer.Option(help="Address the dashboard listens on [CT_HOST, else 127.0.0.1].")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Its port [CT_PORT, else 8050].")]
Lang = Annotated[str | None, typer.Option(help="First language, zh or en [CT_LANG, else zh].")]
BrokerOption = Annotated[
    str | None,
    typer.Option(
        "--broker", help="auto, mosquitto or embedded [CT_BROKER, else auto]; MQTT_URL wins over it."
    ),
]


def make_env(
    data: Path | None = None,
    county: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    lang: str | None = None,
    broker: str | None = None,
) -> dict[str, str]:
    """Return the process environment with the options given on the command line written over it."""
    said = {
        "CT_DATA": data and str(data.absolute()),
        "CT_COUNTY": county and str(county.absolute()),
        "CT_HOST": host,
        "CT_PORT": port and str(port),
        "CT_LANG": lang,
        "CT_BROKER": broker,
    }
    return {**os.environ, **{k: v for k, v in said.items() if v}}


def run(
    data: Data = None,
    county: CountyFolder = None,
    host: Host = None,
    port: Port = None,
    lang: Lang = None,
    broker: BrokerOption = None,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Never start the demo devices.")] = False,
) -> int:
    """Start everything and keep it running until Ctrl-C; without a county of your own, the demo county."""
    choice: DemoChoice = "never" if no_demo else "auto"
    return run_system(make_env(data, county, host, port, lang, broker), RunOptions(demo=choice))
