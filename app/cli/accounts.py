"""``user``: the accounts of the dashboard."""

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Accounts of the dashboard.")
