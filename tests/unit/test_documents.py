"""The documents say what is true of the code."""

import re
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from pipeline.cli.app import COMMANDS, make_app
from pipeline.cli.wiring import Wiring

ROOT = Path(__file__).parents[2]
CODE = sorted(path for folder in ("pipeline", "workers") for path in (ROOT / folder).rglob("*.py"))
GLOSSARY = re.findall(
    r"^\| ([^|]+) \| ([^|]+) \| ([^|]*) \|$", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE
)[1:]
NAMES = re.compile(r"\b(?:def|class)\s+(\w+)|^(\w+)\s*[:=]", re.MULTILINE)


def words_of(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]


def defined() -> set[str]:
    """Every word in the name of a module, class, function or constant."""
    found: set[str] = set()
    for path in CODE:
        found |= set(words_of(path.stem))
        for names in NAMES.findall(path.read_text("utf-8")):
            found |= {word for name in names for word in words_of(name)}
    return found


@pytest.mark.parametrize("word", [word for word, _, _ in GLOSSARY])
def test_the_code_uses_the_words_of_the_glossary(word: str) -> None:
    """Each word of the glossary stands in the code: in a name, or where it is two words, in a docstring."""
    text = "\n".join(path.read_text("utf-8").lower() for path in CODE)
    first = word.split(" (", maxsplit=1)[0].lower()
    assert first in defined() or re.search(rf"\b{re.escape(first)}s?\b", text), word


@pytest.mark.parametrize("rival", [rival.strip() for _, _, rivals in GLOSSARY for rival in rivals.split(",") if rival.strip()])
def test_the_code_does_not_use_their_rivals(rival: str) -> None:
    """No class, function or module is named with a word that the glossary gives up for another."""
    assert rival.lower() not in defined()


def commands() -> list[str]:
    """Every command with its subcommands, as typed."""
    nothing = Wiring(ring=print, fleet=print, worker=print, beat=print)  # type: ignore[arg-type]
    group = get_command(make_app(nothing))
    assert isinstance(group, TyperGroup)
    context = typer.Context(group)
    found = []
    for name in COMMANDS:
        _, command, _ = group.resolve_command(context, [name])
        inner = command.list_commands(context) if isinstance(command, TyperGroup) else [""]
        found += [f"wirecopy {name} {sub}".strip() for sub in inner]
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_stands_in_the_readme(command: str) -> None:
    """The README shows how each command is called."""
    text = (ROOT / "README.md").read_text("utf-8")
    name, sub = [*command.split(), ""][1:3]
    line = rf"wirecopy {name} (?:[\w|]+\|)?{sub}\b" if sub else rf"wirecopy {name}\b"
    assert re.search(line, text), f"{command} is not in the README"


def test_no_document_links_to_nothing() -> None:
    """Every relative link in the documents leads to a file."""
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text("utf-8")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"
