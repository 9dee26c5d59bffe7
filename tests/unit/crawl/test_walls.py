"""Walls: what stands in place of an article is told from articles that speak of the same things."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl.extraction import read_page
from pipeline.crawl.urls import parse
from pipeline.crawl.walls import KINDS, wall_of_answer, wall_of_hop

URL = "https://news.example/2026/05/04/dockers-end-strike"
REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "pages"
PARAGRAPHS = tuple(
    f"Dockers in Port Calder ended strike number {number} early on Friday after the harbour board agreed to raise wages, letting "
    f"container ships that had waited outside the breakwater for {number} days begin to unload their fruit."
    for number in range(2, 9)
)  # fmt: skip
NOT_FREE = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"x","isAccessibleForFree":"False"}</script>'


def page(*paragraphs: str, title: str = "Dockers end strike", head: str = "", foot: str = "") -> bytes:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f"<html lang=en><head><title>{title}</title>{head}</head><body><article>{body}</article>{foot}</body></html>".encode()
    )


CHALLENGES = [
    page("Enable JavaScript and cookies to continue", title="Just a moment...", head="<script>window._cf_chl_opt={}</script>"),
    page("Checking your browser before accessing news.example. This process is automatic.", title="news.example"),
    page("As you were browsing something about your browser made us think you were a bot.", title="Pardon Our Interruption"),
    page("Press &amp; Hold to confirm you are a human (and not a bot).", title="Access to this page has been denied"),
    page("Our systems have detected unusual traffic from your computer network.", title="Sorry"),
    page(
        "Please enable JS", title="news.example", foot='<script src="https://geo.captcha-delivery.com/captcha/x.js"></script>'
    ),
    b"<html><body><iframe src='/_Incapsula_Resource?SWUDNSAI=31'>Request unsuccessful.</iframe></body></html>",
    page("You don't have permission to access this resource on this server. Reference #18.2c0", title="Access Denied"),
]
CONSENTS = [
    page("We value your privacy", "We and our partners store and/or access information on a device, such as cookies, and process "
         "personal data, for personalised ads and content.", "Accept all", title="The Gazette"),
    page("Wir und unsere Partner verarbeiten Daten. Mit Werbung weiterlesen oder Pur-Abo.", title="Zustimmung erforderlich"),
    page("Avec votre accord, nous et nos partenaires utilisons des cookies.", "Continuer sans accepter", title="Le Journal"),
    page("Yahoo is part of the Yahoo family of brands. We use cookies.", title="Yahoo"),
    page("Sign in", "Before you continue to Google", title="Before you continue"),
]  # fmt: skip
PAYWALLS = [
    page(PARAGRAPHS[0][:120] + " …", "Subscribe to continue reading", "Already a subscriber? Log in"),
    page("Cet article est réservé aux abonnés.", title="Grève"),
    page("Dieser Artikel ist exklusiv für Abonnenten. Jetzt abonnieren und weiterlesen.", title="Streik"),
    page(PARAGRAPHS[0][:150], head=NOT_FREE),
    page(PARAGRAPHS[0][:150], head='<meta property="article:content_tier" content="locked">'),
]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        *(("challenge", body) for body in CHALLENGES),
        *(("consent", body) for body in CONSENTS),
        *(("paywall", body) for body in PAYWALLS),
        ("login", page("You must be logged in to view this page.", title="Members")),
    ],
)
def test_a_wall_is_no_article(kind: str, body: bytes) -> None:
    """It is refused as what it is, with its sign, and gives no text."""
    found = read_page(body, URL)
    assert (found.refused, found.paragraphs) == (True, ())
    assert str(found.why).startswith(f"wall: {kind} (")


@pytest.mark.parametrize(
    "foot",
    [
        "<div id=banner>We value your privacy. We and our partners use cookies. <button>Accept all cookies</button></div>",
        "<div>Subscribe to continue reading</div><div>Already a subscriber? Log in</div>",
        "<script>window._cf_chl_opt={}</script><noscript>Enable JavaScript and cookies to continue</noscript>",
        "<aside>You must be logged in to comment.</aside>",
    ],
)
@pytest.mark.parametrize("title", ["Dockers end strike", "Access denied: dockers locked out", "Just a moment of silence"])
def test_an_article_beside_the_signs_is_an_article(foot: str, title: str) -> None:
    """Banners, offers and scripts of every newspaper cost no text, nor does a headline that sounds like a wall."""
    found = read_page(page(*PARAGRAPHS, title=title, foot=foot), URL)
    assert found.why is None
    assert all(paragraph in found.text for paragraph in PARAGRAPHS)


def test_an_article_about_walls_is_an_article() -> None:
    """News of paywalls, bots and consent is news."""
    about = (
        "The publisher said on Monday that readers would have to subscribe to continue reading its articles from next week on.",
        "Sites that ask whether you are human, and to verify you are human again, lose a tenth of their readers, a study says.",
    )
    found = read_page(page(*about, *PARAGRAPHS, title="Paywalls are rising"), URL)
    assert found.why is None
    assert found.paragraphs == about + PARAGRAPHS


@pytest.mark.parametrize(
    ("body", "sign"),
    [
        (page(*PARAGRAPHS[:3], head=NOT_FREE), "the page says that it is not free"),
        (page(*PARAGRAPHS[:3], "Subscribe to continue reading"), "subscribe to continue reading"),
        (page(*PARAGRAPHS), None),
    ],
)
def test_the_beginning_of_an_article_is_a_text_that_may_go_on(body: bytes, sign: str | None) -> None:
    """What a paywall lets through is the agency's wording as far as it goes; that it may go on is told."""
    found = read_page(body, URL)
    assert found.why is None
    assert PARAGRAPHS[1] in found.text
    assert found.partial == (None if sign is None else f"paywall ({sign})")


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (403, [("cf-mitigated", "challenge")], b"", "challenge"),
        (200, [("cf-mitigated", "challenge")], b"", "challenge"),
        (202, [("x-amzn-waf-action", "challenge")], b"", "challenge"),
        (503, [("server", "cloudflare")], CHALLENGES[1], "challenge"),
        (429, [], CHALLENGES[4], "challenge"),
        (403, [], CHALLENGES[6], "challenge"),
        (401, [("www-authenticate", "Basic realm=x")], b"", "login"),
        (403, [], PAYWALLS[1], "paywall"),
        (503, [], b"<h1>Service unavailable</h1>", None),
        (429, [], b"", None),
        (404, [], CHALLENGES[0], None),
        (200, [], CHALLENGES[0], None),
        (500, [], CHALLENGES[0], None),
    ],
)
def test_an_answer_says_what_wall_it_is(status: int, headers: list[tuple[str, str]], body: bytes, kind: str | None) -> None:
    """By its headers, or where its status refuses, by its body; an outage is no wall, nor is a page that is gone."""
    found = wall_of_answer(status, headers, body)
    assert (None if found is None else found.kind) == kind


