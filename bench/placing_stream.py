"""A mixed stream placed witness by witness, in memory, as the stage does it in Postgres: which stories come out.

Candidates by rarity, relations, parts, merging; no window of time. Scored are the copies, strangers and other days' reports of
the stream by B-cubed F1 (Bagga and Baldwin 1998) against the articles they were made from; pages that quote a story and
digests are in the stream to tempt, and are not scored.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

from bench.placing_pairs import (
    change_facts,
    cut,
    list_articles,
    list_case_pairs,
    list_names,
    list_small_words,
    make_witness,
    pages,
    spin,
)
from pipeline.philology.fingerprint import fingerprint
from pipeline.philology.parts import cut_out, split
from pipeline.philology.rarity import rank
from pipeline.philology.relation import RelationKind, relate
from pipeline.philology.witness import Witness

COMPARED = 6
A_STORY = 2
"""Candidates compared, and of one story at the most."""
COPIES = 5  # of one article that come from the cases
STRANGERS = 80
REPORTS = 30
DIGESTS = 20

related = lru_cache(maxsize=60_000)(relate)
read_features = lru_cache(maxsize=20_000)(lambda witness: fingerprint(witness).features)


@dataclass(frozen=True, slots=True)
class Item:
    """A witness of the stream; `story` is the article it was made from, None where it is not scored."""

    witness: Witness
    story: str | None


@dataclass
class Stories:
    """Witnesses in stories, and what finds them."""

    members: list[Witness] = field(default_factory=list)
    story_of: dict[int, int] = field(default_factory=dict)
    holders: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    opened: int = 0
    relations: int = 0

    def place(self, witness: Witness, *, whole: bool = False) -> None:
        """Join the witness to the story of its copies, or open one; several stories that it proves to be one are merged."""
        features = read_features(witness)
        if not features:
            return
        rows = [(self.story_of[member], member, related(witness, self.members[member])) for member in self.find(features)]
        self.relations += len(rows)
        parts = split(witness, [(story, relation) for story, _, relation in rows])
        if len(parts) > 1 and not whole:
            for part in parts:
                self.place(cut_out(witness, part), whole=True)
            return
        copies = sorted(
            (row for row in rows if row[2].kind is RelationKind.COPY),
            key=lambda row: -max(row[2].newcomer_coverage, row[2].member_coverage),
        )
        story = copies[0][0] if copies else self.open()
        number = len(self.members)
        self.members.append(witness)
        self.story_of[number] = story
        for feature in features:
            self.holders[feature].append(number)
        for _, member, _ in copies[1:]:
            if member not in self.story_of or self.story_of[member] == story or not self.are_one(copies[0][1], member):
                continue
            if not self.part_late(member, copies[0][1]):
                self.merge(self.story_of[member], story)
        if copies and copies[0][1] in self.story_of:
            self.part_late(copies[0][1], number)

    def find(self, features: Sequence[int]) -> list[int]:
        """The members that share the rarest features, a few of a story."""
        shared: dict[int, list[int]] = defaultdict(list)
        frequencies = {}
        for feature in features:
            holders = self.holders.get(feature, ())
            frequencies[feature] = len({self.story_of[holder] for holder in holders}) or 1
            for holder in holders:
                shared[holder].append(feature)
        taken: dict[int, int] = defaultdict(int)
        found = []
        for member, _ in rank(shared, frequencies, self.opened):
            taken[self.story_of[member]] += 1
            if taken[self.story_of[member]] <= A_STORY:
                found.append(member)
            if len(found) == COMPARED:
                break
        return found

    def are_one(self, first: int, second: int) -> bool:
        """Whether two stories that a witness is a copy of are one: their copies are copies of each other."""
        return related(self.members[first], self.members[second]).kind is RelationKind.COPY

    def part_late(self, member: int, newcomer: int) -> bool:
        """Cut a page that came before the stories that it holds, where the newcomer and its older copies are strangers.

        Where it is one text that two stories took different parts of, they stay apart.
        """
        others = [n for n, story in self.story_of.items() if story == self.story_of[member] and n not in {member, newcomer}]
        page = self.members[member]
        strangers = [n for n in others if related(self.members[newcomer], self.members[n]).kind is not RelationKind.COPY]
        if not strangers or len(strangers) < len(others):
            return False
        own = related(page, self.members[newcomer])
        rows = [(-1, related(page, self.members[other])) for other in strangers[:COMPARED]]
        parts = split(page, [(newcomer, own), *rows])
        held = [max(row.newcomer_paragraphs[at] for _, row in rows) for at in range(len(page.paragraphs))]
        both = sum(min(pair) for pair in zip(held, own.newcomer_paragraphs, strict=True))
        apart = len(parts) > 1 or both < 0.2 * min(sum(held), sum(own.newcomer_paragraphs))
        if apart and self.story_of[newcomer] == self.story_of[member]:
            self.story_of[newcomer] = self.open()
        if len(parts) > 1:
            self.remove(member)
            for part in parts:
                self.place(cut_out(page, part), whole=True)
        return apart

    def open(self) -> int:
        self.opened += 1
        return self.opened

    def merge(self, old: int, new: int) -> None:
        for member, story in self.story_of.items():
            if story == old:
                self.story_of[member] = new

    def remove(self, member: int) -> None:
        del self.story_of[member]
        for feature in read_features(self.members[member]):
            self.holders[feature].remove(member)


def make_stream(part: str, seed: int = 20) -> list[Item]:
    """Copies, real pages, other days' reports, pages that quote, digests; each witness has a source of its own."""
    rng = Random(f"{seed} stream {part}")
    articles = list_articles(part)
    names = list(articles)
    own = [page for page in pages(part) if not any(name in page.source for name in names)]
    vocabulary = list_small_words(articles.values())
    items = []
    taken: dict[str, int] = defaultdict(int)
    pairs = list(list_case_pairs(part))
    rng.shuffle(pairs)
    for pair in pairs:
        taken[pair.member.source] += 1
        if taken[pair.member.source] <= COPIES:
            items.append((pair.newcomer.text, pair.member.source))
    for name, text in articles.items():
        items.append((text, name))
        items += [
            (cut(spin(text, rng.choice((0.15, 0.25, 0.35)), vocabulary, rng), rng.choice((1.0, 0.5))), name) for _ in range(2)
        ]
        items.append((cut(text, 0.25), name))
    rng.shuffle(own)
    items += [(page.text, page.source) for page in own[:STRANGERS]]
    pool = list_names(own)
    english = [page for page in own if page.language == "en"]
    for page in english[:REPORTS]:
        items += [(change_facts(page, pool, rng)[0].text, f"{page.source} {day}") for day in range(3)]
    for _ in range(DIGESTS):
        chosen = rng.sample(names, 3)
        items.append(("\n\n".join(cut(articles[name], 0.4) for name in chosen), None))
        host = rng.choice(english).paragraphs
        quoted = articles[rng.choice(names)].split("\n\n")[1:3]
        items.append(("\n\n".join((*host[:3], *quoted, *host[3:])), None))
    return [Item(make_witness(f"{number:05d}", text), story) for number, (text, story) in enumerate(items)]


