"""The conditions that copies are made under, and the cases of each."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from bench.copies import damage, newsroom
from bench.copies.case import Case, Paragraphs, split
from bench.copies.originals import Original, originals
from bench.copies.spinner import Lookup
from bench.copies.story import HEAVY_RATE, PAGE_DAMAGE, Story, several
from bench.copies.versions import earlier, headline_before

Others = Callable[[], Paragraphs]
"""Another article's paragraphs, drawn anew at every call."""
# An agency sends a dateline more often than not; pages keep it in the text or not at all.
DATELINES = 0.6


def one_exemplar(story: Story, others: Others) -> None:  # noqa: ARG001
    """Six of ten copies made from one spun copy, which is among the other four."""
    spun = story.spun(rate=HEAVY_RATE)
    story.verbatim(spun)
    story.verbatim(spun)
    story.truncated(spun, least=0.6)
    edited = story.edited(spun)
    story.styled(spun)
    story.damaged(PAGE_DAMAGE["lost blanks"], "lost blanks", edited)
    story.edited()
    story.edited()
    story.spun()


def newsrooms(story: Story, others: Others) -> None:  # noqa: ARG001
    """Five newsroom copies with cuts, house styles, promotion lines; two have moved a paragraph."""
    for moved in (True, False, True, False, False):
        story.edited(moved=moved)


def versions(story: Story, others: Others) -> None:  # noqa: ARG001
    """Two or three versions, each with two to four copies of its own, a spun one among them now and then."""
    for version in range(len(story.versions)):
        story.verbatim(version=version)
        story.edited(version=version, cuts=False)
        for _ in range(story.rng.randint(0, 2)):
            draw = story.rng.random()
            if draw < 0.4:
                story.spun(version=version)
            elif draw < 0.7:
                story.truncated(version=version)
            else:
                story.edited(version=version)


def hidden_version(story: Story, others: Others) -> None:  # noqa: ARG001
    """Clean copies of the latest version, and spun ones of an earlier version that no clean copy shows."""
    story.verbatim()
    story.edited()
    story.edited()
    spun = story.spun(version=0)
    story.verbatim(spun)


def merged(story: Story, others: Others) -> None:
    """Five copies, two of which run another story on the same page."""
    story.edited()
    story.truncated()
    story.spun()
    story.merged(others()[:8])
    story.merged(others()[:8])


def rewritten(story: Story, others: Others) -> None:  # noqa: ARG001
    """Two newsroom copies and a spun one among three neural-style rewrites."""
    story.edited()
    story.edited()
    story.spun()
    for _ in range(3):
        story.rewritten()


def rewritten_and_spun(story: Story, others: Others) -> None:  # noqa: ARG001
    """Two spun copies and two neural-style rewrites: no clean copy."""
    story.spun()
    story.spun()
    story.rewritten()
    story.rewritten()


def back_translated(story: Story, others: Others) -> None:  # noqa: ARG001
    """A newsroom copy and a spun one beside two back-translations and a copy of one of these."""
    story.edited(cuts=False)
    story.spun()
    back = story.translated_back()
    story.translated_back()
    story.verbatim(back)


def other_agency(story: Story, others: Others) -> None:
    """Three copies of the story, two of another agency's report of the same event, and one article on something else."""
    story.edited()
    story.edited()
    story.spun()
    anew = story.other_agency()
    story.stranger("other agency", story.copies[anew].text, anew)
    story.stranger("other article", "\n\n".join(others()))


def quotes(story: Story, others: Others) -> None:
    """Three copies, and two pages of somebody else's that quote two paragraphs."""
    story.edited()
    story.truncated()
    story.spun()
    story.quoting(others())
    story.quoting(others())


def scrambled(story: Story, others: Others) -> None:  # noqa: ARG001
    """The clean copies are scrambled by ROT47 behind their first paragraphs; the others are spun or cut short."""
    story.damaged(damage.scramble_tail, "ROT47")
    story.damaged(several(newsroom.house_style, damage.scramble_tail), "ROT47")
    story.spun()
    story.spun()
    story.truncated(least=0.2, most=0.4)


