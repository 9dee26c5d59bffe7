"""Spans of time as a person says and writes them."""

import re

_SPAN = re.compile(r"(\d+(?:\.\d+)?) ?([smhd]?)")
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def read_span(text: str) -> float | None:
    """Seconds in 900, 40s, 15m, 2h or 1d; None for what is no span of time."""
    match = _SPAN.fullmatch(text.strip().lower())
    return float(match[1]) * _SECONDS[match[2]] if match else None


def span(seconds: float | None) -> str:
    """Seconds as a person says them: now, 40 s, 15 min, 2 h 5 min, 3 d; a dash for None."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return "now"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(hours / 24)} d"
