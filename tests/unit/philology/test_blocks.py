"""A passage comes as often as most witnesses have it, and none goes without a trace."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.demo.article import read_article
from pipeline.philology.blocks import judge
from pipeline.philology.collation import State, collate
from pipeline.philology.recovery import Evidence, Recovery, recover
from pipeline.philology.witness import Witness

DAM = read_article("articles", "dam").body


def recovered(*bodies: tuple[str, ...]) -> Recovery:
    return recover(
        collate([Witness(source=str(number), paragraphs=body, language="en") for number, body in enumerate(bodies)]), Evidence()
    )


def doubled(at: int, to: int) -> tuple[str, ...]:
    return (*DAM[:to], DAM[at], *DAM[to:])


def test_a_paragraph_that_one_page_prints_twice_comes_once() -> None:
    """Three pages print another paragraph twice each, one of them behind the text's end."""
    recovery = recovered(doubled(1, 4), doubled(3, len(DAM)), doubled(2, 6), DAM)
    assert recovery.text == "\n\n".join(DAM)
    assert sorted(omission.text for omission in recovery.omitted) == sorted(DAM[1:4])


def test_a_paragraph_that_most_pages_print_twice_comes_twice() -> None:
    """What the agency sent twice stays, though one page lacks the second."""
    assert recovered(doubled(1, 4), doubled(1, 4), DAM).text == "\n\n".join(doubled(1, 4))


def test_the_entries_of_a_list_are_not_each_other() -> None:
    """Paragraphs of one pattern stay, though a page cut short has few of them."""
    names = ("Elena Burton", "Ryan Hollman", "Victor Blair", "Jonathan Battin", "Maria Okafor")
    entries = tuple(
        f"{name}: Dealing in stolen vehicles, possession of stolen vehicles, held in the county jail in lieu of ${number},500 bond."
        for number, name in enumerate(names, 61)
    )
    whole = (*DAM[:3], *entries)
    assert recovered(whole, whole[:5], whole[:4], whole).text == "\n\n".join(whole)


bodies = st.lists(
    st.tuples(st.integers(0, 3), st.integers(5, len(DAM)), st.integers(0, len(DAM)), st.booleans()), min_size=2, max_size=4
)


@settings(max_examples=12, deadline=None)
@given(bodies)
def test_nothing_goes_without_a_trace(cuts: list[tuple[int, int, int, bool]]) -> None:
    """What a page has of its own stands in the text or is told to be left out, whether it aligns or not."""
    pages = []
    for number, (first, last, at, anew) in enumerate(cuts):
        own = " ".join(f"{word}{number}x" for word in ("lantern", "orchard", "violin", "harbour", "walnut", "tunnel", "copper"))
        part = [" ".join(text.split()[::-1]) if anew and place % 3 else text for place, text in enumerate(DAM[first:last])]
        pages.append((*part[:at], own, *part[at:]))
    recovery = recovered(*pages)
    told = " ".join([recovery.text, *(omission.text for omission in recovery.omitted)]).split()
    strange = {int(stranger.source) for stranger in recovery.strangers}
    for number in set(range(len(pages))) - strange:
        assert {f"{word}{number}x" for word in ("lantern", "orchard", "violin", "harbour")} <= set(told)


def test_a_short_beginning_that_most_voices_have_stays() -> None:
    """Six transcripts open with six words that the seventh missed, who was cut; six of one lineage are no majority."""
    said = "and in spite of our efforts the ferry ran aground on the eastern bank and the crew were taken off by lifeboat"
    texts = [said] * 6 + [said.removeprefix("and in spite of our efforts ")]
    collation = collate([Witness(str(number), (text,), language="en") for number, text in enumerate(texts)])
    assert recover(collation, Evidence()).text == said
    (opening,) = [block for block in collation.blocks if block.first == 0]
    apart, together = range(7), (0, 0, 0, 0, 0, 0, 1)
    assert judge(collation, apart, [0.02] * 7)[0].probability >= 6 / 7
    assert judge(collation, together, [0.02] * 7)[0].probability < 6 / 7
    assert opening.states[6] == State.OUTSIDE
