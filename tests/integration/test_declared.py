"""What pages declare of themselves, from the fetch to what is shown: origins, canonical addresses, second texts."""

import json
from collections.abc import Iterator

import pytest
from loopback import Site, serving
from sqlalchemy import func, select
from whole_walk import SENTENCES, reply, walk

from pipeline.crawl.urls import parse
from pipeline.settings import Settings
from pipeline.stages.forgetting import forget
from pipeline.store import queries, recoveries, witnesses
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import FrontierRow, StoredWitness, Story, Visit


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    with serving(3) as found:
        yield found


def canonical(url: str) -> str:
    return f'<link rel="canonical" href="{url}">'


def state(factory: SessionFactory, id_: int) -> tuple[str, int | None]:
    with factory() as session:
        row = session.get_one(FrontierRow, id_)
        return row.state, row.same_as


def test_origins_are_stored_with_the_witness_and_shown(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """The agency of the dateline and the canonical address of another site, with the copy and with the URL's history."""
    path = "/2026/05/dockers-end-strike-after-nine-days-1234567"
    text = ["PORT CALDER (Reuters) - " + SENTENCES[0], *SENTENCES[1:]]
    sites[0].pages[path] = reply(text, head=canonical("https://www.reuters.com/world/dockers"))
    walk(factory, settings, sites[0].url(path))
    with factory() as session:
        (copy,) = queries.copies(session, 1)
        witness = witnesses.as_value(session.scalars(select(StoredWitness)).one())
        history = queries.url_history(session, parse(sites[0].url(path)).key, sites[0].url(path))
    assert copy.agencies == ("reuters",)
    assert {(origin["kind"], origin["agency"]) for origin in copy.origins} == {
        ("canonical", "reuters"),
        ("dateline", "reuters"),
    }
    assert copy.slug == "dockers end strike after nine days"
    assert witness.slug == copy.slug
    assert history.arrivals[0].origins == copy.origins


def test_a_page_under_two_addresses_is_one(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """Whichever of the two comes first stands for both; each text is there once."""
    site = sites[0]
    for way, (first, second) in enumerate([("print", "story"), ("story", "print")]):
        head = canonical(site.url(f"/{way}/story"))
        site.pages |= {f"/{way}/print": reply(head=head), f"/{way}/story": reply(SENTENCES, head=head + "<!-- another -->")}
        (one,) = walk(factory, settings, site.url(f"/{way}/{first}"))
        (two,) = walk(factory, settings, site.url(f"/{way}/{second}"))
        assert state(factory, one) == (Visit.WITNESS, None)
        assert state(factory, two) == (Visit.SAME, one)
        forget(factory, site.url(f"/{way}/story"), settings)


@pytest.mark.parametrize("named", ["/", "/story", "http://elsewhere.example/story"])
def test_an_address_that_cannot_be_true_is_not_believed(
    factory: SessionFactory, settings: Settings, sites: list[Site], named: str
) -> None:
    """A front page, another story of other words, another site: both pages are witnesses."""
    site = sites[0]
    other = ["Rain fell in the north on Sunday and cut 14 villages off from the road to Lanvere, the weather office said.",
             "A bridge near Tolm was closed, and 300 people slept in the school of Harnby until the river went down.",
             "Farmers said a third of the barley that stood in the valley was lost, worth some 4 million crowns."]  # fmt: skip
    site.pages |= {"/story": reply(), "/other": reply(other, head=canonical(named))}
    one, two = walk(factory, settings, site.url("/story"), site.url("/other"))
    assert [state(factory, id_)[0] for id_ in (one, two)] == [Visit.WITNESS, Visit.WITNESS]


def test_a_page_that_is_a_forgotten_one_is_refused(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """Another address of a page that was deleted on request, by its own canonical link, brings nothing back."""
    site = sites[0]
    site.pages |= {"/story": reply(), "/print": reply(head=canonical(site.url("/story")))}
    walk(factory, settings, site.url("/story"))
    forget(factory, site.url("/story"), settings)
    (print_,) = walk(factory, settings, site.url("/print"))
    assert state(factory, print_)[0] == Visit.REFUSED
    with factory() as session:
        assert session.scalar(select(func.count()).select_from(StoredWitness)) == 0


def test_a_second_text_speaks_with_its_page(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """The JSON-LD's text is collated beside the page's, named after it, of one lineage with it; the pages are still three."""
    damaged = [sentence.replace(" Port Calder", "Port Calder") for sentence in SENTENCES]
    body = json.dumps({"@type": "NewsArticle", "headline": "x", "articleBody": " ".join(SENTENCES)})
    for site in sites:
        site.pages["/story"] = reply(head=f"<!-- {site.host} -->")
    sites[0].pages["/story"] = reply(damaged, head=f'<script type="application/ld+json">{body}</script>')
    walk(factory, settings, *(site.url("/story") for site in sites))
    with factory() as session:
        story = session.scalars(select(Story)).one()
        recovery = recoveries.newest_recovery(session, story.id)
        assert recovery is not None
        document = recoveries.document_of(session, recovery)
        view = queries.story(session, story.id)
        copies = queries.copies(session, story.id)
    sources = {witness["source"]: witness for witness in document["witnesses"]}
    first, second = sources[sites[0].url("/story")], sources[sites[0].url("/story") + "#articleBody"]
    assert len(sources) == 4
    assert second["siglum"] == first["siglum"] + "2"
    assert second["lineage"] == first["lineage"]
    assert (view.copies, len(copies), view.settled) == (3, 3, True)
    assert all(sentence in document["text"] for sentence in SENTENCES)


def test_a_second_text_alone_changes_nothing(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """A story of one page has that page's text."""
    body = json.dumps({"@type": "NewsArticle", "headline": "x", "articleBody": " ".join(SENTENCES).replace("fruit", "pears")})
    sites[0].pages["/story"] = reply(head=f'<script type="application/ld+json">{body}</script>')
    walk(factory, settings, sites[0].url("/story"))
    with factory() as session:
        assert session.scalars(select(StoredWitness.second_text)).one() is not None
        recovery = recoveries.newest_recovery(session, 1)
        assert recovery is not None
        assert len(recovery.document["witnesses"]) == 1
