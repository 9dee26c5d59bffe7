"""The demo, as a newcomer runs it."""

import re
import tempfile
from pathlib import Path

from running import processes_on, run


def test_the_demo_recovers_both_stories() -> None:
    """Both stories come out close to their original, which the longest copy is not; no stranger joins; it can be queried."""
    with tempfile.TemporaryDirectory(prefix="wire copy demo ") as name:
        folder = Path(name)
        result = run(folder, "demo")
        assert result.returncode == 0, result.stderr
        told = re.findall(r"recovered text ([\d.]+)%, longest copy ([\d.]+)%", " ".join(result.stdout.split()))
        assert len(told) == 2
        assert all(float(recovered) <= 5 < float(longest) for recovered, longest in told)
        assert "Of 7 pages that are no copies, 0 ended in one of the two stories." in result.stdout
        assert result.stdout.count("Not read:") == 3
        assert "harbour-feed brought 9 items, 9 new" in " ".join(result.stdout.split())
        again = run(folder, "--data-dir", str(folder / "demo"), "search", "harbour")
        assert again.returncode == 0, again.stderr
        assert processes_on(folder) == []
