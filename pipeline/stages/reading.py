"""Read a source: the links of a feed, sitemap or section page are admitted, each page once, and the next poll is set."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from pipeline.crawl import feeds
from pipeline.crawl.feeds import FeedPage, Item
from pipeline.crawl.schedule import Poll
from pipeline.crawl.sections import read_section
from pipeline.crawl.urls import parse
from pipeline.errors import Malformed, Misuse
from pipeline.settings import Settings
from pipeline.stages import polling
from pipeline.stages.admission import admit
from pipeline.stages.claims import claim
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Bell, Outcome
from pipeline.store import captures, frontier, sources
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Capture, FrontierRow, Listing, Source, Stage

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a capture lists, and what of it is new."""

    page: FeedPage
    new: tuple[int, ...]
    """Frontier rows of articles that nobody knew."""
    state: str
    due: int
    """How many sitemaps that it names are to be polled now."""


def read_source(factory: SessionFactory, capture_id: int, settings: Settings, worker: str) -> Outcome:
    """Admit what a captured listing names, and let it be due again when its schedule says.

    A page that is none of these is noted with the source, as a poll that failed; what it listed before stays.
    """
    if not captures.waits(factory, capture_id):
        return Outcome("read already")
    with claim(factory, Stage.READ_SOURCE, capture_id, worker, settings) as held:
        if held is None:
            return Outcome("taken")
        with factory.begin() as session:
            capture = session.get(Capture, capture_id)
            if capture is None or capture.read_at is not None:
                return held.finish(session, Outcome("read already"))
            body = captures.body_of(session, capture, bodies_under(settings))
            row = session.get_one(FrontierRow, capture.frontier_id)
            source = session.get_one(Source, row.source_id)
            listing = sources.listing_of(session, row.id)
            outcome, poll = _read(session, source, row, listing, capture, body or b"", settings)
            captures.mark_read(session, capture.id, outcome.state)
            polling.end_poll(session, source, row.id, outcome.state, poll)
            return held.finish(session, outcome)


def _read(
    session: Session,
    source: Source,
    row: FrontierRow,
    listing: Listing | None,
    capture: Capture,
    body: bytes,
    settings: Settings,
) -> tuple[Outcome, Poll]:
    now = polling.now_of(session)
    try:
        found = _admit_listed(session, source, listing, capture, body, settings)
    except (Malformed, Misuse) as error:
        return Outcome(f"unreadable: {error}"), Poll(now, None)
    page, new = found.page, set(found.new)
    if listing is not None:
        if polling.may_have_lied(listing, row):
            keys = frontier.keys_of(session, new)
            published = [item.published for item in page.items if item.url.key in keys]
            listing.distrusted = listing.distrusted or polling.has_lied(listing, published)
        listing.whole_at = now
    frontier.believe(session, row.id, capture)
    if listing is not None and listing.distrusted:
        frontier.keep_validators(session, row.id, None, None)
    poll = Poll(
        now,
        len(new) + found.due,
        listed=len(page.items),
        dates=[item.published for item in page.items if item.published is not None],
        period=page.period,
        ttl=page.ttl,
        max_age=polling.freshness((header["name"], header["value"]) for header in capture.headers),
    )
    return Outcome(found.state, found.new, (Bell(Stage.FETCH),) if new or found.due else ()), poll


def _admit_listed(
    session: Session, source: Source, listing: Listing | None, capture: Capture, body: bytes, settings: Settings
) -> _Reading:
    page = _read_page(source, capture, body)
    admission = admit(
        session,
        [item.url.text for item in page.items],
        settings,
        found_by=f"source {source.name}",
        source_id=source.id,
        reopen=False,
        discover=source.discover,
    )
    new = admission.admitted.new
    state = f"{len(page.items)} items, {len(new)} new"
    if admission.malformed:
        state += f", {len(admission.malformed)} no URLs"
    if capture.truncated:
        state += f", cut at {settings.max_body:,} bytes"
    due = 0
    if page.kind == "index" and listing is not None:
        due, said = _follow_nested(session, source, listing, page.nested)
        state = f"index of {len(page.nested)} sitemaps, {due} to be read{said}"
    return _Reading(page, new, state, due)


def _read_page(source: Source, capture: Capture, body: bytes) -> FeedPage:
    media = next((header["value"] for header in capture.headers if header["name"] == "content-type"), None)
    url = parse(capture.url)
    if source.kind != "section":
        return feeds.read(body, url, media, now=capture.fetched_at)
    return read_section(body, url, media, pattern=source.links, other_hosts=source.other_hosts, now=capture.fetched_at)


def _follow_nested(session: Session, source: Source, index: Listing, nested: tuple[Item, ...]) -> tuple[int, str]:
    """Poll the sitemaps that an index names, the newest first where there are too many, and those no more that it has dropped.

    How many are to be read now, and what is to be said of those that are left out.
    """
    if index.depth >= sources.DEEPEST:
        return 0, f", none followed: it lies {index.depth} indexes deep"
    newest = sorted(nested, key=lambda item: item.published or _LONG_AGO, reverse=True)
    chosen = newest[: max(sources.MOST_LISTINGS - sources.count_others(session, source, index), 0)]
    found_by = f"source {source.name}"
    urls = [(sources.new_url(source, item.url.text, item.url.host, found_by), item.published) for item in chosen]
    followed = sources.follow(session, source, urls, index)
    sources.unfollow(session, source, but=followed.ids, parent=index)
    left = len(nested) - len(chosen)
    return len(
        followed.due
    ), f", {left} left out, for a source polls {sources.MOST_LISTINGS:,} URLs at the most" if left else ""
