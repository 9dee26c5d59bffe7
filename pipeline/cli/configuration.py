"""Faces of the settings: config show, config path."""

import re

import typer

from pipeline.cli.context import Context
from pipeline.cli.output import Column, FormatOption, write_rows
from pipeline.settings import settings_files
from pipeline.stages import source_list

app = typer.Typer(help="Settings, and where they come from.", no_args_is_help=True)

SETTINGS = (Column("name", least=12), Column("value", least=16), Column("origin", "set by", least=12))
FILES = (Column("holds"), Column("path", least=30), Column("exists", "there"))
# The password of a URL: between the user's colon and the last @ before the host ends.
_PASSWORD = re.compile(r"(?<=://)([^/?#]*?):[^/?#]*@")
_PASSWORD_PARAMETER = re.compile(r"(?i)([?&]password=)[^&]*")


@app.command()
def show(ctx: typer.Context, format_: FormatOption = None) -> None:
    """List every setting with its value and what set it: flag, environment, a file, or the default. Passwords are hidden.

    Example: wirecopy --set settle=5 config show
    """
    context: Context = ctx.obj
    values = context.settings.model_dump()
    rows = [
        {
            "name": name,
            "value": _shown(name, value),
            "origin": context.loaded.origin[name],
        }
        for name, value in values.items()
    ]
    write_rows(rows, SETTINGS, format_)


@app.command()
def path(ctx: typer.Context, format_: FormatOption = None) -> None:
    """List the files and folders that wirecopy looks at, the weaker settings first.

    Example: wirecopy config path
    """
    context: Context = ctx.obj
    looked_at = [("settings", file) for file in settings_files()]
    looked_at += [("sources", file) for file in source_list.user_files()]
    looked_at.append(("data", context.settings.data_folder))
    rows = [{"holds": holds, "path": str(place), "exists": place.exists()} for holds, place in looked_at]
    write_rows(rows, FILES, format_)


def _shown(name: str, value: object) -> object:
    """A setting's value without what is secret in it."""
    if name.endswith("_key") and value:
        return "***"
    return hide_password(value) if isinstance(value, str) else value


def hide_password(text: str) -> str:
    """The text without the password of a URL in it."""
    return _PASSWORD_PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))
