import pytest

from pipeline.demo.article import Article
from pipeline.demo.edits import (
    curl,
    cut,
    drop,
    lose_blanks,
    lose_commas,
    merge,
    move,
    place,
    retitle,
    sign,
    write,
)

PAPER = Article("A head", "By Somebody", "TOWN (Agency) - ", ("one 2,914 two", '"Three," it\'s "four"', "five", "six"))


@pytest.mark.parametrize(
    ("step", "body"),
    [
        (write("five", "5"), ("one 2,914 two", '"Three," it\'s "four"', "5", "six")),
        (cut(2), ("one 2,914 two", '"Three," it\'s "four"')),
        (drop(2), ("one 2,914 two", "five", "six")),
        (move(4, 2), ("one 2,914 two", "six", '"Three," it\'s "four"', "five")),
        (move(1, 3), ('"Three," it\'s "four"', "five", "one 2,914 two", "six")),
        (merge(3), ("one 2,914 two", '"Three," it\'s "four"', "five six")),
        (curl, ("one 2,914 two", "“Three,” it’s “four”", "five", "six")),
        (lose_commas, ("one 2914 two", '"Three," it\'s "four"', "five", "six")),
        (lose_blanks(2), ("one 2,914two", '"Three," it\'s"four"', "five", "six")),
    ],
)
def test_a_step_changes_what_it_names(step, body):
    """Each step gives the paragraphs it promises and leaves headline, byline and dateline alone."""
    changed = step(PAPER)
    assert changed.paragraphs == body
    assert (changed.headline, changed.byline, changed.dateline) == ("A head", "By Somebody", "TOWN (Agency) - ")


def test_the_head_of_an_article_can_be_changed():
    """Headline, byline and dateline each have a step; the dateline stands before the first paragraph."""
    changed = place("HERE – ")(sign(None)(retitle("Another")(PAPER)))
    assert (changed.headline, changed.byline, changed.dateline) == ("Another", None, "HERE – ")
    assert changed.body[0] == "HERE – one 2,914 two"
    assert changed.text.startswith("Another\n\nHERE – one 2,914 two\n\n")


def test_a_recipe_that_lost_its_place_is_refused():
    """Replacing what the article does not say is an error, not a copy without the edit."""
    with pytest.raises(ValueError, match="nothing reads 'seven'"):
        write("seven", "7")(PAPER)
