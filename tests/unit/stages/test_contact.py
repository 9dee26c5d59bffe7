"""Whose pages may be asked for without saying who asks: this machine's."""

import pytest

from pipeline.crawl.urls import parse
from pipeline.errors import Misuse
from pipeline.settings import load
from pipeline.stages.admission import need_contact


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://127.9.8.7:8080/", "http://localhost:81/", "http://a.localhost/", "http://[::1]:82/"]
)
def test_this_machine_may_be_fetched_from_without_a_contact(url: str) -> None:
    """Addresses and names that are looked up nowhere."""
    need_contact(parse(url).host, load({}, {}).settings)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "http://localhostile.example/",
        "http://notlocalhost/",
        "http://[2001:db8::1]/",
        "http://example.com/",
    ],
)
def test_names_that_only_look_like_this_machine_need_one(url: str) -> None:
    """Anybody may register a name that begins like a loopback address."""
    with pytest.raises(Misuse, match="set contact"):
        need_contact(parse(url).host, load({}, {}).settings)
    need_contact(parse(url).host, load({"contact": "desk@example.com"}, {}).settings)
