"""What a page declares of its text's origin: links, credits, agencies; its canonical address; its second text."""

import json

import pytest

from pipeline.crawl.article_body import read_article_body, second_of
from pipeline.crawl.extraction import read_page
from pipeline.crawl.identity import believe_canonical, replayed
from pipeline.crawl.origins import agency_of
from pipeline.crawl.pages import Origin, Page
from pipeline.crawl.urls import parse

URL = "https://news.example/2026/05/04/dockers-end-strike"
SENTENCES = (
    "Dockers in Port Calder ended a nine-day strike early on Friday after the harbour board agreed to raise wages by 6.4 percent.",
    "The board said the agreement would cost $12.3 million a year and would be paid for by a fee on every container.",
    "Exporters of fruit said losses since the walkout began had reached $58 million, with 2,300 tonnes of pears spoiled.",
    "The government in Lanvere had threatened to send soldiers to work the cranes, a step last taken in 1987.",
)


def read(*paragraphs: str, head: str = "") -> Page:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    page = f"<html lang=en><head><title>Dockers end strike</title>{head}</head><body><article>{body}</article></body></html>"
    return read_page(page.encode(), URL)


def ld(**fields: object) -> str:
    return (
        f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "headline": "Dockers", **fields})}</script>'
    )


@pytest.mark.parametrize(
    ("head", "origin"),
    [
        ('<link rel=canonical href="https://agency.example/a">', Origin("canonical", "https://agency.example/a")),
        ('<link rel=canonical href="https://www.reuters.com/a">', Origin("canonical", "https://www.reuters.com/a", "reuters")),
        ('<meta property="og:url" content="https://apnews.com/a">', Origin("og_url", "https://apnews.com/a", "ap")),
        ('<link rel=amphtml href="/amp/dockers">', Origin("amp", "https://news.example/amp/dockers")),
        ('<meta name="syndication-source" content="https://a.example/1">', Origin("syndication_source", "https://a.example/1")),
        ('<meta name="original-source" content="https://a.example/1">', Origin("original_source", "https://a.example/1")),
        (ld(isBasedOn="https://www.afp.com/x"), Origin("based_on", "https://www.afp.com/x", "afp")),
        (ld(isBasedOn={"@type": "NewsArticle", "url": "https://a.example/x"}), Origin("based_on", "https://a.example/x")),
        (ld(citation=[{"name": "Press Association, 4 May"}]), Origin("citation", "Press Association, 4 May", "pa")),
        (ld(sourceOrganization={"name": "The Canadian Press"}), Origin("metadata", "The Canadian Press", "cp")),
        (ld(creditText="dpa"), Origin("metadata", "dpa", "dpa")),
        ('<meta name="source" content="Press Trust of India">', Origin("metadata", "Press Trust of India", "pti")),
        ('<meta name="author" content="Reuters Staff">', Origin("byline", "Reuters Staff", "reuters")),
    ],
)
def test_the_metadata_declare_an_origin(head: str, origin: Origin) -> None:
    """Links absolute, names as written, and the agency that they are."""
    assert origin in read(*SENTENCES, head=head).origins


@pytest.mark.parametrize(
    ("paragraphs", "kind", "agency"),
    [
        (("PORT CALDER (Reuters) - " + SENTENCES[0], *SENTENCES[1:]), "dateline", "reuters"),
        (("PORT CALDER, May 4 (AFP) — " + SENTENCES[0], *SENTENCES[1:]), "dateline", "afp"),
        (("Port Calder (dpa/lno) - " + SENTENCES[0], *SENTENCES[1:]), "dateline", "dpa"),
        (("PORT CALDER: (APP) " + SENTENCES[0], *SENTENCES[1:]), "dateline", "app"),
        (("AP — " + SENTENCES[0], *SENTENCES[1:]), "dateline", "ap"),
        ((*SENTENCES, "Press Association"), "credit", "pa"),
        ((*SENTENCES, "Additional reporting from PA"), "credit", "pa"),
        ((*SENTENCES, "© Reuters"), "credit", "reuters"),
        ((*SENTENCES, "(With inputs from ANI)"), "credit", "ani"),
        ((*SENTENCES, "The strike was reported on Friday via AP."), "credit", "ap"),
        ((*SENTENCES, "Source: News agencies"), "credit", "agencies"),
    ],
)
def test_a_credit_in_the_text_names_its_agency(paragraphs: tuple[str, ...], kind: str, agency: str) -> None:
    """In the dateline, or in a line behind the text."""
    assert (kind, agency) in {(origin.kind, origin.agency) for origin in read(*paragraphs).origins}


