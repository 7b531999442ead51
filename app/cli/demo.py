"""``demo``: the whole system with the demo devices, and faults for a running demo."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.run import BrokerOption, CountyFolder, Data, Host, Lang, Port, make_env
from app.supervisor.launch import run_system
from app.supervisor.plan import RunOptions
from ingest.settings import Settings, parse_mqtt_url, read_settings
from twin.model.errors import ConfigError, InputError

CONTROL_TOPIC = "demo/control"
ANSWER_S = 10.0

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def demo(
    context: typer.Context,
    data: Data = None,
    county: CountyFolder = None,
    host: Host = None,
    port: Port = None,
    lang: Lang = None,
    broker: BrokerOption = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the demo county and its field.")] = None,
    speed: Annotated[float | None, typer.Option(min=0.1, help="How much faster than real time.")] = None,
    weather: Annotated[str | None, typer.Option(help="Weather of the field.")] = None,
    faults: Annotated[Path | None, typer.Option(help="Script of faults (see docs/demo-field.md).")] = None,
) -> None:
    """Start everything with the demo devices; 'demo fault' makes something break while it runs."""
    if context.invoked_subcommand is not None:
        return
    options = {
        "--seed": seed,
        "--speed": speed,
        "--weather": weather,
        "--faults": faults and faults.absolute(),
    }
    args = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    env = make_env(data, county, host, port, lang, broker)
    raise typer.Exit(run_system(env, RunOptions("always", seed, tuple(args))))


@app.command("fault")
def fault(
    kind: Annotated[str, typer.Argument(help="What breaks, for example leak (see docs/demo-field.md).")],
    at: Annotated[str, typer.Option(help="Id of the pipe, station, sensor ... it happens to.")] = "",
    size: Annotated[float | None, typer.Option(help="How bad, in the unit of its kind.")] = None,
    minutes: Annotated[float | None, typer.Option(help="How long; without it, until cleared.")] = None,
    data: Data = None,
) -> None:
    """Make something break in the running demo."""
    settings = read_settings(make_env(data))
    message: dict[str, Any] = {"fault": kind}
    message |= {"at": at} if at else {}
    message |= {"size": size} if size is not None else {}
    message |= {"minutes": minutes} if minutes is not None else {}
    publish_control(find_running_broker(settings), message)
    typer.echo(f"told the demo devices: {json.dumps(message)}")


def find_running_broker(settings: Settings) -> str:
    """Return the URL of the broker the running system uses.

    Raises
    ------
    InputError : nothing runs on this data folder
    """
    if url := os.environ.get("MQTT_URL"):
        return url
    try:
        said = json.loads(settings.status_file.read_text(encoding="utf-8"))
        url = str(said["mqtt_url"])
    except (OSError, ValueError, KeyError) as e:
        raise InputError(
            f"No demo runs on the data folder {settings.data}; start one with 'python -m app demo', "
            "or name its folder with --data."
        ) from e
    if not url:
        raise ConfigError("The demo runs on a broker of yours; set MQTT_URL here as it was set there.")
    return url


def publish_control(url: str, message: dict[str, Any]) -> None:
    """Say one thing to the demo devices; returns when the broker has it.

    Raises
    ------
    InputError : the broker does not answer
    """
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion

    broker = parse_mqtt_url(url)
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    if broker.username:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls:
        client.tls_set()
    try:
        client.connect(broker.host, broker.port)
        client.loop_start()
        sent = client.publish(CONTROL_TOPIC, json.dumps(message), qos=1)
        sent.wait_for_publish(ANSWER_S)
        if not sent.is_published():
            raise InputError(f"The broker at {broker.host}:{broker.port} did not take the message.")
    except OSError as e:
        raise InputError(f"The broker at {broker.host}:{broker.port} does not answer: {e}") from e
    finally:
        client.disconnect()
        client.loop_stop()
