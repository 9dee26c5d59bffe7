"""The README's example, run as it is written."""

import re
import subprocess
import sys
from pathlib import Path

from running import environment

ROOT = Path(__file__).parents[2]


def test_the_example_prints_what_the_readme_says(tmp_path: Path) -> None:
    """The first console block of the README gives its own output."""
    block = re.search(r"```console\n\$ wirecopy (.+?)\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block
    words = [str(path) for word in block[1].split() for path in (sorted(ROOT.glob(word)) if "*" in word else [word])]
    result = subprocess.run(
        [sys.executable, "-m", "workers.console", *words],
        capture_output=True,
        text=True,
        env=environment(tmp_path),
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, block[2])
