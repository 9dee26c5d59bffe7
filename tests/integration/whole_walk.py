"""Pages taken all the way in this process: admitted, fetched, extracted, placed, collated, recovered."""

import asyncio
from collections.abc import Callable, Sequence

from loopback import Reply

from pipeline.crawl.extraction import read_page
from pipeline.crawl.fetcher import Fetcher
from pipeline.crawl.pages import ExtractionFailure, Page
from pipeline.settings import Settings
from pipeline.stages.admission import admit
from pipeline.stages.collating import collate_story
from pipeline.stages.extraction import extract
from pipeline.stages.fetching import fetch, fetch_options
from pipeline.stages.outcome import Bell, Outcome
from pipeline.stages.placing import place
from pipeline.stages.reading import read_source
from pipeline.stages.recovering import recover_story
from pipeline.stages.sweeping import tick
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Stage

HTML = {"Content-Type": "text/html; charset=utf-8"}
SENTENCES = (
    "Dockers in Port Calder ended a nine-day strike early on Friday after the harbour board agreed to raise wages by 6.4 percent.",
    '"We asked for a wage that pays the rent in this city," said Ilse Marrant, who leads the Calder Quay Workers\' Union.',
    "The board said the agreement would cost $12.3 million a year and would be paid for by a fee on every container leaving by road.",
    "Exporters of fruit said losses since the walkout began had reached $58 million, with 2,300 tonnes of pears spoiled in warehouses.",
    "The government in Lanvere had threatened to send soldiers to work the cranes, a step last taken in 1987 on the northern quay.",
)


def article(sentences: Sequence[str] = SENTENCES, head: str = "", title: str = "Dockers end strike in Port Calder") -> bytes:
    """A page with these sentences, each a paragraph."""
    body = "".join(f"<p>{sentence}</p>" for sentence in sentences)
    return f"<html lang=en><head><title>{title}</title>{head}</head><body><article><h1>{title}</h1>{body}</article></body></html>".encode()


def reply(sentences: Sequence[str] = SENTENCES, head: str = "", **headers: str) -> Reply:
    """The reply that is such a page."""
    return Reply(article(sentences, head), headers=HTML | {name.replace("_", "-"): value for name, value in headers.items()})


class InProcess:
    """Reads pages without a process of its own, which takes a second to start."""

    def extract(self, body: bytes, url: str = "", headers: Sequence[tuple[str, str]] = ()) -> Page | ExtractionFailure:
        return read_page(body, url, headers)


def fetch_due(factory: SessionFactory, settings: Settings) -> list[Bell]:
    """One round of fetching; the bells that it rang."""
    bells: list[Bell] = []

    async def work() -> Outcome:
        async with Fetcher(fetch_options(settings)) as fetcher:
            return await fetch(factory, fetcher, settings, worker="test", ring=bells.append, stopping=lambda: False)

    asyncio.run(work())
    return bells


def finish(factory: SessionFactory, settings: Settings, bells: Sequence[Bell]) -> None:
    """All that these bells are rung for, and what follows from it."""
    reader = InProcess()
    work: dict[Stage, Callable[[int], Outcome]] = {
        Stage.EXTRACT: lambda id_: extract(factory, id_, reader, settings, "test"),  # type: ignore[arg-type]
        Stage.READ_SOURCE: lambda id_: read_source(factory, id_, settings, "test"),
        Stage.PLACE: lambda id_: place(factory, id_, settings, "test"),
        Stage.COLLATE: lambda id_: collate_story(factory, id_, settings, "test"),
        Stage.RECOVER: lambda id_: recover_story(factory, id_, settings, "test"),
    }
    waiting = list(bells)
    while waiting:
        bell = waiting.pop(0)
        if bell.stage is not Stage.FETCH:
            waiting += [more for subject in bell.subjects for more in work[bell.stage](subject).next]
        if not waiting:
            waiting = [due for due in tick(factory, settings).next if due.stage is Stage.COLLATE]


def walk(factory: SessionFactory, settings: Settings, *urls: str) -> list[int]:
    """The frontier rows of these URLs, taken as far as they go."""
    with factory.begin() as session:
        ids = admit(session, urls, settings, found_by="hand").admitted.ids
    finish(factory, settings, fetch_due(factory, settings))
    return sorted(ids)
