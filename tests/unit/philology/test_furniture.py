"""Site furniture is told from the article by whole paragraphs."""

import pytest

from pipeline.philology.furniture import Furniture, dateline_of, furniture_of, looks_like_byline


@pytest.mark.parametrize(
    ("paragraph", "kind"),
    [
        ("Leave a comment", Furniture.COMMENT),
        ("SMM Panel", Furniture.PROMOTION),
        ("Read more: Ministers meet in the capital", Furniture.POINTER),
        ("SEE ALSO: Press.Net - Verified footage from the square", Furniture.POINTER),
        ("LONDON, Nov 22 (Reuters) - Also read: Ministers meet", Furniture.POINTER),
        ("Facebook Twitter WhatsApp", Furniture.PROMOTION),
        ("Copyright 2019. All rights reserved.", Furniture.PROMOTION),
        ("(Reporting by Ann Lee; Editing by Bob Ray)", Furniture.CREDIT),
        ("By Ann Lee | Updated Nov. 22, 2019 10:15 AM", Furniture.BYLINE),
        ("Related work at the institute was shown to fail in nine of ten trials last year.", None),
        ("Loading docks at the port stayed shut. " * 8, None),
        ("", None),
    ],
)
def test_paragraphs_are_known_by_how_they_are_worded(paragraph: str, kind: Furniture | None) -> None:
    """Openings by which a page addresses its reader, in short paragraphs; a dateline in front of them does not matter."""
    assert furniture_of(paragraph) == kind


@pytest.mark.parametrize(
    ("paragraph", "line"),
    [
        ("LOS ANGELES (AP) - To win is", "LOS ANGELES (AP)"),
        ("LONDON, Nov 22 (Reuters) – The", "LONDON, Nov 22 (Reuters)"),
        ("(CNN) - The", "(CNN)"),
        ("NEW DELHI: The", "NEW DELHI"),
        ("The minister - a farmer - said", None),
        ("", None),
    ],
)
def test_datelines_are_a_place_in_capitals_or_an_agency_in_brackets(paragraph: str, line: str | None) -> None:
    """What stands before the dash is the dateline."""
    assert dateline_of(paragraph) == line


def test_bylines_are_short_lines_with_a_name() -> None:
    """A sentence that begins with "By" is none."""
    assert looks_like_byline("By Mark Trevelyan")
    assert not looks_like_byline(
        "By Tuesday the water had reached the doors of the houses, and nobody could leave them any more."
    )
