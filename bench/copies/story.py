"""A case under construction: copies are added one by one, each from the agency's text or from an earlier copy."""

from collections.abc import Callable, Sequence
from random import Random

from bench.copies import damage, newsroom, rewriting
from bench.copies.case import Case, Copy, Paragraphs, Step, joined, split
from bench.copies.spinner import Lookup, Spinner, spin
from pipeline.philology.recovered import Kind

# What a copy of a copy is called: the heavier of the two things that were done.
WEIGHTS = (Kind.VERBATIM, Kind.EDITED, Kind.TRUNCATED, Kind.SPUN, Kind.REWRITTEN, Kind.OTHER)
UNCHANGED = "verbatim"
# At this rate a spinner changes about a fifth of the tokens; real ones change 15 to 30 %.
SPIN_RATE = 0.6
HEAVY_RATE = 1.0


class Story:
    """The versions of one article, and its copies so far. Every method that adds a copy gives its index."""

    def __init__(
        self,
        versions: Sequence[Paragraphs],
        rng: Random,
        part: str,
        lookup: Lookup | None = None,
        titles: Sequence[str | None] = (),
    ) -> None:
        self.versions = tuple(versions)
        self.titles = tuple(titles) or (None,) * len(self.versions)
        self.rng = rng
        self.part = part
        self.lookup = lookup
        self.copies: list[Copy] = []

    def case(self, name: str, condition: str) -> Case:
        """The case as it stands, its copies in the order in which they were added."""
        texts = tuple(map(joined, self.versions))
        return Case(name, condition, texts[-1], texts, tuple(self.copies), self.titles[-1])

    def add(self, recipe: str, kind: Kind, step: Step, exemplar: int | None = None, version: int = -1) -> int:
        """A copy that `step` makes of the exemplar, or of the agency's `version` (the last one by default)."""
        number = version % len(self.versions)
        text, title = self.versions[number], self.titles[number]
        if exemplar is not None:
            source = self.copies[exemplar]
            text, title, number = split(source.text), source.title, source.version if source.version is not None else number
        done = step(text, self.rng)
        if done == text:
            recipe, kind = UNCHANGED, Kind.VERBATIM
        if exemplar is not None:
            kind = max(kind, self.copies[exemplar].kind, key=WEIGHTS.index)
        self.copies.append(Copy(joined(done), kind, recipe, exemplar, number, title))
        return len(self.copies) - 1

    def verbatim(self, exemplar: int | None = None, version: int = -1) -> int:
        return self.add(UNCHANGED, Kind.VERBATIM, lambda text, _: text, exemplar, version)

    def truncated(self, exemplar: int | None = None, version: int = -1, least: float = 0.4, most: float = 0.8) -> int:
        def step(text: Paragraphs, rng: Random) -> Paragraphs:
            return newsroom.cut_from_end(text, rng, least, most)

        return self.add("cut", Kind.TRUNCATED, step, exemplar, version)

    def edited(self, exemplar: int | None = None, version: int = -1, *, cuts: bool = True, moved: bool = False) -> int:
        def step(text: Paragraphs, rng: Random) -> Paragraphs:
            return newsroom_edit(text, rng, cuts=cuts, moved=moved)

        return self.add("newsroom", Kind.EDITED, step, exemplar, version)

    def styled(self, exemplar: int | None = None, version: int = -1) -> int:
        """A copy in a paper's house style and nothing else."""
        return self.add("house style", Kind.EDITED, newsroom.house_style, exemplar, version)

    def spun(self, exemplar: int | None = None, version: int = -1, rate: float = SPIN_RATE) -> int:
        spinner = Spinner(self.part, rate, spares_quotations=self.rng.random() < 0.3)

        def step(text: Paragraphs, rng: Random) -> Paragraphs:
            return spin(text, rng, spinner, self.lookup)

        return self.add("spun", Kind.SPUN, step, exemplar, version)

    def rewritten(self, exemplar: int | None = None, version: int = -1) -> int:
        def step(text: Paragraphs, rng: Random) -> Paragraphs:
            return rewriting.rewrite(text, rng, self.part, lookup=self.lookup)

        return self.add("rewritten", Kind.REWRITTEN, step, exemplar, version)

    def translated_back(self, exemplar: int | None = None, version: int = -1) -> int:
        def step(text: Paragraphs, rng: Random) -> Paragraphs:
            return rewriting.translate_back(text, rng, self.part, lookup=self.lookup)

        return self.add("back-translated", Kind.REWRITTEN, step, exemplar, version)

    def other_agency(self) -> int:
        """Another agency's report of the same event: no copy of this story."""
        told = rewriting.report_anew(self.versions[-1], self.rng, self.part, self.lookup)
        return self.stranger("other agency", joined(told))

    def merged(self, other: Paragraphs) -> int:
        """A page that runs this story and, before or behind it or in two parts, another one."""

        def step(text: Paragraphs, rng: Random) -> Paragraphs:
            whole = newsroom.house_style(text, rng)
            form = rng.choice(("before", "behind", "within"))
            if form == "within":
                at = rng.randrange(2, len(whole))
                return whole[:at] + other + whole[at:]
            return other + whole if form == "before" else whole + other

        return self.add("merged", Kind.EDITED, step)

    def quoting(self, other: Paragraphs) -> int:
        """Somebody else's article that quotes two neighbouring paragraphs of this one."""

        def step(text: Paragraphs, rng: Random) -> Paragraphs:
            at = rng.randrange(len(text) - 1)
            to = rng.randrange(1, len(other))
            return other[:to] + text[at : at + 2] + other[to:]

        return self.add("quotes", Kind.OTHER, step)

    def stranger(self, recipe: str, text: str, exemplar: int | None = None) -> int:
        """A text that is no copy of this story, or a copy of such a text."""
        self.copies.append(Copy(text, Kind.OTHER, recipe, exemplar, None))
        return len(self.copies) - 1

    def damaged(self, step: Step, recipe: str, exemplar: int | None = None) -> int:
        """A copy whose wording is the exemplar's but for what the page or its extraction did."""
        return self.add(recipe, Kind.EDITED, step, exemplar)


