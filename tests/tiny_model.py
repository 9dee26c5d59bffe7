"""A GGUF file of a model with two layers and random weights, and what such a model computes, in plain numpy."""

from pathlib import Path

import gguf
import numpy as np

from pipeline.neural.bytepairs import BytePairs, printable_bytes

LAYERS, WIDTH, HEADS, KV_HEADS, FORWARD = 2, 64, 4, 2, 128
HEAD = WIDTH // HEADS
EPSILON, BASE = 1e-5, 1000.0
MERGES = ["t h", "th e", "Ġ the", "i n", "e r", "Ġ s", "a t", "Ġ a"]
VOCABULARY = ["<|endoftext|>", *printable_bytes(), *(merge.replace(" ", "") for merge in MERGES)]
PAIRS = BytePairs({token: number for number, token in enumerate(VOCABULARY)}, MERGES)


def tensors(seed: int = 1) -> dict[str, np.ndarray]:
    """The weights by the names that GGUF gives them, the vocabulary's matrix first."""
    rng = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return rng.normal(0, 1 / np.sqrt(columns), (rows, columns)).astype(np.float32)

    found = {"token_embd.weight": matrix(len(VOCABULARY), WIDTH) * 2, "output_norm.weight": np.ones(WIDTH, np.float32)}
    for layer in range(LAYERS):
        found |= {
            f"blk.{layer}.attn_norm.weight": rng.uniform(0.5, 1.5, WIDTH).astype(np.float32),
            f"blk.{layer}.attn_q.weight": matrix(WIDTH, WIDTH) * 2,
            f"blk.{layer}.attn_k.weight": matrix(KV_HEADS * HEAD, WIDTH) * 2,
            f"blk.{layer}.attn_v.weight": matrix(KV_HEADS * HEAD, WIDTH),
            f"blk.{layer}.attn_output.weight": matrix(WIDTH, WIDTH),
            f"blk.{layer}.ffn_norm.weight": rng.uniform(0.5, 1.5, WIDTH).astype(np.float32),
            f"blk.{layer}.ffn_gate.weight": matrix(FORWARD, WIDTH),
            f"blk.{layer}.ffn_up.weight": matrix(FORWARD, WIDTH),
            f"blk.{layer}.ffn_down.weight": matrix(WIDTH, FORWARD),
        }
    return found


def write(path: Path, *, architecture: str = "llama", positions: int = 512) -> Path:
    """The GGUF file."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(LAYERS)
    writer.add_context_length(positions)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_freq_base(BASE)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(VOCABULARY)
    writer.add_token_merges(MERGES)
    for name, values in tensors().items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def log_probabilities(ids: list[int]) -> np.ndarray:
    """Row n: the log-probability of every token after the first n + 1, by the weights as they are, one token after the other."""
    own = {name: values.astype(np.float64) for name, values in tensors().items()}
    stream = own["token_embd.weight"][ids]
    size = len(ids)
    behind = np.tril(np.ones((size, size), bool))
    for layer in range(LAYERS):
        part = {name.split(".", 2)[2]: values for name, values in own.items() if name.startswith(f"blk.{layer}.")}
        normed = _normed(stream, part["attn_norm.weight"])
        queries = _turned((normed @ part["attn_q.weight"].T).reshape(size, HEADS, HEAD))
        keys = _turned((normed @ part["attn_k.weight"].T).reshape(size, KV_HEADS, HEAD))
        values = (normed @ part["attn_v.weight"].T).reshape(size, KV_HEADS, HEAD)
        heads = []
        for head in range(HEADS):
            of = head * KV_HEADS // HEADS
            scores = np.where(behind, queries[:, head] @ keys[:, of].T / np.sqrt(HEAD), -np.inf)
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            heads.append(weights / weights.sum(axis=1, keepdims=True) @ values[:, of])
        stream = stream + np.concatenate(heads, axis=1) @ part["attn_output.weight"].T
        normed = _normed(stream, part["ffn_norm.weight"])
        gate = normed @ part["ffn_gate.weight"].T
        stream = stream + (gate / (1 + np.exp(-gate)) * (normed @ part["ffn_up.weight"].T)) @ part["ffn_down.weight"].T
    logits = _normed(stream, own["output_norm.weight"]) @ own["token_embd.weight"].T
    top = logits.max(axis=1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))


def _normed(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return rows / np.sqrt((rows**2).mean(axis=1, keepdims=True) + EPSILON) * weight


def _turned(rows: np.ndarray) -> np.ndarray:
    """Pairs of neighbours turned by the position, the first slowest: rows (tokens, heads, size)."""
    turns = BASE ** (-np.arange(0, HEAD, 2) / HEAD)
    angles = np.arange(len(rows))[:, None, None] * turns
    even, odd = rows[..., 0::2], rows[..., 1::2]
    found = np.empty_like(rows)
    found[..., 0::2] = even * np.cos(angles) - odd * np.sin(angles)
    found[..., 1::2] = even * np.sin(angles) + odd * np.cos(angles)
    return found
