"""``python -m app``: the command line of County Twin."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python must get a sentence, not a trace
    sys.exit(
        "County Twin needs Python 3.11 or newer; this is {}.{}. "
        "'make run' picks a newer one when there is one.".format(*sys.version_info[:2])
    )

if __name__ == "__main__":
    try:
        from app.cli.main import main
    except ModuleNotFoundError as e:
        sys.exit(
            f"The package {e.name} is missing here: 'make run' installs what is needed, "
            "or do it by hand with 'pip install -r requirements.txt'."
        )
    sys.exit(main(sys.argv[1:]))
