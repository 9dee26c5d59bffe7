import pytest

from pipeline.cli.configuration import hide_password
from pipeline.crawl.spans import span


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://anna:secret@db.example/news", "postgresql://anna:***@db.example/news"),
        ("postgresql://anna:s:e@c@db.example/news", "postgresql://anna:***@db.example/news"),
        ("redis://:secret@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
        ("postgresql://anna@db/news?password=secret&x=1", "postgresql://anna@db/news?password=***&x=1"),
        ("postgresql://anna@db.example:5432/news", "postgresql://anna@db.example:5432/news"),
        ("postgresql+psycopg://wirecopy@:5432/wirecopy?host=/run", "postgresql+psycopg://wirecopy@:5432/wirecopy?host=/run"),
        ("https://example.org/@desk:news", "https://example.org/@desk:news"),
        ("desk@example.org", "desk@example.org"),
    ],
)
def test_passwords_are_hidden(text: str, shown: str) -> None:
    """The password of a URL is never shown, and nothing else is touched."""
    assert hide_password(text) == shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0, "now"), (40.4, "40 s"), (900, "15 min"), (7_500, "2 h 5 min"), (7_200, "2 h"), (259_200, "3 d")],
)
def test_spans(seconds: float | None, text: str) -> None:
    """Seconds as a person says them."""
    assert span(seconds) == text
