"""Settings: layers, where each value came from, and what is refused."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Misuse
from pipeline.settings import Settings, as_environment, load


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's config folder and a working folder of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("pipeline.settings.platformdirs.user_config_path", lambda *_, **__: tmp_path / "config")
    (tmp_path / "config").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def test_each_layer_overrides_the_one_before(home: Path) -> None:
    """Flags > environment > ./wirecopy.toml > the user's file > defaults, and each value knows its layer."""
    (home / "config" / "wirecopy.toml").write_text("host_lease = 61\ntick = 1\nsweep = 1\nsettle = 1")
    (home / "work" / "wirecopy.toml").write_text("tick = 2\nsweep = 2\nsettle = 2")
    loaded = load({"settle": 4, "contact": None}, {"WIRECOPY_SWEEP": "3", "WIRECOPY_SETTLE": "3", "OTHER": "x"})
    found = loaded.settings
    assert (found.host_lease, found.tick, found.sweep, found.settle, found.contact) == (61, 2, 3, 4, "")
    assert [loaded.origin[name] for name in ("host_lease", "tick", "sweep", "settle", "contact")] == [
        str(home / "config" / "wirecopy.toml"),
        str(home / "work" / "wirecopy.toml"),
        "environment",
        "flag",
        "default",
    ]


@pytest.mark.parametrize(
    ("flags", "environment", "said"),
    [
        ({"fetch_intervall": 3}, {}, "Did you mean 'fetch_interval'"),
        ({}, {"WIRECOPY_BANANA": "1"}, "'banana' \\(environment\\)"),
        ({"tick": "soon"}, {}, "tick = 'soon' \\(flag\\)"),
        ({"fetch_interval": -1}, {}, "fetch_interval = -1"),
        ({"fetch_interval": "nan"}, {}, "fetch_interval"),
        ({"host_lease": 10, "fetch_timeout": 10}, {}, "two workers could be on one host"),
        ({"share_address": True, "proxy": "http://127.0.0.1:3128"}, {}, "the proxy looks the names up"),
    ],
)
def test_what_is_no_setting_is_refused(home: Path, flags: dict[str, object], environment: dict[str, str], said: str) -> None:
    """An unknown name or an impossible value names the setting and its layer."""
    with pytest.raises(Misuse, match=said):
        load(flags, environment)


def test_a_file_that_is_no_toml_is_named(home: Path) -> None:
    """A settings file that cannot be read is named, with what to do."""
    (home / "work" / "wirecopy.toml").write_text("tick = = 2")
    with pytest.raises(Misuse, match=r"wirecopy\.toml.*Mend or remove"):
        load({}, {})


def test_another_process_loads_the_same(home: Path) -> None:
    """What is handed on in the environment is read back as it was."""
    settings = load({"contact": "desk@example.org", "allow_private_addresses": True, "fetch_interval": 0.25}, {}).settings
    assert load({}, as_environment(settings)).settings == settings


@given(password=st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1))
def test_the_brokers_password_comes_out_of_its_file(tmp_path_factory: pytest.TempPathFactory, password: str) -> None:
    """Any password is quoted into the URL; a URL with a password of its own stays as it is."""
    file = tmp_path_factory.mktemp("secrets") / "valkey"
    file.write_text(password + "\n", "utf-8")
    known = load({}, {}).settings.model_dump() | {"redis_password_file": str(file)}
    made = Settings(**known | {"redis_url": "redis://valkey:6379/0"}).broker_url
    assert (unquote(urlsplit(made).password or ""), urlsplit(made).hostname, urlsplit(made).port) == (password, "valkey", 6379)
    assert Settings(**known | {"redis_url": "redis://:own@valkey/0"}).broker_url == "redis://:own@valkey/0"
