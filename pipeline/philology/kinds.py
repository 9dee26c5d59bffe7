"""What was done to each witness, told from where it differs from the recovered text."""

from pipeline.philology.recovered import Kind

# Shares of the tokens a witness has a say on: of real copies, spinners changed 15 to 30 %, newsrooms 0 to 12 %, neural
# rewriters 41 %.
REWRITTEN_FROM = 0.36
SPUN_FROM = 0.045
EDITED_FROM = 0.004
TRUNCATED_BELOW = 0.9


def kind_of(error_rate: float, coverage: float, cut: float, changed: bool) -> Kind:
    """The kind of a witness.

    `error_rate` and `coverage` as in an attestation; `cut` is the share of the recovered text that lies before the
    witness's beginning or behind its end; `changed` says that it has passages of its own or lacks some in its midst.
    """
    if coverage <= 0:
        return Kind.OTHER
    if error_rate >= REWRITTEN_FROM:
        return Kind.REWRITTEN
    if error_rate >= SPUN_FROM:
        return Kind.SPUN
    if cut > 1 - TRUNCATED_BELOW:
        return Kind.TRUNCATED
    if error_rate >= EDITED_FROM or changed:
        return Kind.EDITED
    return Kind.VERBATIM


def evidence_of(kind: Kind, error_rate: float, cut: float, changed: bool) -> str:
    """What the kind rests on, in words; arguments as above."""
    said = (
        [f"{error_rate:.1%} of its words differ from the text"] if kind is not Kind.OTHER else ["it holds nothing of the text"]
    )
    if cut > 1 - TRUNCATED_BELOW:
        said.append(f"{cut:.0%} of the text lies before its beginning or behind its end")
    if changed:
        said.append("it adds, lacks or moves passages, or follows a style of its own")
    return "; ".join(said)
