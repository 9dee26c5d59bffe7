"""A story of one witness: its own paragraphs, without the page's furniture."""

from pipeline.philology.collation import Collation
from pipeline.philology.frontmatter import front_matter
from pipeline.philology.furniture import Furniture, furniture_of, reason_of
from pipeline.philology.printing import PARAGRAPH
from pipeline.philology.recovered import Attestation, Kind, Omission, Reason, Recovery, Token
from pipeline.philology.tokens import Role, spans

# Nothing vouches for a single copy. Of its tokens about this share was the agency's among the copies of bench/recovery.py's
# cases (verbatim, edited, cut and spun ones together).
CONFIDENCE = 0.85


def recover_single(collation: Collation) -> Recovery:
    """The only witness's paragraphs character for character, furniture moved to `omitted`; empty without a witness."""
    if not collation.witnesses:
        return Recovery(
            text="",
            title=None,
            byline=None,
            dateline=None,
            language=None,
            confidence=0.0,
            witnesses=(),
            tokens=(),
            apparatus=(),
        )
    witness, siglum, own = collation.witnesses[0], collation.sigla[0], collation.tokens[0]
    kept: list[str] = []
    roles: list[Role] = []
    omitted: list[Omission] = []
    for paragraph, role in zip(own.paragraphs, own.roles, strict=True):
        kind = furniture_of(paragraph) if role is Role.BODY else None
        if kind in (Furniture.POINTER, Furniture.PROMOTION, Furniture.COMMENT):
            omitted.append(Omission((siglum,), paragraph, reason_of(kind)))
        else:
            kept.append(paragraph)
            roles.append(role)
    tokens: list[Token] = []
    offset = 0
    for paragraph in kept:
        for first, last in spans(paragraph):
            tokens.append(Token(paragraph[first:last], offset + first, offset + last, CONFIDENCE, Reason.SINGLE))
        offset += len(paragraph) + len(PARAGRAPH)
    matter = front_matter(kept, roles)
    return Recovery(
        text=PARAGRAPH.join(kept),
        title=matter.title,
        byline=matter.byline or witness.byline,
        dateline=matter.dateline,
        language=witness.language,
        confidence=CONFIDENCE if tokens else 0.0,
        witnesses=(Attestation(siglum, witness.source, Kind.OTHER, 0.0, float(bool(tokens)), None, 1),),
        tokens=tuple(tokens),
        apparatus=(),
        omitted=tuple(omitted),
    )