@pytest.mark.parametrize(
    ("asked", "hop", "kind"),
    [
        ("https://news.yahoo.com/a", "https://consent.yahoo.com/v2/collectConsent?sessionId=1", "consent"),
        ("https://techcrunch.com/a", "https://guce.techcrunch.com/copyConsent", "consent"),
        ("https://www.google.com/a", "https://consent.google.com/ml?continue=x", "consent"),
        ("https://news.example/a", "https://login.news.example/?next=/a", "login"),
        ("https://news.example/a", "https://news.example/login?next=/a", "login"),
        ("https://news.example/a", "https://news.example/subscribe", "paywall"),
        ("https://news.example/a", "https://validate.perfdrive.com/?ssa=1", "challenge"),
        ("https://news.example/a", "https://www.news.example/a", None),
        ("https://news.example/a", "https://news.example/2026/login-to-win-the-story", None),
        ("https://news.example/subscribe/a", "https://news.example/subscribe/a/", None),
        ("https://login.example.com/a", "https://login.example.com/b", None),
        ("https://news.example/a", "https://idaho.example/a", None),
    ],
)
def test_a_redirect_to_a_wall_is_not_followed(asked: str, hop: str, kind: str | None) -> None:
    """Where it leads to a page of consent, login or subscription; not where a story is named like one."""
    found = wall_of_hop(parse(asked), parse(hop))
    assert (None if found is None else found.kind) == kind


@given(status=st.integers(100, 999), name=st.text(max_size=20), value=st.text(max_size=20), body=st.binary(max_size=200))
def test_any_answer_is_judged(status: int, name: str, value: str, body: bytes) -> None:
    """Nothing raises, and what is found is one of the kinds."""
    found = wall_of_answer(status, [(name, value)], body)
    assert found is None or found.kind in KINDS


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real pages are not on this machine")
def test_no_real_article_is_called_a_wall() -> None:
    """Of 311 real pages that hold an article, each gives it."""
    truths = [json.loads(line) for line in (REAL / "truth.jsonl").read_text("utf-8").splitlines()]
    read = [read_page(gzip.decompress((REAL / truth["file"]).read_bytes()), truth["url"] or "") for truth in truths]
    assert [page.why for page in read if page.why] == []
    assert len(read) == 311
