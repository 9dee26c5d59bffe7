"""The converted graph computes what the weights say."""

from pathlib import Path

import numpy as np
import pytest
import tiny_model as tiny

from pipeline.errors import Malformed
from pipeline.neural.graph import convert, quantize
from pipeline.neural.model import OnnxModel


def test_the_graph_agrees_with_the_weights(model: OnnxModel) -> None:
    """Log-probabilities of a text differ from those of the unrounded weights by what 8 bits lose, read at once or in parts."""
    ids = np.array([0, *tiny.PAIRS.encode("in the harbour the ferries sat in a row, and there they were.")])
    size = len(ids)
    expected = tiny.log_probabilities(ids.tolist())
    targets = np.arange(size) * 7 % len(tiny.VOCABULARY)
    asked = np.stack([np.arange(size), targets], axis=1)
    mask = np.where(np.tri(size), 0, -1e9).astype(np.float32)
    at_once, _ = model.read(ids, np.arange(size), mask, np.arange(size), asked, model.empty())
    assert at_once == pytest.approx(expected[np.arange(size), targets], abs=0.6)
    assert np.corrcoef(at_once, expected[np.arange(size), targets])[0, 1] > 0.99
    half = size // 2
    first = np.arange(half)
    _, memory = model.read(ids[:half], first, mask[:half, :half], first[:1], asked[:0], model.empty())
    rest = np.arange(size - half)
    in_parts, _ = model.read(ids[half:], rest + half, mask[half:], rest, np.stack([rest, targets[half:]], axis=1), memory)
    assert in_parts == pytest.approx(at_once[half:], abs=1e-4)


def test_blocks_keep_the_weights_to_half_a_step() -> None:
    """Rounding moves no weight by more than half of a 127th of the largest in its block; a block of zeros stays one."""
    weights = np.random.default_rng(3).normal(size=(5, 128)).astype(np.float32)
    weights[2, :64] = 0
    blocks, scales = quantize(weights)
    back = ((blocks.astype(np.float32) - 128) * scales[:, :, None]).reshape(weights.shape)
    largest = np.abs(weights.reshape(5, 2, 64)).max(axis=2).repeat(64, axis=1)
    assert np.all(np.abs(back - weights) <= largest / 127 * 0.5001)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A file of another kind, of another architecture or cut short gives Malformed, which names it."""
    garbage = tmp_path / "garbage.gguf"
    garbage.write_bytes(b"GGUF" + bytes(range(256)) * 8)
    other = tiny.write(tmp_path / "other.gguf", architecture="mamba")
    whole = tiny.write(tmp_path / "whole.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for path, content in ((garbage, None), (other, None), (cut, whole[:2000]), (cut, whole[: len(whole) // 2]), (cut, b"")):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(Malformed, match=path.name):
            convert(path, tmp_path / "model.onnx")


def test_another_model_is_refused(tmp_path: Path) -> None:
    """What is no graph of ours is not run."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(Malformed, match="wirecopy model install"):
        OnnxModel(path)
    with pytest.raises(Malformed, match="wirecopy model install"):
        OnnxModel(tmp_path / "missing.onnx")
