"""Error of the recovered text by condition, on copies that bench.copies makes.

A condition whose baseline beats the recovery by more than half a point is pointed out, and so is one that has an aim. In
"scrambled" the floor counts what ROT47 hides: a recovery may turn it back.
"""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.copies import Case, cases
from bench.copies.damage import rot47
from bench.scores import MARGIN, METHODS, calibration_error, errors_of, right_tokens, rightly_grouped, versions_found
from pipeline.philology.baselines import token_error_rate
from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, Recovery, recover
from pipeline.philology.witness import Witness

# Condition → the most that the recovery's mean may be, and the least that the majority's must be for it to count.
AIMS = {"one-exemplar": (2.5, 24.0), "newsrooms": (3.5, 8.0)}
# Copies of other texts or versions: the mean must be no worse than the medoid's.
MIXED = frozenset(
    {"versions", "hidden-version", "merged", "rewritten", "rewritten-spun", "back-translated", "other-agency", "quotes"}
)


@dataclass(slots=True)
class Tally:
    """What was measured in one condition."""

    errors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Method → token error rates in per cent, one a case."""
    tokens: list[tuple[float, bool, bool]] = field(default_factory=list)
    versions: list[float] = field(default_factory=list)
    """Share of the copies put to their version, one a case that has several."""
    one_group: list[float] = field(default_factory=list)
    """The same where nothing is told apart: the share of the version with the most copies."""
    version_errors: list[float] = field(default_factory=list)
    """Error of what was recovered for each version that the agency sent."""
    version_medoids: list[float] = field(default_factory=list)
    """Error of the best copy of each version, for comparison."""
    named: int = 0
    """Strangers named that are strangers."""
    wrongly_named: int = 0
    strangers: int = 0

    def count(self, case: Case) -> None:
        """Recovers the case and counts how it went."""
        witnesses = case.witnesses()
        collation = collate(witnesses)
        recovery = recover(collation, Evidence())
        turned = [
            Witness(f"{witness.source} turned", tuple(map(rot47, witness.paragraphs)))
            for witness, copy in zip(witnesses, case.copies, strict=True)
            if copy.recipe == "ROT47"
        ]
        for method, value in errors_of(witnesses, collation, recovery, case.original, turned).items():
            self.errors[method].append(value)
        self.tokens.extend(right_tokens(recovery, case.original))
        self._count_strangers(case, recovery)
        if len(case.versions) > 1:
            self._count_versions(case, recovery)

    def _count_strangers(self, case: Case, recovery: Recovery) -> None:
        named = {int(stranger.source) for stranger in recovery.strangers}
        true = {number for number, copy in enumerate(case.copies) if copy.version is None}
        excerpts = {number for number, copy in enumerate(case.copies) if copy.recipe == "quotes"}
        self.strangers += len(true)
        self.named += len(named & true)
        self.wrongly_named += len(named - true - excerpts)

    def _count_versions(self, case: Case, recovery: Recovery) -> None:
        truth = [
            {number for number, copy in enumerate(case.copies) if copy.version == version}
            for version in range(len(case.versions))
        ]
        present = [group for group in truth if group]
        self.versions.append(rightly_grouped(versions_found(recovery), present))
        self.one_group.append(max(map(len, present)) / sum(map(len, present)))
        texts = [version.text for version in recovery.versions] or [recovery.text]
        for version, group in zip(case.versions, truth, strict=True):
            if group:
                self.version_errors.append(100 * min(token_error_rate(text, version) for text in texts))
                copies = [case.copies[number].text for number in group]
                self.version_medoids.append(100 * min(token_error_rate(text, version) for text in copies))


def split_mean(values: Sequence[float]) -> str:
    """Mean, median and standard deviation."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.2f} | {statistics.median(values):.2f} | {spread:.2f}"


def verdict(condition: str, means: dict[str, float]) -> str:
    """What is to be said of a condition: an aim met or missed, a baseline that wins."""
    said = []
    if condition in AIMS:
        most, least = AIMS[condition]
        met = "met" if means["recovery"] <= most else "missed"
        said.append(f"aim {most} {met}" + ("" if means["majority"] >= least else f", majority below {least}: does not count"))
    best = min(("longest", "medoid", "majority"), key=lambda method: means[method])
    if means["recovery"] > means[best] + MARGIN:
        said.append(f"{best} is {means['recovery'] - means[best]:.1f} better")
    elif condition in MIXED and means["recovery"] > means["medoid"]:
        said.append(f"medoid is {means['recovery'] - means['medoid']:.1f} better")
    return "; ".join(said)


def measure(conditions: Sequence[str], part: str, count: int, seed: int) -> dict[str, Tally]:
    """What `count` cases of each condition give; prints a line a condition as soon as it is done."""
    print(
        f"\nGenerated cases: part {part}, seed {seed}. Token error rate in per cent, means; of the recovery also median and sd."
    )
    print("| condition | cases | longest | medoid | majority | recovery | median | sd | floor | excess | |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    tallies = {}
    for condition in conditions:
        tally = tallies[condition] = Tally()
        for case in cases(seed, part, condition, count):
            tally.count(case)
        if not tally.errors:
            print("skipped: the articles of ../shared/data are not there")
            break
        means = {method: statistics.fmean(tally.errors[method]) for method in METHODS}
        print(
            f"| {condition} | {len(tally.errors['recovery'])} | "
            + " | ".join(f"{means[method]:.2f}" for method in METHODS[:3])
            + f" | {split_mean(tally.errors['recovery'])} | {means['floor']:.2f} | {means['recovery'] - means['floor']:.2f} | "
            + f"{verdict(condition, means)} |",
            flush=True,
        )
    return tallies


def print_rest(tallies: dict[str, Tally]) -> None:
    """Versions told apart, strangers named, calibration."""
    for condition, tally in tallies.items():
        if tally.versions:
            print(
                f"{condition}: copies put to their version {statistics.fmean(tally.versions):.3f} "
                f"(all in one group {statistics.fmean(tally.one_group):.3f}); error of each version's text "
                f"{statistics.fmean(tally.version_errors):.2f}, of its best copy {statistics.fmean(tally.version_medoids):.2f}"
            )
        if tally.strangers or tally.wrongly_named:
            print(f"{condition}: strangers named {tally.named} of {tally.strangers}, others so named {tally.wrongly_named}")
    tokens = [row for tally in tallies.values() for row in tally.tokens]
    sure = [good for probability, good, _ in tokens if probability >= 0.99]
    print(
        f"calibration error: all tokens {calibration_error([row[:2] for row in tokens]):.4f}, "
        f"in units {calibration_error([row[:2] for row in tokens if row[2]]):.4f}; "
        f"right at .99 and more: {sum(sure) / max(1, len(sure)):.4f} of {len(sure)}"
    )
