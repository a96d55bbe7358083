"""The bundled sample."""

import collections
import itertools

from emkd_tf.data.synthetic import generate


def test_deterministic_and_of_the_promised_size():
    actions, attributes = generate()
    again, _ = generate()
    assert actions.equals(again)
    assert not actions.equals(generate(seed=8)[0])
    assert actions["user"].n_unique() == 2_000
    assert 900 < actions["item"].n_unique() <= 1_000
    assert attributes.group_by("item").len()["len"].unique().to_list() == [2]


def test_order_can_be_learned():
    """The item before says far more about the next one than popularity does."""
    actions, _ = generate()
    users = itertools.groupby(actions.rows(), key=lambda row: row[0])
    sequences = [[row[1] for row in rows] for _, rows in users]
    middle = len(sequences) // 2
    follows = collections.defaultdict(collections.Counter)
    popular = collections.Counter()
    for sequence in sequences[:middle]:
        popular.update(sequence)
        for before, after in itertools.pairwise(sequence):
            follows[before][after] += 1
    pairs = [p for s in sequences[middle:] for p in itertools.pairwise(s)]
    guess = {item: counts.most_common(1)[0][0] for item, counts in follows.items()}
    by_order = sum(guess.get(before) == after for before, after in pairs) / len(pairs)
    favourite = popular.most_common(1)[0][0]
    by_popularity = sum(after == favourite for _, after in pairs) / len(pairs)
    assert by_order > 0.3
    assert by_popularity < 0.05
