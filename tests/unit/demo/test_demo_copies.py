import re
from difflib import SequenceMatcher

import pytest

from pipeline.demo.article import read_article
from pipeline.demo.copies import COPIES, Copy, make
from pipeline.demo.sites import SITES
from pipeline.demo.strangers import STRANGERS, Form
from pipeline.philology.recovery import Kind

ARTICLES = ("strike", "dam")
FIRST_HAND = [copy for copy in COPIES if copy.kind == Kind.SPUN and copy.exemplar is None]
SECOND_HAND = [copy for copy in COPIES if copy.exemplar is not None]


def name(copy: Copy) -> str:
    return f"{copy.article}-{copy.site}"


def tokens(text: str) -> list[str]:
    """Words and marks, quotation marks straightened: a house's typography is no change of wording."""
    return re.findall(r"\w+|[^\w\s]", text.translate(str.maketrans("“”’", '""\'')))


def kept(before: list[str], after: list[str]) -> int:
    """Tokens of `before` that stand in `after`, in order."""
    return sum(block.size for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks())


def body(copy: Copy) -> list[str]:
    return tokens(" ".join(make(copy).paragraphs))


def original(copy: Copy) -> list[str]:
    return tokens(" ".join(read_article("articles", copy.article).paragraphs))


@pytest.mark.parametrize("article", ARTICLES)
def test_an_article_is_long_enough_and_whole(article):
    """500 words or more, with a byline, a dateline that names the agency, quotations and prices."""
    read = read_article("articles", article)
    assert sum(len(text.split()) for text in read.paragraphs) >= 500
    assert read.byline is not None
    assert read.byline.startswith("By ")
    assert read.dateline.endswith("(Meridian Press) - ")
    assert read.body[0].startswith(read.dateline)
    assert sum(text.count('"') for text in read.paragraphs) >= 8
    assert sum(text.count("$") for text in read.paragraphs) >= 4


@pytest.mark.parametrize("article", ARTICLES)
def test_a_story_has_copies_of_every_kind(article):
    """Eight to ten copies that can be fetched, each on another site: verbatim, cut, edited, spun, copied from a spun one."""
    within = [copy for copy in COPIES if copy.article == article and copy.withheld is None]
    assert 8 <= len(within) <= 10
    assert len({copy.site for copy in within}) == len(within)
    kinds = [copy.kind for copy in within]
    assert kinds.count(Kind.VERBATIM) >= 2
    assert kinds.count(Kind.TRUNCATED) == 1
    assert kinds.count(Kind.EDITED) == 1
    assert kinds.count(Kind.SPUN) == 4
    assert sum(copy.exemplar is not None for copy in within) == 1


@pytest.mark.parametrize("copy", FIRST_HAND, ids=name)
def test_a_spun_copy_changes_what_spinners_change(copy):
    """15 to 30 % of the agency's tokens are gone, and not a paragraph is."""
    assert 0.15 <= 1 - kept(original(copy), body(copy)) / len(original(copy)) <= 0.30
    assert len(make(copy).paragraphs) == len(read_article("articles", copy.article).paragraphs)


@pytest.mark.parametrize("article", ARTICLES)
def test_spun_copies_share_errors_without_being_the_same(article):
    """Two sites with one dictionary agree on more than two thirds of their tokens and differ on a tenth or more."""
    within = [body(copy) for copy in FIRST_HAND if copy.article == article]
    pairs = [(one, other) for at, one in enumerate(within) for other in within[at + 1 :]]
    assert len(pairs) == 3
    for one, other in pairs:
        assert 2 / 3 <= kept(one, other) / len(one) <= 0.9


@pytest.mark.parametrize("copy", SECOND_HAND, ids=name)
def test_the_copy_of_a_spun_copy_shares_its_errors(copy):
    """Nine tenths of what it prints stands so in its exemplar, it is further from the agency, and its own damage is there."""
    exemplar = next(other for other in FIRST_HAND if (other.article, other.site) == (copy.article, copy.exemplar))
    assert kept(body(copy), body(exemplar)) / len(body(copy)) >= 0.9
    assert kept(original(copy), body(copy)) < kept(original(copy), body(exemplar))
    assert len(make(copy).paragraphs) == len(make(exemplar).paragraphs) - 1
    assert not re.search(r"\d,\d{3}", make(copy).text)
    squeezed = [re.sub("[ ,]", "", text) for text in make(exemplar).paragraphs]
    assert [re.sub("[ ,]", "", text) for text in make(copy).paragraphs if re.sub("[ ,]", "", text) not in squeezed] == []
    glued = set(body(copy)) - set(body(exemplar))
    assert any(word.isalpha() for word in glued)


@pytest.mark.parametrize("copy", [copy for copy in COPIES if copy.kind == Kind.VERBATIM], ids=name)
def test_a_verbatim_copy_changes_house_style_alone(copy):
    """Less than 2 % of the tokens differ."""
    assert kept(original(copy), body(copy)) / len(original(copy)) > 0.98


@pytest.mark.parametrize("copy", [copy for copy in COPIES if copy.kind == Kind.TRUNCATED], ids=name)
def test_a_cut_copy_lacks_the_last_third(copy):
    """It is a beginning of the article and 60 to 70 % of it."""
    assert original(copy)[: len(body(copy))] == body(copy)
    assert 0.6 <= len(body(copy)) / len(original(copy)) <= 0.7


@pytest.mark.parametrize("copy", [copy for copy in COPIES if copy.kind == Kind.EDITED], ids=name)
def test_an_edited_copy_is_the_same_text_in_another_order(copy):
    """Another headline, an inserted weekday, a paragraph moved and two merged; 95 % of the words are the agency's."""
    article, made = read_article("articles", copy.article), make(copy)
    assert made.headline != article.headline
    assert re.search(r" on (Monday|Tuesday)\b", made.paragraphs[0])
    assert not re.search(r" on (Monday|Tuesday)\b", article.paragraphs[0])
    assert len(made.paragraphs) == len(article.paragraphs) - 1
    assert kept(sorted(original(copy)), sorted(body(copy))) / len(original(copy)) >= 0.95
    assert kept(original(copy), body(copy)) / len(original(copy)) < 0.95


def test_the_report_of_another_day_reuses_the_sentences():
    """The two harbour reports share most of their words and differ in their numbers; the own reports share few sentences."""
    monday, tuesday = (
        tokens(" ".join(read_article("strangers", day).paragraphs)) for day in ("harbour-monday", "harbour-tuesday")
    )
    assert kept(monday, tuesday) / len(monday) > 0.75
    numbers = [{word for word in report if word.isdigit() and len(word) > 1} for report in (monday, tuesday)]
    assert len(numbers[0] & numbers[1]) < len(numbers[0]) / 3
    for own, article in (("own-strike", "strike"), ("own-dam", "dam")):
        phrases = [
            {tuple(words[at : at + 6]) for at in range(len(words) - 5)}
            for words in (
                tokens(" ".join(read_article("strangers", own).paragraphs)),
                tokens(" ".join(read_article("articles", article).paragraphs)),
            )
        ]
        assert phrases[0] & phrases[1] == set()


def test_every_row_names_a_site_and_no_path_twice():
    """Copies, strangers and old addresses stand on known sites, each at a place of its own."""
    pages = [(page.site, page.path) for page in (*COPIES, *STRANGERS)]
    pages += [copy.listed for copy in COPIES if copy.listed]
    assert {site for site, _ in pages} <= set(SITES)
    assert len(set(pages)) == len(pages)
    assert {stranger.form for stranger in STRANGERS} == set(Form)
