"""An explanation as a person reads it: log-odds that add up, one contribution a line."""

from collections.abc import Iterator, Sequence

from pipeline.cli import printable
from pipeline.cli.messages import say
from pipeline.cli.output import percent, to_json
from pipeline.errors import Misuse, NotFound
from pipeline.exports.explanation_json import to_document
from pipeline.philology.collation import Collation
from pipeline.philology.explained import (
    AlternativeAccount,
    Explanation,
    Feature,
    LineageAccount,
    PassageAccount,
    ReadingAccount,
)
from pipeline.philology.explanation import explain, explain_word
from pipeline.philology.question import Judge
from pipeline.philology.recovered import Evidence

# What gives less than this to every reading, in log-odds, is left out of the prior's lines: it tipped nothing.
SLIGHT = 0.05
WIDTH = 28
# Explanations told one after the other; a common word stands at hundreds of places.
MOST = 10


def accounts_at(collation: Collation, evidence: Evidence, wanted: str, judge: Judge | None = None) -> tuple[Explanation, ...]:
    """The explanations of a position (digits alone) or of a word or words; a number in quotation marks is a word.

    Raises NotFound where nothing stands there, and Misuse where nothing is asked for.
    """
    wanted = wanted.strip()
    if not wanted:
        raise Misuse("Nothing to explain: name an offset in the text, or a word.")
    if wanted.isascii() and wanted.isdigit():
        one = explain(collation, evidence, int(wanted), judge=judge)
        if one is None:
            raise NotFound(f"No word stands at {wanted} or behind it. In quotation marks, '\"{wanted}\"', a number is a word.")
        return (one,)
    quoted = len(wanted) > 2 and wanted[0] == wanted[-1] == '"'
    found = explain_word(collation, evidence, wanted[1:-1] if quoted else wanted, judge=judge)
    if not found:
        raise NotFound(f"None of the copies has {printable.line(wanted)!r} at a place of its own.")
    return found


def write_accounts(found: Sequence[Explanation], *, as_json: bool) -> str:
    """The explanations as JSON, or as text: then the first ones of a word that stands at many places."""
    if as_json:
        return to_json(to_document(found), indent=1)
    if len(found) > MOST:
        say(f"It stands at {len(found)} places; the first {MOST} are told. `--format json` has all, an offset the one there.")
    return f"\n\n{'—' * 40}\n".join(account_of(one) for one in found[:MOST])


def account_of(found: Explanation) -> str:
    """The explanation as lines of text that a terminal can print."""
    return printable.lines("\n".join(_lines(found)))


def _lines(found: Explanation) -> Iterator[str]:
    here = f"[{found.text}]" if found.passage.kept else f"[left out: {found.text}]"
    yield f"… {_flat(found.before)} {here} {_flat(found.after)} …"
    if found.passage.kept:
        yield f"Position {found.start} to {found.end}: probability {percent(found.probability)}, {found.reason}."
        yield f"Decided by {found.decided_by}."
    else:
        yield f"Not in the text: its passage is left out ({found.passage.why})."
    for reading in found.readings:
        yield ""
        yield from _reading(reading, found.lineages)
    if len(found.readings) > 1:
        yield ""
        yield from _prior(found.readings)
    if found.alternative is not None:
        yield ""
        yield from _alternative(found.alternative)
    yield ""
    yield from _passage(found.passage)


def _reading(reading: ReadingAccount, lineages: Sequence[LineageAccount]) -> Iterator[str]:
    text = _flat(reading.text) or "(nothing)"
    yield f"{text}: held by {', '.join(reading.sigla)}; probability {percent(reading.probability)}"
    yield _sum("prior", reading.prior)
    for lineage, added in zip(lineages, reading.contributions, strict=True):
        if added:
            yield _sum(
                f"lineage {lineage.number} ({', '.join(lineage.sigla)})", added, f"error rate {percent(lineage.error_rate)}"
            )
    yield _sum("sum", reading.score, f"makes {percent(reading.weighed)}")
    if abs(reading.dealt - reading.weighed) > 1e-6:
        yield f"  for the whole text's style or headline {percent(reading.dealt)}"


def _prior(readings: Sequence[ReadingAccount]) -> Iterator[str]:
    yield "What the priors differ in, log-odds: " + " / ".join(_flat(reading.text) or "(nothing)" for reading in readings)
    given = [{feature.name: feature.log_odds for feature in reading.features} for reading in readings]
    for name in dict.fromkeys(name for one in given for name in one):
        values = [one.get(name, 0.0) for one in given]
        if max(values) - min(values) >= SLIGHT:
            yield f"  {name:<{WIDTH}}" + " / ".join(f"{value:+.2f}" for value in values)


def _alternative(other: AlternativeAccount) -> Iterator[str]:
    same = "agrees" if other.agrees else f"prefers {_flat(other.text) or 'to have nothing here'}"
    groups = [group for group in other.lineages if len(group) > 1]
    kin = "; ".join(", ".join(group) for group in groups) or "none: every witness by itself"
    yield f"The next best solution {same} ({percent(other.probability)}). Its lineages of several witnesses: {kin}."
    yield f"  mean prior of its readings {percent(other.fluency)}; of those kept {percent(other.kept_fluency)}"


def _passage(passage: PassageAccount) -> Iterator[str]:
    fate = "kept" if passage.kept else f"left out: {passage.why}"
    parts = [f"held by {', '.join(passage.holders) or 'nobody'}"]
    if passage.missing:
        parts.append(f"missing in {', '.join(passage.missing)}")
    if passage.outside:
        parts.append(f"outside the span of {', '.join(passage.outside)}")
    yield f"Passage {fate}; probability that it belongs to the text {percent(passage.probability)}; {'; '.join(parts)}."
    yield from (_sum(feature.name, feature.log_odds) for feature in _weightiest(passage.features))


def _weightiest(features: Sequence[Feature]) -> list[Feature]:
    return sorted((one for one in features if abs(one.log_odds) >= SLIGHT), key=lambda one: -abs(one.log_odds))


def _sum(name: str, value: float, note: str = "") -> str:
    return f"  {name:<{WIDTH}}{value:+8.2f}{'  ' + note if note else ''}"


def _flat(text: str) -> str:
    return " ".join(text.split())
