"""Copies of articles as they are found in the wild, made from a seed: what recovery, placing and finding are measured on.

    from bench.copies import cases
    for case in cases(seed=1, part="fit", condition="one-exemplar"):
        case.original, case.copies[0].text, case.copies[0].exemplar

`cases` draws from recipes (bench/copies/conditions.py has one a condition); a recipe is built from steps that anybody may use:
`spinner.spin`, `newsroom` (cuts, house style, promotion lines, datelines, moved paragraphs), `rewriting` (neural-style
rewrites, back-translations, another agency's report), `damage` (ROT47, lost blanks, site furniture) and `versions`. Every step
takes paragraphs and a `random.Random`, and gives paragraphs. The same seed gives the same bytes.

The originals are read in place from ../shared/data (`originals.originals`); what spins takes its words from the extra `bench`.
Part "fit" and part "report" share no article and no pair of word and replacement; tune on the first, report the second.
"""

from bench.copies.case import Case, Copy
from bench.copies.conditions import CONDITIONS, cases
from bench.copies.originals import Original, originals

__all__ = ["CONDITIONS", "Case", "Copy", "Original", "cases", "originals"]
