"""A witness that is worded anew has no say where it does not align with the base; a spun or edited one keeps its say."""

from pipeline.demo.article import read_article
from pipeline.philology.collation import State, collate
from pipeline.philology.looseness import align, anchored, base_of, firm_table
from pipeline.philology.recovery import Evidence, Kind, recover
from pipeline.philology.witness import Witness

DAM = read_article("articles", "dam").body
SPINS = (("said", "stated"), ("power", "energy"), ("damaged", "broken"), ("operator", "company"), ("country", "nation"))


def turned(paragraph: str) -> str:
    """Every sentence with its halves changed over, and its short words changed."""
    sentences = []
    for sentence in paragraph.rstrip(".").split(". "):
        words = sentence.split()
        words = words[len(words) // 2 :] + words[: len(words) // 2]
        sentences.append(" ".join({"the": "this", "a": "one", "to": "for", "of": "by"}.get(word, word) for word in words))
    return "; ".join(sentences) + "!"


def spun(paragraph: str) -> str:
    for old, new in SPINS:
        paragraph = paragraph.replace(old, new)
    return paragraph


def witness(source: str, paragraphs: tuple[str, ...]) -> Witness:
    return Witness(source=source, paragraphs=paragraphs, language="en")


ANEW = tuple(turned(paragraph) if number % 2 else paragraph for number, paragraph in enumerate(DAM))


def test_a_witness_worded_anew_has_a_say_only_where_it_aligns() -> None:
    """The text is that of the others; the row says how much of it is loose, and so does the kind."""
    recovery = recover(collate([witness("a", DAM), witness("b", tuple(map(spun, DAM))), witness("anew", ANEW)]), Evidence())
    assert recovery.text == "\n\n".join(DAM)
    row = next(row for row in recovery.witnesses if row.source == "anew")
    assert row.loose > 0.08
    assert row.kind in (Kind.REWRITTEN, Kind.OTHER)
    assert row.evidence == f"{row.loose:.0%} of it does not align with the base copy"
    assert [other.loose for other in recovery.witnesses if other.source != "anew"] == [0.0, 0.0]


def test_spun_and_cut_copies_keep_their_say() -> None:
    """Words replaced and passages left out are no looseness: the collation stays as it is."""
    collation = collate([witness("a", DAM), witness("b", tuple(map(spun, DAM))), witness("c", DAM[:5])])
    found, shares = anchored(collation)
    assert found is collation
    assert shares == [0.0, 0.0, 0.0]


def test_the_base_is_the_witness_with_which_the_others_align() -> None:
    """Not the one worded anew, wherever its siglum puts it."""
    collation = collate([witness("a", ANEW), witness("b", DAM), witness("c", tuple(map(spun, DAM)))])
    assert collation.witnesses[base_of(firm_table(collation))].source in {"b", "c"}


def test_looseness_is_seen_from_both_sides() -> None:
    """Two rows handed over the other way round have the same loose columns, and the shares change places."""
    table = firm_table(collate([witness("a", ANEW), witness("b", DAM)]))
    one, other = align(table[0], table[1]), align(table[1], table[0])
    assert (one.loose == other.loose).all()
    assert one.shares == other.shares[::-1]


def test_blocks_are_cut_where_a_witness_loses_its_say() -> None:
    """They still cover the columns in order, and a loose witness is marked so."""
    collation = collate([witness("a", DAM), witness("b", DAM), witness("c", ANEW)])
    found, _ = anchored(collation)
    assert [block.first for block in found.blocks] == [0, *(block.last for block in found.blocks[:-1])]
    assert found.blocks[-1].last == collation.width
    assert any(block.states[2] == State.LOOSE for block in found.blocks)
    assert not any(State.LOOSE in block.states[:2] for block in found.blocks)
