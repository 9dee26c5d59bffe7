"""The providers under the settings in force, in the order in which they are told of; which are off, and why."""

from dataclasses import replace
from datetime import datetime

from pipeline.crawl import feeds
from pipeline.crawl.urls import parse
from pipeline.discovery.provider import Provider
from pipeline.discovery.providers import (
    brave,
    common_crawl,
    gdelt_doc,
    gdelt_ngrams,
    listings,
    media_cloud,
    news_api,
    own_store,
    searxng,
    wayback,
)
from pipeline.discovery.providers.listings import Listed
from pipeline.discovery.providers.own_store import Read
from pipeline.errors import Malformed, Misuse
from pipeline.settings import Settings
from pipeline.stages.admission import need_contact


def list_providers(settings: Settings, read: Read) -> list[Provider]:
    """Every provider; `read` looks into our own store. Raises Misuse where `discovery_providers` names one that is none."""
    on_the_web = (
        (searxng.make(settings), settings.searxng_url),
        (gdelt_doc.make(settings), settings.gdelt_doc_url),
        (gdelt_ngrams.make(settings), settings.gdelt_ngrams_url),
        (brave.make(settings), settings.brave_url),
        (media_cloud.make(settings), settings.media_cloud_url),
        (news_api.make(settings), settings.news_api_url),
        (wayback.make(settings), settings.wayback_url),
        (common_crawl.make(settings), settings.common_crawl_index_url),
        (listings.make(settings, _read_listing), next(iter(settings.discovery_listings.split()), "")),
    )
    every = [own_store.make(settings, read), *(_guarded(provider, url, settings) for provider, url in on_the_web)]
    wanted = settings.discovery_providers.split()
    if unknown := [name for name in wanted if name not in {provider.name for provider in every}]:
        known = ", ".join(provider.name for provider in every)
        raise Misuse(f"discovery_providers names {', '.join(unknown)}, which is no provider: there are {known}.")
    return [
        provider if not wanted or provider.name in wanted else replace(provider, off="discovery_providers does not name it")
        for provider in every
    ]


def _guarded(provider: Provider, url: str, settings: Settings) -> Provider:
    """The provider, switched off where its address is none, or nobody would know who asks."""
    if provider.off is not None:
        return provider
    try:
        host = parse(url).host
    except Malformed as error:
        return replace(provider, off=f"its address is none: {error}")
    try:
        need_contact(host, settings)
    except Misuse:
        return provider if provider.private else replace(provider, off="set contact: the service is to know who asks")
    return provider


def _read_listing(body: bytes, url: str, content_type: str | None, now: datetime) -> list[Listed]:
    listing = feeds.read(body, parse(url), content_type, now=now)
    return [(item.url.text, item.title, item.published) for item in listing.items]
