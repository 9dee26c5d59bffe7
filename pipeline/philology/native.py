"""Functions that are compiled where the work is worth it: a few short copies are done before a compiler is loaded."""

import sys
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# Cells of tables that a process works through uncompiled, at some 10 µs each. Loading numba and its compiled functions takes
# 1.5 s of processor time, which pays from here on.
MOST_CELLS = 60_000


class Native(Generic[P, R]):
    """A function on arrays that numba compiles, once and cached, as soon as the process has much to do.

    `size` says how many cells a call goes through. Both ways give the same bits: arithmetic in the functions is in explicit
    types, without contraction.
    """

    worked = 0
    """Cells that the process has gone through uncompiled."""

    def __init__(self, function: Callable[P, R], size: Callable[P, int]) -> None:
        self.plain = function
        self._size = size
        self._compiled: Callable[P, R] | None = None
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The function's value."""
        if self._compiled is None:
            size = self._size(*args, **kwargs)
            if "numba" not in sys.modules and Native.worked + size <= MOST_CELLS:
                Native.worked += size
                return self.plain(*args, **kwargs)
            self._compiled = self.compiled()
        return self._compiled(*args, **kwargs)

    def compiled(self) -> Callable[P, R]:
        """The function in native code; loads numba."""
        from numba import njit  # noqa: PLC0415  (half a second, which short copies do without)

        function: Any = njit(cache=True, nogil=True)(self.plain)
        return function  # type: ignore[no-any-return]


def native(size: Callable[P, int]) -> Callable[[Callable[P, R]], Native[P, R]]:
    """Decorator that makes a function Native."""
    return lambda function: Native(function, size)