def doubled(story: Story, others: Others) -> None:  # noqa: ARG001
    """Five copies with doubled, moved, joined and split paragraphs."""
    for _ in range(2):
        story.damaged(several(newsroom.double_paragraph, newsroom.join_paragraphs, newsroom.split_paragraph), "doubled")
    story.damaged(several(newsroom.double_paragraph, newsroom.move_paragraph), "doubled")
    story.edited()
    story.spun()


def furniture(story: Story, others: Others) -> None:  # noqa: ARG001
    """Five copies as a careless extraction leaves them: the page's own lines, lost blanks, commas and links."""
    story.damaged(PAGE_DAMAGE["furniture"], "furniture")
    story.damaged(several(newsroom.house_style, PAGE_DAMAGE["furniture"]), "furniture")
    story.damaged(several(PAGE_DAMAGE["lost blanks"], PAGE_DAMAGE["furniture"]), "lost blanks")
    story.damaged(several(PAGE_DAMAGE["lost links"], PAGE_DAMAGE["furniture"]), "lost links")
    spun = story.spun()
    story.damaged(PAGE_DAMAGE["furniture"], "furniture", spun)


def tree(story: Story, others: Others) -> None:  # noqa: ARG001
    """Copies of copies of copies: two spun lines of three, one edited line of three."""
    for first in (story.spun, story.spun, story.edited):
        second = story.edited(first())
        story.truncated(second, least=0.6)


CONDITIONS: dict[str, Callable[[Story, Others], None]] = {
    "one-exemplar": one_exemplar,
    "newsrooms": newsrooms,
    "versions": versions,
    "hidden-version": hidden_version,
    "merged": merged,
    "rewritten": rewritten,
    "rewritten-spun": rewritten_and_spun,
    "back-translated": back_translated,
    "other-agency": other_agency,
    "quotes": quotes,
    "scrambled": scrambled,
    "doubled": doubled,
    "furniture": furniture,
    "tree": tree,
}
SEVERAL_VERSIONS = frozenset({"versions", "hidden-version"})


def cases(
    seed: int,
    part: str = "fit",
    condition: str | None = None,
    count: int = 24,
    articles: Sequence[Original] | None = None,
    lookup: Lookup | None = None,
) -> Iterator[Case]:
    """`count` cases of a condition, or of each: one an article, in the order of `originals(part)`, round and round.

    `articles` and `lookup` stand in for the part's originals and for its dictionary. The same arguments give the same cases.
    """
    found = tuple(articles if articles is not None else originals(part))
    for name in [condition] if condition is not None else list(CONDITIONS):
        for number in range(count if found else 0):
            article = found[number % len(found)]
            case_name = f"{name}-{article.name}-{number}"
            rng = Random(f"{seed} {part} {case_name}")
            rest = [other for other in found if other is not article] or [article]

            def draw(rest: list[Original] = rest, rng: Random = rng) -> Paragraphs:
                return split(rng.choice(rest).text)

            story = _opened(article, rng, part, lookup, several_versions=name in SEVERAL_VERSIONS)
            CONDITIONS[name](story, draw)
            yield story.case(case_name, name)


def _opened(article: Original, rng: Random, part: str, lookup: Lookup | None, *, several_versions: bool) -> Story:
    """The agency's versions of an article, without a copy yet."""
    text = split(article.text)
    if rng.random() < DATELINES and not newsroom.DATELINE.match(text[0]):
        text = newsroom.dateline_of_agency(text, rng)
    sent: list[Paragraphs] = [text]
    titles = [article.title]
    if several_versions:
        for _ in range(rng.randint(1, 2)):
            sent.insert(0, earlier(sent[0], rng))
            titles.insert(0, headline_before(titles[0], rng) if titles[0] else None)
    return Story(sent, rng, part, lookup, titles)
