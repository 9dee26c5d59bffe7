"""The tiny model, converted as the true one is."""

from pathlib import Path

import pytest
import tiny_model as tiny

from pipeline.neural.graph import convert
from pipeline.neural.model import OnnxModel


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The GGUF file."""
    return tiny.write(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture(scope="session")
def tiny_onnx(tiny_gguf: Path) -> Path:
    """The graph."""
    path = tiny_gguf.with_name("tiny.onnx")
    convert(tiny_gguf, path)
    return path


@pytest.fixture(scope="session")
def model(tiny_onnx: Path) -> OnnxModel:
    """The model as it is run."""
    return OnnxModel(tiny_onnx, threads=1)
