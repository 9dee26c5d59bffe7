"""One frozen settings object, and where each of its values came from.

Flags > WIRECOPY_* in the environment > ./wirecopy.toml > wirecopy.toml in the user's config folder > config/defaults.toml.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import Misuse

PREFIX = "WIRECOPY_"
# Read by scripts and wirecopy's own processes, not settings.
NOT_SETTINGS = frozenset({"WIRECOPY_PYTHON", "WIRECOPY_LIFELINE"})
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Duration = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """Every setting; config/defaults.toml says what each is for. Times in seconds, sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: str
    database_url: str
    redis_url: str
    database_password_file: str
    redis_password_file: str
    contact: str
    fetch_interval: Seconds
    crawl_delay_cap: Seconds
    fetch_concurrency: Count
    share_address: bool
    connect_timeout: Duration
    fetch_timeout: Duration
    max_body: Count
    allow_private_addresses: bool
    proxy: str
    obey_noarchive: bool
    body_store: Literal["database", "folder"]
    body_dir: str
    body_lifetime: Seconds
    keep_evidence: bool
    warc: bool
    warc_dir: str
    warc_size: Count
    host_lease: Duration
    robots_lifetime: Duration
    revisit_until: Seconds
    max_hops: Count
    extract_timeout: Duration
    extract_memory: Count
    work_lease: Duration
    quarantine_after: Count
    settle: Seconds
    tick: Duration
    sweep: Duration
    fetch_processes: Annotated[int, Field(ge=2)]
    dedupe_processes: Count
    neural: Literal["auto", "off"]
    neural_budget: Duration
    model_dir: str
    discovery_providers: str
    discovery_queries: Count
    discovery_candidates: Count
    discovery_rest: Seconds
    discovery_keep: Seconds
    discovery_patience: Seconds
    searxng_url: str
    searxng_private: bool
    searxng_interval: Seconds
    gdelt_doc_url: str
    gdelt_ngrams_url: str
    gdelt_ngrams_files: Annotated[int, Field(ge=0)]
    brave_url: str
    brave_key: str
    media_cloud_url: str
    media_cloud_key: str
    news_api_url: str
    news_api_key: str
    wayback_url: str
    common_crawl_index_url: str
    common_crawl_data_url: str
    discovery_listings: str

    @property
    def data_folder(self) -> Path:
        """Where private servers keep their data; absolute."""
        if self.data_dir:
            return Path(self.data_dir).expanduser().absolute()
        return platformdirs.user_data_path("wirecopy", appauthor=False)

    @property
    def body_folder(self) -> Path:
        """Where bodies lie that are kept as files; absolute."""
        return Path(self.body_dir).expanduser().absolute() if self.body_dir else self.data_folder / "bodies"

    @property
    def warc_folder(self) -> Path:
        """Where WARC files are written as pages come in; absolute."""
        return Path(self.warc_dir).expanduser().absolute() if self.warc_dir else self.data_folder / "warc"

    @property
    def model_folder(self) -> Path:
        """Where the neural model is kept; absolute."""
        return Path(self.model_dir).expanduser().absolute() if self.model_dir else self.data_folder / "models"

    @property
    def broker_url(self) -> str:
        """`redis_url` with the password out of `redis_password_file`, where it has none of its own. Raises Misuse."""
        parts = urlsplit(self.redis_url)
        if not self.redis_password_file or parts.password or parts.scheme not in {"redis", "rediss"}:
            return self.redis_url
        try:
            password = Path(self.redis_password_file).read_text("utf-8").strip()
        except OSError as error:
            raise Misuse(f"Cannot read redis_password_file: {error}.") from error
        user, _, host = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, and for each the layer that set it."""

    settings: Settings
    origin: Mapping[str, str]


def settings_files() -> tuple[Path, Path]:
    """The two files that may hold settings, the weaker one first."""
    return platformdirs.user_config_path("wirecopy", appauthor=False) / "wirecopy.toml", Path("wirecopy.toml").absolute()


def load(flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> Loaded:
    """The settings in force. A flag of None was not given. Raises Misuse that names the layer and the setting."""
    environment = os.environ if environment is None else environment
    layers: list[tuple[str, Mapping[str, Any]]] = [("default", _defaults())]
    layers += [(str(path), _read(path)) for path in settings_files() if path.is_file()]
    layers.append(("environment", _from_environment(environment)))
    layers.append(("flag", {name: value for name, value in (flags or {}).items() if value is not None}))
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for layer, given in layers:
        for name, value in given.items():
            if name not in Settings.model_fields:
                raise Misuse(f"Unknown setting {name!r} ({layer}).{_suggestion(name)}")
            values[name], origin[name] = value, layer
    try:
        settings = Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise Misuse(f"Setting {name} = {values.get(name)!r} ({origin.get(name)}): {first['msg']}.") from error
    if settings.host_lease <= settings.fetch_timeout:
        raise Misuse(
            f"Setting host_lease ({settings.host_lease:g} s, {origin['host_lease']}) must be longer than fetch_timeout "
            f"({settings.fetch_timeout:g} s, {origin['fetch_timeout']}), or two workers could be on one host."
        )
    if settings.share_address and settings.proxy:
        raise Misuse(
            f"Setting share_address ({origin['share_address']}) cannot be had together with proxy ({origin['proxy']}): "
            "the proxy looks the names up, so the hosts' addresses are not known here. Unset one of them."
        )
    return Loaded(settings, origin)


def as_environment(settings: Settings) -> dict[str, str]:
    """The WIRECOPY_* variables under which another process loads these very settings."""
    return {PREFIX + name.upper(): str(value) for name, value in settings.model_dump().items()}


def _defaults() -> dict[str, Any]:
    return tomllib.loads(resources.files("config").joinpath("defaults.toml").read_text("utf-8"))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misuse(f"Cannot read the settings in {path}: {error}. Mend or remove the file.") from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name not in NOT_SETTINGS
    }


def _suggestion(name: str) -> str:
    close = get_close_matches(name, Settings.model_fields, n=1)
    return f" Did you mean {close[0]!r}?" if close else " `wirecopy config show` lists them all."
