r"""Cold items: how often the next item is found among items that nobody has chosen yet.

    python benchmarks/cold_items.py --log Beauty.txt \
        --attributes Beauty_item2attributes.json

A share of the items with attributes is removed from the log and a model is trained on
the rest. For every user who chose a removed item, that item is ranked among all removed
ones, given what the user did before. Vectors from attributes (`--cold-items
attributes`) are compared with two controls: chance, and popularity, which adds up how
often training chose items with each of the item's attributes. Intervals are 95 %, over
users. Other flags go to `emkd train`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from ranking import K, read_log

REPOSITORY = Path(__file__).resolve().parent.parent
MIN_HISTORY = 2  # known items before the cold one
STRENGTHS = (1.0, 10.0, 100.0)  # of the regression


def split(
    log: dict[str, list[str]], has_attributes: set[str], share: float, seed: int
) -> tuple[set[str], pl.DataFrame, list[tuple[list[str], str]]]:
    """Returns the removed items, the log without them, and the questions: what a user
    did before the first removed item, and which item it was."""
    known = sorted({item for items in log.values() for item in items} & has_attributes)
    rng = np.random.default_rng(seed)
    cold = set(rng.choice(known, int(share * len(known)), replace=False).tolist())
    rows, questions = [], []
    for user, items in log.items():
        place = next((n for n, item in enumerate(items) if item in cold), None)
        # What comes after a cold item would reveal it.
        warm = items if place is None else items[:place]
        rows += [(user, item, time) for time, item in enumerate(warm)]
        if place is not None and place >= MIN_HISTORY:
            questions.append((warm, items[place]))
    frame = pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")
    return cold, frame, questions


def popularity(
    log: pl.DataFrame, attributes: dict[str, list], cold: list[str]
) -> np.ndarray:
    """Returns [C], how often the log chose items with each cold item's attributes."""
    counts: dict[str, int] = {}
    for item in log["item"]:
        for attribute in attributes.get(item, []):
            counts[str(attribute)] = counts.get(str(attribute), 0) + 1
    return np.array([sum(counts.get(str(a), 0) for a in attributes[c]) for c in cold])


def hits(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the chance [n] that each target is among the best K, shared by ties."""
    own = scores[np.arange(len(targets)), targets][:, np.newaxis]
    above, equal = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return np.clip((K - above) / equal, 0, 1)


def interval(values: np.ndarray) -> str:
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.4f} ± {half:.4f}"


def scores_of(
    run: Path, attributes: Path, cold: list[str], histories: list[list[str]]
) -> dict[float, np.ndarray]:
    """Returns the scores [n, C] of the cold items, for each strength of the
    regression."""
    from emkd_tf.models.cold_weights import AttributeRegression
    from emkd_tf.retrieval.recommend import VectorRecommender
    from emkd_tf.training.run_cold import open_with_cold_items

    with tempfile.TemporaryDirectory() as folder:
        _, grown, ensemble, names = open_with_cold_items(
            run, {"attributes": str(attributes)}, Path(folder)
        )
        lists = VectorRecommender(ensemble, grown)
        queries = np.concatenate(
            [
                lists.queries(lists.numbers(histories[first : first + 512]))
                for first in range(0, len(histories), 512)
            ]
        )
    num_known = grown.num_items - len(names)
    known = lists.item_vectors[:num_known]
    regression = AttributeRegression.of(grown, num_known)
    places = [names.index(item) for item in cold]
    return {
        strength: queries @ regression._replace(strength=strength).rows(known)[places].T
        for strength in STRENGTHS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--attributes", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--output", type=Path, default=Path("reports/cold"))
    given, others = parser.parse_known_args()
    attributes = json.loads(given.attributes.read_text())
    cold_set, log, questions = split(
        read_log(given.log), set(attributes), given.share, seed=0
    )
    given.output.mkdir(parents=True, exist_ok=True)
    log.write_csv(given.output / "log.csv")
    run = given.output / "runs" / "warm"
    if not (run / "metrics.json").exists():
        command = [sys.executable, "train.py", "--model=sasrec", *others]
        command += [f"--interactions={(given.output / 'log.csv').resolve()}"]
        command += [f"--attributes={given.attributes.resolve()}", "--name=warm"]
        command += [f"--runs-dir={run.parent.resolve()}", "--export=false"]
        subprocess.run(command, check=True, cwd=REPOSITORY)

    # Nothing can be inferred about items that share no attribute with a known item.
    warm = {str(a) for item in set(log["item"]) for a in attributes.get(item, [])}
    cold = sorted(c for c in cold_set if warm & set(map(str, attributes[c])))
    places = {item: place for place, item in enumerate(cold)}
    questions = [(history, item) for history, item in questions if item in places]
    targets = np.array([places[item] for _, item in questions])
    print(f"{len(cold)} cold items, {len(targets)} users")
    rows = {
        f"attributes, strength {strength:g}": hits(scores, targets)
        for strength, scores in scores_of(
            run, given.attributes, cold, [history for history, _ in questions]
        ).items()
    }
    popular = popularity(log, attributes, cold)
    rows["popularity of the attributes"] = hits(
        np.tile(popular, (len(targets), 1)), targets
    )
    rows["chance"] = np.full(len(targets), K / len(cold))
    print(f"| | HR@{K} |\n|---|---|")
    for name, values in rows.items():
        print(f"| {name} | {interval(values)} |")


if __name__ == "__main__":
    main()