@pytest.mark.parametrize(
    "paragraphs",
    [
        SENTENCES,
        (*SENTENCES, "Photo: Reuters"),
        (*SENTENCES, "AP Photo/Jane Roe"),
        (*SENTENCES, "(Image credit: AFP via Getty Images)"),
        ("The APP of the port and a PA system failed, dockers said, and the AA was called.", *SENTENCES),
        (*SENTENCES, "CLICK HERE TO GET THE APP"),
        ("Dockers (and their wives) cheered when the Reuters building was lit for them in the night of Friday.", *SENTENCES),
    ],
)
def test_what_is_no_credit_names_none(paragraphs: tuple[str, ...]) -> None:
    """Pictures, and words that happen to be a mark."""
    assert [origin for origin in read(*paragraphs).origins if origin.agency] == []


@pytest.mark.parametrize(
    ("host", "agency"),
    [("www.reuters.com", "reuters"), ("apnews.com:8080", "ap"), ("notreuters.com", None), ("reuters.com.evil.example", None)],
)
def test_an_agency_is_known_by_its_hosts(host: str, agency: str | None) -> None:
    """Its own site and what lies under it, nothing that only sounds so."""
    assert agency_of(host) == agency


@pytest.mark.parametrize(
    ("page", "declared", "believed"),
    [
        (URL, URL, True),
        (URL + "?utm_source=x", URL, True),
        (URL + "/amp", URL, True),
        ("https://m.news.example/2026/05/04/dockers-end-strike", URL, True),
        ("http://www.news.example/2026/05/04/dockers-end-strike/", URL + "#top", True),
        ("https://news-example.cdn.ampproject.org/c/s/news.example/2026/05/04/dockers-end-strike", URL, True),
        (URL, "https://news.example/world/dockers-end-strike-99", True),
        (URL, "https://edition.news.example/2026/05/04/dockers", True),
        (URL, "https://news.example/", False),
        (URL, "https://news.example/index.html", False),
        (URL, "https://news.example/2026/05", False),
        (URL, "https://other.example/2026/05/04/dockers-end-strike", False),
        (URL, "https://badnews.example/2026/05/04/dockers-end-strike", False),
        ("https://news.example/story.php?id=5", "https://news.example/story.php", False),
        ("https://news.example:8443/a", "https://news.example/a", False),
    ],
)
def test_a_canonical_address_is_believed_where_it_can_be_true(page: str, declared: str, believed: bool) -> None:
    """On the page's own site, where it names neither front page nor folder, and drops nothing that tells pages apart."""
    assert believe_canonical(parse(page), parse(declared)).believed is believed


def test_the_body_of_the_json_ld_is_a_second_text() -> None:
    """Its paragraphs, without markup and entities, where its words differ from those that the page shows."""
    said = "</p><p>".join(sentence.replace("Friday", "<b>Friday</b> &amp; after") for sentence in SENTENCES)
    found = read(*SENTENCES, head=ld(articleBody=f"<p>{said}</p>"))
    assert found.paragraphs == SENTENCES
    assert found.second == tuple(sentence.replace("Friday", "Friday & after") for sentence in SENTENCES)
    assert Page.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("", ""),
        (" ".join(SENTENCES), ""),
        (SENTENCES[0], ""),
        ("The weather was fair in the north and rain is expected on Sunday. " * 8, ""),
        (" ".join(SENTENCES) + " And they lived on." * 20, "not free"),
    ],
)
def test_a_body_that_adds_nothing_is_no_second_text(body: str, head: str) -> None:
    """The same words, a teaser, another text, or more than a page that is not free shows."""
    fields = {"isAccessibleForFree": False} if head else {}
    assert read(*SENTENCES, head=ld(articleBody=body, **fields)).second == ()


def test_a_body_of_another_kind_is_none() -> None:
    """Numbers, lists and nothing are no text."""
    assert [read_article_body({"articleBody": value}) for value in (None, 5, ["x"], {"a": 1})] == [()] * 4
    assert second_of((), ("Some text.",), not_free=False) == ()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://web.archive.org/web/20240102030405id_/http://paper.example:80/a?b=1", "paper.example"),
        ("https://web.archive.org/web/20240102030405/http://paper.example/a", "web.archive.org"),
        ("https://web.archive.org/web/20240102030405id_/javascript:alert(1)", "web.archive.org"),
        ("https://paper.example/a", "paper.example"),
    ],
)
def test_a_replayed_page_is_its_publishers(url: str, host: str) -> None:
    """What an archive shows as it came was published by the page's own host; anything else is its host's."""
    assert replayed(parse(url)).host == host
