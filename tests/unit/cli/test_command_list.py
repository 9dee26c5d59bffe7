"""The list of commands, which is printed without importing them."""

import subprocess
import sys

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from pipeline.cli.app import COMMANDS, bring, make_app
from pipeline.cli.wiring import Wiring


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_help_is_the_commands_own(name: str) -> None:
    """What the list says of a command is the first line of its own help."""
    assert bring(name).help.splitlines()[0] == COMMANDS[name][2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example(name: str) -> None:
    """A command's help ends with an example that begins as the command is called; so does that of each subcommand."""
    command = bring(name)
    context = typer.Context(command)
    every = (
        {f"{name} {sub}": command.get_command(context, sub) for sub in command.commands}
        if hasattr(command, "commands")
        else {name: command}
    )
    for words, one in every.items():
        example = one.help.strip().splitlines()[-1]
        assert example.startswith("Example: ")
        assert f"wirecopy {words}" in example or words == "config show", example


def test_the_list_imports_no_command() -> None:
    """`wirecopy --help` waits for neither SQLAlchemy nor numba nor trafilatura."""
    code = (
        "import sys; sys.argv = ['wirecopy', '--help']\n"
        "from workers.console import main\n"
        "try: main()\n"
        "finally: print(sorted({'sqlalchemy', 'numba', 'trafilatura', 'celery', 'httpx'} & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr.strip()) == (0, "[]")
    assert all(f" {name} " in result.stdout for name in COMMANDS)


def test_a_called_command_is_the_real_one() -> None:
    """What is called has its options; a name that is none is refused, as ever."""
    nothing = Wiring(ring=print, fleet=print, worker=print, beat=print)  # type: ignore[arg-type]
    group = get_command(make_app(nothing))
    assert isinstance(group, TyperGroup)
    _, command, rest = group.resolve_command(typer.Context(group), ["recover", "x"])
    assert command is not None
    assert rest == ["x"]
    assert {"format_", "output", "copies"} <= {parameter.name for parameter in command.params}