def place_stream(items: Sequence[Item], seed: int) -> tuple[dict[str, int], Stories]:
    """The story of each witness after all have come in the order of the seed."""
    order = list(items)
    Random(seed).shuffle(order)
    stories = Stories()
    for item in order:
        stories.place(item.witness)
    placed = {stories.members[number].source: story for number, story in stories.story_of.items()}
    return placed, stories


def score_bcubed(found: Mapping[str, object], truth: Mapping[str, object]) -> tuple[float, float, float]:
    """B-cubed precision, recall and F1 over what both name."""
    keys = [key for key in truth if key in found]
    groups = {name: _group(mapping, keys) for name, mapping in (("found", found), ("truth", truth))}
    precision = recall = 0.0
    for key in keys:
        ours, theirs = groups["found"][found[key]], groups["truth"][truth[key]]
        both = len(ours & theirs)
        precision += both / len(ours)
        recall += both / len(theirs)
    precision, recall = precision / max(1, len(keys)), recall / max(1, len(keys))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def _group(mapping: Mapping[str, object], keys: Sequence[str]) -> dict[object, set[str]]:
    groups: dict[object, set[str]] = defaultdict(set)
    for key in keys:
        groups[mapping[key]].add(key)
    return groups


def list_mixed(placed: Mapping[str, int], items: Sequence[Item]) -> Iterator[tuple[int, dict[str, int]]]:
    """Stories that hold witnesses of several articles, with how many of each."""
    mixed: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for item in items:
        if item.story is not None and item.witness.source in placed:
            mixed[placed[item.witness.source]][item.story] += 1
    yield from ((story, dict(counts)) for story, counts in mixed.items() if len(counts) > 1)
