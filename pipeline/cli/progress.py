"""Progress on stderr: a bar on a terminal, a line at each change elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from pipeline.cli.messages import say
from pipeline.store.queries import JobProgress


class Bar:
    """A bar while its context is open."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._last = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._progress.start()
            self._task = self._progress.add_task("", total=None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, text: str, done: int, total: int) -> None:
        """Show `done` of `total`, and a few words."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=text, completed=done, total=total)
        elif text != self._last:
            say(f"{done}/{total} {text}")
            self._last = text


def watch(bar: Bar, progress: JobProgress) -> None:
    """Show how far a job has come."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(progress.states.items()))
    if progress.searching:
        states = f"{states}, looking for copies".removeprefix(", ")
    bar.show(states, progress.finished, progress.items)
