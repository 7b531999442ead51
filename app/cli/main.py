"""Puts the commands together; every failure leaves as a sentence on stderr and an exit status."""

import sys
import traceback
from collections.abc import Sequence

import typer

from app.cli import accounts, county, demo, doctor, run
from app.supervisor.spec import EX_CONFIG
from twin.model.errors import ConfigError, CountyTwinError

app = typer.Typer(
    name="python -m app",
    help="County Twin: live county heat beside its simulation. 'run' starts it, 'doctor' finds faults.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.add_typer(demo.app, name="demo")
app.command("import-county")(county.import_county)
app.command("doctor")(doctor.doctor)
app.add_typer(accounts.app, name="user")


def main(argv: Sequence[str]) -> int:
    """Run one command.

    Parameters
    ----------
    argv : without the program's name; ``--trace`` anywhere shows the whole trace of a failure

    Returns
    -------
    exit status: 0 done, 1 failed, 2 wrong use, 78 wrong configuration, 130 interrupted
    """
    trace = "--trace" in argv
    words = [a for a in argv if a != "--trace"]
    try:
        code = app(args=words, prog_name="python -m app", standalone_mode=False)
    except typer.TyperException as e:
        e.show()  # type: ignore[attr-defined]  # every subclass that typer raises has it
        return e.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except Exception as e:
        if trace:
            traceback.print_exc()
        print(describe_failure(e), file=sys.stderr)
        return EX_CONFIG if isinstance(e, ConfigError) else 1
    return code if isinstance(code, int) else 0


def describe_failure(error: Exception) -> str:
    """Return the sentence for a failure; what we did not raise on purpose says how to see more."""
    if isinstance(error, CountyTwinError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return f"The package {error.name} is missing: 'make run' installs what is needed."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The system'}: {error.strerror}"
    return f"{type(error).__name__}: {error} (add --trace to see where)"
