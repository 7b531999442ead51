"""``user``: the accounts of the dashboard, and links that open one view without an account."""

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.run import Data, make_env
from ingest.settings import Settings, read_settings
from twin.model.errors import InputError

if TYPE_CHECKING:
    from app.auth.accounts import AccountFile

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Accounts of the dashboard.")

Name = Annotated[str, typer.Argument(help="Name of the account.")]
DAY_S = 86400.0


def _settings(data: Data) -> Settings:
    return read_settings(make_env(data))


def _file(data: Data) -> "AccountFile":
    from app.auth.accounts import AccountFile

    return AccountFile(_settings(data).data / "auth" / "accounts.json")


def ask_password() -> str:
    """Return a new password: typed twice at a terminal, otherwise the first line of standard input.

    Raises
    ------
    InputError : the two differ, or nothing comes
    """
    if not sys.stdin.isatty():
        if line := sys.stdin.readline().rstrip("\n"):
            return line
        raise InputError("No password came on standard input.")
    first = typer.prompt("Password", hide_input=True)
    if first != typer.prompt("Once more", hide_input=True):
        raise InputError("The two passwords differ.")
    return str(first)


@app.command("add")
def add(
    name: Name,
    role: Annotated[
        str, typer.Option(help="viewer sees, operator acts on events, admin manages.")
    ] = "viewer",
    data: Data = None,
) -> None:
    """Add an account; the password is asked, or read from standard input."""
    from app.auth.accounts import ROLES, Role

    known: dict[str, Role] = {r: r for r in ROLES}
    if role not in known:
        raise InputError(f"{role!r} is no role; one of: {', '.join(ROLES)}")
    _file(data).add(name, ask_password(), known[role])
    typer.echo(f"{name} may sign in as {role}.")


@app.command("passwd")
def passwd(name: Name, data: Data = None) -> None:
    """Change a password; whoever is signed in with the old one is signed out."""
    _file(data).set_password(name, ask_password())
    typer.echo(f"{name} has a new password.")


@app.command("remove")
def remove(name: Name, data: Data = None) -> None:
    """Remove an account; whoever is signed in with it is signed out."""
    _file(data).remove(name)
    typer.echo(f"{name} is removed.")


@app.command("list")
def list_accounts(data: Data = None) -> None:
    """Show names and roles."""
    accounts = _file(data).accounts()
    for account in sorted(accounts.values(), key=lambda a: a.name):
        made = time.strftime("%Y-%m-%d", time.localtime(account.created))
        typer.echo(f"{account.name:<24} {account.role:<9} since {made}")
    if not accounts:
        typer.echo("There are no accounts: the dashboard serves this machine only.")


@app.command("link")
def link(
    path: Annotated[str, typer.Argument(help="What it opens, for example /embed/overview.")],
    days: Annotated[float, typer.Option(min=0.01, max=3660.0, help="How long it works.")] = 365.0,
    base: Annotated[str, typer.Option(help="Address of the dashboard as others see it.")] = "",
    data: Data = None,
) -> None:
    """Print a signed address that shows one view without an account, for a frame in another portal."""
    from app.auth.gate import make_link
    from app.auth.tokens import Tokens, read_secret
    from app.supervisor.launch import describe_address

    if not path.startswith("/embed/"):
        raise InputError(f"{path!r}: only views under /embed/ can be given away by link.")
    settings = _settings(data)
    tokens = Tokens(read_secret(settings.data / "auth" / "secret.key"))
    typer.echo(make_link(base or describe_address(settings), path, tokens, time.time() + days * DAY_S))
