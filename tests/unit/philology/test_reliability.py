"""Witnesses are believed as far as they deserve, and copies of one copy vouch for nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.philology import reliability
from pipeline.philology.kinship import shared_errors
from pipeline.philology.reliability import SAME_ERROR, Disputes, contributions, solve
from pipeline.philology.stemma import exemplars


def disputes(choice: list[list[int]], prior: float = 0.5, agreed: int = 100) -> Disputes:
    """Places with two readings; reading 0 has the prior."""
    table = np.array(choice)
    row = np.log([prior, 1 - prior])
    return Disputes(
        choice=table,
        prior=np.tile(row, (len(table), 1)),
        present=np.ones((1, table.shape[1]), dtype=np.int64),
        agreed=np.array([float(agreed)]),
        known_errors=np.zeros((table.shape[1], 2)),
        echoes=np.zeros((len(table), 2)),
    )


def test_the_majority_of_independent_witnesses_is_followed() -> None:
    """Each of three is wrong elsewhere."""
    places = [[1 if w == u % 3 else 0 for w in range(3)] for u in range(12)]
    assert (solve(disputes(places))[0].posterior.argmax(axis=1) == 0).all()


def test_five_copies_of_one_wrong_copy_are_one_lineage_and_do_not_win() -> None:
    """A slight prior at every place outweighs five votes that share their errors."""
    places = [[1, 1, 1, 1, 1, 0] for _ in range(40)]
    best = solve(disputes(places, prior=0.75))[0]
    assert (best.posterior.argmax(axis=1) == 0).all()
    assert len(set(best.lineages[:5])) == 1
    assert best.lineages[5] != best.lineages[0]


def test_in_a_short_text_a_family_needs_more_than_chance() -> None:
    """Fourteen places: a clear gain in fluency makes five copies one lineage, next to none leaves them independent."""
    places = [[1, 1, 1, 1, 1, 0] for _ in range(14)]
    clear, slight = (solve(disputes(places, prior=prior)) for prior in (0.8, 0.53))
    assert len(set(clear[0].lineages)) == 2
    assert len(set(slight[0].lineages)) == 6
    assert any(len(set(one.lineages)) == 2 for one in slight[1:])


def test_two_witnesses_that_err_by_turns_are_both_doubted() -> None:
    """With agreed words counted, neither becomes the one that is always right."""
    rng = np.random.default_rng(4)
    table = [[0, 1] if u % 2 else [1, 0] for u in range(100)]
    one = disputes(table, agreed=500)
    sure = np.where(rng.random(100) < 0.9, 0.9, 0.1)
    one.prior[:, 0], one.prior[:, 1] = np.log(sure), np.log(1 - sure)
    rates = solve(one)[0].lineage_rates
    assert rates[0] == pytest.approx(rates[1], abs=0.05)


def test_places_with_posteriors_sum_to_one() -> None:
    """Also where a witness has no vote."""
    posterior = solve(disputes([[0, 1, -1], [-1, 0, 1], [1, 1, 0]]))[0].posterior
    assert posterior.sum(axis=1) == pytest.approx(np.ones(3))


def test_a_copy_is_told_from_its_exemplar_by_errors_of_its_own() -> None:
    """Witness 1 has all errors of witness 0 and five more; witness 2 has none."""
    choice = np.array([[1, 1, 0]] * 8 + [[0, 1, 0]] * 5)
    posterior = np.tile([1.0, 0.0], (13, 1))
    found = exemplars(choice, posterior, (0, 0, 1))
    assert [exemplar for exemplar, _ in found] == [None, 0, None]
    assert found[1][1] == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 6).flatmap(
        lambda w: st.lists(st.lists(st.integers(-1, 1), min_size=w, max_size=w), min_size=1, max_size=30)
    ),
    st.floats(0.05, 0.95),
)
def test_prior_and_contributions_add_up_to_the_posterior(choice: list[list[int]], prior: float) -> None:
    """Of every solution, with and without lineages: nothing else went into the probabilities."""
    given_ = disputes(choice, prior)
    for solution in solve(given_):
        total = given_.prior + contributions(given_, solution).sum(axis=0)
        shares = np.exp(total - total.max(axis=1, keepdims=True))
        assert shares / shares.sum(axis=1, keepdims=True) == pytest.approx(solution.posterior, abs=1e-9)


def test_a_family_contributes_as_one() -> None:
    """Copies of one copy add what one lineage adds, however many they are; a witness adds the same to its reading anywhere."""
    places = [[1, 1, 1, 1, 1, 0] for _ in range(40)]
    given_ = disputes(places, prior=0.75)
    best = solve(given_)[0]
    added = contributions(given_, best)
    assert added.shape == (2, 40, 2)
    odds = added[:, :, 0] - added[:, :, 1]
    assert odds[best.lineages[5]] == pytest.approx(np.full(40, odds[best.lineages[5], 0]))
    assert -odds[best.lineages[0], 0] < odds[best.lineages[5], 0]


@pytest.mark.parametrize("seed", range(8))
def test_what_lineages_say_is_summed_as_the_model_has_it(seed: int) -> None:
    """Gathered by cells, the likelihoods and the heads are those of the sums over all the readings of a place."""
    rng = np.random.default_rng(seed)
    places, readings, lineages = 9, 5, np.array([0, 1, 0, 2, 1, 0])
    numbers = rng.integers(2, readings + 1, places)
    exists = np.arange(readings) < numbers[:, None]
    choice = np.array([rng.integers(-1, number, len(lineages)) for number in numbers])
    posterior = np.where(exists, rng.random((places, readings)), 0.0)
    posterior /= posterior.sum(axis=1, keepdims=True)
    own, rates = rng.uniform(0.01, 0.9, len(lineages)), rng.uniform(0.01, 0.6, 3)
    families = reliability._families(choice, lineages, exists)
    weight, rest = reliability._below(families, own)
    total = np.zeros((places, readings))
    reliability._add_families(total, families, weight, rest, rates)
    head, differing = reliability._heads(families, weight, rest, rates, posterior)
    expected = np.zeros((places, readings))
    for lineage in (0, 1):
        wrong = SAME_ERROR * rates[lineage]
        for place in range(places):
            votes = [(w, choice[place, w]) for w in np.flatnonzero(lineages == lineage) if choice[place, w] >= 0]
            if not votes:
                continue
            likely = np.array(
                [
                    np.prod([1 - own[w] if vote == reading else own[w] * SAME_ERROR for w, vote in votes])
                    for reading in range(numbers[place])
                ]
            )
            scaled = likely / likely.max()
            own_total = np.log((1 - rates[lineage] - wrong) * scaled + wrong * scaled.sum())
            expected[place, : numbers[place]] += own_total
            hidden = likely * ((1 - rates[lineage] - wrong) * posterior[place, : numbers[place]] + wrong)
            hidden /= hidden.sum()
            spot = np.flatnonzero((families.spot_lineage == lineage) & (families.spot_place == place))
            assert differing[spot] == pytest.approx(1 - hidden @ posterior[place, : numbers[place]])
            cells = np.flatnonzero((families.lineage == lineage) & (families.place == place))
            assert head[cells] == pytest.approx(hidden[families.reading[cells]])
    assert np.where(exists, total, 0.0) == pytest.approx(expected)


def test_shared_errors_are_counted_pair_by_pair() -> None:
    """Also across the bound up to which readings are compared at a time."""
    rng = np.random.default_rng(1)
    choice = rng.integers(-1, 4, (5_000, 5))
    choice[choice[:, 0] == 3, 1:] = 0
    posterior = rng.dirichlet(np.ones(4), 5_000)
    shared, errors = shared_errors(choice, posterior)
    for one in range(5):
        for two in range(5):
            both = (choice[:, one] >= 0) & (choice[:, two] >= 0)
            mine = 1 - posterior[np.flatnonzero(both), choice[both, one]]
            if one != two:
                assert shared[one, two] == pytest.approx(mine[choice[both, one] == choice[both, two]].sum())
            assert errors[one, two] == pytest.approx(mine.sum())
