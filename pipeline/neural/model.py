"""The converted model as ONNX Runtime runs it."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from pipeline.errors import Malformed
from pipeline.neural.bytepairs import BytePairs
from pipeline.neural.judge import Memory
from pipeline.neural.runs import Floats, Ints

FAILURES = (
    runtime.Fail,
    runtime.InvalidArgument,
    runtime.InvalidGraph,
    runtime.InvalidProtobuf,
    runtime.NoModel,
    runtime.NoSuchFile,
    runtime.NotImplemented,
    runtime.RuntimeException,
)


class OnnxModel:
    """The model of a file that graph.convert wrote; loading takes about half a second. Raises Malformed for any other file."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """`threads` at most; 0: as many as there are cores."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        # idle threads leave the processor to others
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            known = self._session.get_modelmeta().custom_metadata_map
            numbers = {token: number for number, token in enumerate(json.loads(known["vocabulary"]))}
            self.pairs = BytePairs(numbers, json.loads(known["merges"]))
            self.opening = int(known["opening"])
            layers, self._heads, self._size, self.longest = json.loads(known["shape"])
        except (*FAILURES, ValueError, KeyError, TypeError) as error:
            raise Malformed(f"{path} is no model of wirecopy's: {error}. `wirecopy model install` makes it anew.") from error
        self._parts = [f"{part}.{layer}" for layer in range(layers) for part in ("keys", "values")]
        self._fresh = ["logp", *(f"fresh_{part}" for part in self._parts)]

    def empty(self) -> Memory:
        """The memory before anything is read."""
        return {part: np.zeros((self._heads, 0, self._size), np.float32) for part in self._parts}

    def read(self, ids: Ints, positions: Ints, mask: Floats, rows: Ints, asked: Ints, memory: Memory) -> tuple[Floats, Memory]:
        """The log-probability of every pair asked, and what is to be remembered of the tokens."""
        feed = {"ids": ids, "positions": positions, "mask": mask, "rows": rows, "asked": asked, **memory}
        try:
            logp, *fresh = self._session.run(self._fresh, feed)
        except FAILURES as error:
            raise Malformed(f"The neural model failed: {error}. `wirecopy model install` makes it anew.") from error
        return logp, dict(zip(self._parts, fresh, strict=True))