def newsroom_edit(text: Paragraphs, rng: Random, *, cuts: bool = True, moved: bool = False) -> Paragraphs:
    """One paper's version: its style, cuts and lines, in half of the cases its own paragraph breaks; `moved`: one elsewhere."""
    text = newsroom.other_dateline(text, rng) if rng.random() < 0.5 else text
    text = newsroom.reword_lightly(newsroom.house_style(text, rng), rng)
    if cuts:
        text = newsroom.drop_paragraph(text, rng)
        text = newsroom.drop_sentence(text, rng) if rng.random() < 0.5 else text
        text = newsroom.cut_from_end(text, rng, 0.7, 1.0) if rng.random() < 0.6 else text
    if moved:
        text = newsroom.move_paragraph(text, rng)
    text = newsroom.join_paragraphs(text, rng) if rng.random() < 0.5 else text
    text = newsroom.split_paragraph(text, rng) if rng.random() < 0.5 else text
    for _ in range(rng.randint(1, 3)):
        text = newsroom.insert_promotion(text, rng)
    text = newsroom.add_credit(text, rng) if rng.random() < 0.5 else text
    text = newsroom.add_caption(text, rng) if rng.random() < 0.3 else text
    return newsroom.add_byline(text, rng) if rng.random() < 0.4 else text


def several(*steps: Step) -> Step:
    """The steps one after the other."""

    def step(text: Paragraphs, rng: Random) -> Paragraphs:
        for each in steps:
            text = each(text, rng)
        return text

    return step


PAGE_DAMAGE: dict[str, Callable[[Paragraphs, Random], Paragraphs]] = {
    "lost blanks": several(damage.lose_blanks, damage.lose_commas),
    "lost links": damage.lose_links,
    "furniture": damage.add_furniture,
}
