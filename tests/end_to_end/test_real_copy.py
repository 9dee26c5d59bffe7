"""The case the product exists for: one real machine-spun copy, alone. Not part of the project; read where it lies."""

import json
import unicodedata
from pathlib import Path

import pytest
from running import run

COPY = Path(__file__).parents[3] / "shared" / "data" / "seed-copy.txt"


@pytest.mark.skipif(not COPY.is_file(), reason=f"the real copy is not at {COPY}")
def test_a_single_copy_comes_back_without_its_furniture(tmp_path: Path) -> None:
    """Every paragraph of the article comes back character for character, the site's own lines are omitted, no word is voted."""
    paragraphs = unicodedata.normalize("NFC", COPY.read_text("utf-8")).strip().split("\n\n")
    document = json.loads(run(tmp_path, "recover", str(COPY), "--format", "json").stdout)
    assert document["text"].split("\n\n") == [text for text in paragraphs if text not in {"Leave a comment", "SMM Panel"}]
    assert [omission["text"] for omission in document["omitted"]] == ["Leave a comment", "SMM Panel"]
    assert {token["reason"] for token in document["tokens"]} == {"single"}
    assert document["confidence"] < 1
