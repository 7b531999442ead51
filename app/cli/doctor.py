"""``doctor``: what would keep it from running, and the mend."""

import typer

from app.cli.checks import Check, Patient, examine
from app.cli.run import CountyFolder, Data, Host, Port, make_env
from ingest.settings import read_settings

COLOURS = {"ok": typer.colors.GREEN, "warn": typer.colors.YELLOW, "bad": typer.colors.RED}


def doctor(data: Data = None, county: CountyFolder = None, host: Host = None, port: Port = None) -> int:
    """Check Python, packages, disk, ports, broker, county and store; exit status 1 when something is bad."""
    env = make_env(data, county, host, port)
    worst = 0
    for check in examine(Patient(read_settings(env), env)):
        print_check(check)
        worst |= check.verdict == "bad"
    return int(worst)


def print_check(check: Check) -> None:
    """Print one line, and one more with the mend."""
    typer.secho(f"{check.verdict:<4}", fg=COLOURS[check.verdict], nl=False)
    typer.echo(f" {check.name:<9} {check.text}")
    if check.mend:
        typer.echo(f"{'':<15}-> {check.mend}")
