"""Room for open connections in this process."""

import resource

_RESERVE = 128
"""Descriptors that are left to everything else: files, the database, the broker."""


def make_room(wanted: int) -> int:
    """How many connections this process may have open, at most `wanted`; the soft limit is raised as far as need be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = wanted + _RESERVE if hard == resource.RLIM_INFINITY else min(wanted + _RESERVE, hard)
    if soft != resource.RLIM_INFINITY and soft < ceiling:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
        soft = ceiling
    return wanted if soft == resource.RLIM_INFINITY else max(min(wanted, soft - _RESERVE), 1)
