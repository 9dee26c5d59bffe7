"""What every command starts from: the settings in force and the wiring."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.cli.wiring import Wiring
from pipeline.settings import Loaded, Settings

if TYPE_CHECKING:
    from pipeline.cli.services import Services


@dataclass(frozen=True, slots=True)
class Context:
    """What a command starts from; typer keeps it as the `obj` of its own context."""

    loaded: Loaded
    wiring: Wiring

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.loaded.settings

    def services(self) -> AbstractContextManager[Services]:
        """The store, for as long as the context lasts; see pipeline.cli.services.open_services."""
        # `wirecopy recover` has a context, too, and needs neither SQLAlchemy nor a server.
        from pipeline.cli.services import open_services  # noqa: PLC0415

        return open_services(self.settings)
