"""Accuracy against CPU seconds: our models compared with those of other libraries.

    python benchmarks/frontier.py --log Beauty.txt --data-dir . --dataset beauty \
        --rectools rectools/bin/python --recbole recbole/bin/python \
        --output reports/frontier

    python benchmarks/frontier.py --kept docs/results --output docs/images

The first command trains whatever is missing, one model after another, each in its own
process (`peers.py` says how to make the environments of the other libraries), then
writes a table and a figure of what is in `--output`. Each model's epoch is chosen by
validation, and its test metrics are computed by `ranking.py` from lists of ten, in the
same way for all libraries. Without these environments only our models are trained. Our
CPU seconds cover the whole process, including start and evaluations; those of the
others cover training only.

The second command prints and draws the runs kept in `docs/results`, ours by their own
metrics, and in its folder `peers`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from ranking import K, held_out, metrics, read_log

OURS = {
    "SASRec": ["--model=sasrec"],
    "SASRec, d = 256": ["--model=sasrec", "--hidden-units=256"],
    "eSASRec": ["--model=esasrec", "--preset=fair"],
    "BERT4Rec": ["--model=bert4rec", "--preset=fair"],
    "GRU4Rec": ["--model=gru4rec", "--preset=fair"],
    "EMKD, quick": ["--preset=quick"],
}
# With histories of 20 items: these models pad, and take more than twice as long with
# 50. They stop when validation has not risen for five epochs, or after an hour.
_SHORT = ["--length=20", "--epochs=40", "--seconds=3700"]
PEERS = {
    "RecTools SASRec": ["--model=rectools-sasrec", *_SHORT],
    "RecTools SASRec, d = 256": ["--model=rectools-sasrec", "--width=256", *_SHORT],
    "RecTools SASRec, sampled": ["--model=rectools-sasrec-sampled", *_SHORT],
    "RecTools eSASRec": ["--model=rectools-esasrec", *_SHORT],
    "RecTools BERT4Rec": ["--model=rectools-bert4rec", *_SHORT],
    "RecBole SASRec": ["--model=recbole-sasrec", *_SHORT],
    "RecBole GRU4Rec": ["--model=recbole-gru4rec", *_SHORT],
}


KEPT = {
    "EMKD, cpu": "beauty-cpu",
    "EMKD, quick": "beauty-quick",
    "EMKD, quick, one network": "beauty-one",
    "EMKD, cpu, one network": "beauty-one-128",
    "Student of EMKD, quick": "beauty-distilled-wide",
    "EMKD, quick, one network without attributes": "beauty-one-without-attributes",
    "EMKD, quick, all items": "beauty-full",
    "SASRec with attributes": "beauty-sasrec-attributes",
    "SASRec": "beauty-sasrec",
    "SASRec, d = 256": "beauty-sasrec-256",
    "DuoRec": "beauty-duorec",
    "S3-Rec": "beauty-s3rec",
    "FDSA": "beauty-fdsa",
    "eSASRec": "beauty-esasrec",
    "CL4SRec": "beauty-cl4srec",
    "MMInfoRec": "beauty-mminforec",
    "Caser": "beauty-caser",
    "GRU4Rec": "beauty-gru4rec",
    "BERT4Rec": "beauty-bert4rec",
}
TEACHERS = {"Student of EMKD, quick": "EMKD, quick"}  # their seconds count too
KEPT_PEERS = {
    "RecTools SASRec, d = 256": "rectools-sasrec-256",
    "RecTools SASRec, d = 64": "rectools-sasrec-64",
    "RecTools SASRec, 256 negatives": "rectools-sasrec-sampled-64",
    "RecTools eSASRec": "rectools-esasrec-64",
    "RecTools BERT4Rec": "rectools-bert4rec-64",
    "RecBole SASRec, d = 64": "recbole-sasrec-64",
    "RecBole GRU4Rec": "recbole-gru4rec-64",
}


class Curve(NamedTuple):
    """A training run: cumulative cost and validation by epoch, and the best one's
    test."""

    seconds: list[float]
    validation: list[float]
    test: dict[str, float]

    @property
    def best(self) -> int:
        return self.validation.index(max(self.validation))


def of_ours(title: str, given: argparse.Namespace) -> Curve | None:
    """Trains one of our models unless it exists; None if it was not asked for."""
    run = given.output / "runs" / _name(title)
    if not (run / "metrics.json").exists():
        if given.only and title not in given.only:
            return None
        command = [sys.executable, "train.py", *OURS[title], "--export=false"]
        command += [f"--dataset={given.dataset}", f"--data-dir={given.data_dir}"]
        command += [f"--runs-dir={run.parent}", f"--name={run.name}"]
        subprocess.run(command, check=True)
    test = run / "test_lists.json"
    if not test.exists():
        test.write_text(json.dumps(_test_of(run, given.log)))
    return _curve(run / "history.jsonl", json.loads(test.read_text()))


def _curve(history: Path, test: dict[str, float]) -> Curve:
    metric = f"validation/NDCG@{K}"
    lines = [line for line in _lines(history) if metric in line]
    return Curve(
        [line["processor_seconds"] for line in lines],
        [line[metric] for line in lines],
        test,
    )


def of_kept(folder: Path) -> dict[str, Curve]:
    """Returns the curves of the kept runs, by title."""
    found = {
        title: _curve(
            folder / f"{name}-history.jsonl",
            json.loads((folder / f"{name}.json").read_text())["test"],
        )
        for title, name in KEPT.items()
    }
    for title, teacher in TEACHERS.items():
        before = found[teacher].seconds[-1]
        seconds = [before + own for own in found[title].seconds]
        found[title] = found[title]._replace(seconds=seconds)
    return found | {
        title: _curve_of_peer(folder / "peers" / f"{name}.jsonl")
        for title, name in KEPT_PEERS.items()
    }


def _test_of(run: Path, log: Path) -> dict[str, float]:
    import emkd_tf

    part = held_out(read_log(log), 1)
    frame = emkd_tf.open_run(run).recommend(part.histories, K)
    lists: list[list[str]] = [[] for _ in part.users]
    for history, item in frame.select("history", "item").iter_rows():
        lists[history].append(item)
    return metrics(lists, part.targets)


def of_a_peer(title: str, given: argparse.Namespace) -> Curve | None:
    """Trains a peer unless it exists; None if it was not asked for."""
    folder = given.output / "peers" / _name(title)
    if not list(folder.glob("*.jsonl")):
        python = given.recbole if title.startswith("RecBole") else given.rectools
        if not python or (given.only and title not in given.only):
            return None
        peers = Path(__file__).with_name("peers.py")
        command = [python, str(peers), f"--log={given.log}", *PEERS[title]]
        subprocess.run([*command, f"--output={folder}"], check=True)
    return _curve_of_peer(next(folder.glob("*.jsonl")))


def _curve_of_peer(path: Path) -> Curve:
    lines = _lines(path)
    validation = [line["validation"][f"NDCG@{K}"] for line in lines]
    best = validation.index(max(validation))
    seconds = [line["processor_seconds"] for line in lines]
    return Curve(seconds, validation, lines[best]["test"])


def _name(title: str) -> str:
    return title.lower().replace(" = ", "").replace(", ", "-").replace(" ", "-")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def table(curves: dict[str, Curve]) -> str:
    """Returns one row per model, best test first."""
    rows = [
        f"| {title} | {curve.validation[curve.best]:.4f} | {curve.test['NDCG@10']:.4f} "
        f"| {curve.test['HR@10']:.4f} | {curve.best + 1} of {len(curve.seconds)} "
        f"| {curve.seconds[curve.best]:.0f} | {curve.seconds[-1]:.0f} |\n"
        for title, curve in sorted(
            curves.items(), key=lambda pair: -pair[1].test["NDCG@10"]
        )
    ]
    return (
        "| model | validation NDCG@10 | test NDCG@10 | test HR@10 | best epoch "
        "| CPU seconds until then | in all |\n|---|---|---|---|---|---|---|\n"
        + "".join(rows)
    )


def draw(curves: dict[str, Curve], path: Path) -> None:
    """Draws validation against CPU seconds; other libraries are dashed."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "frontier"  # equal figures give equal files
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(10, 5), layout="constrained")
    ours = 0
    for title, curve in curves.items():
        is_peer = title in {**PEERS, **KEPT_PEERS}
        # There are ten colours; any further models of ours get a dash-dot line.
        style = "--" if is_peer else "-" if ours < 10 else "-."
        ours += not is_peer
        axes.plot(curve.seconds, curve.validation, style, label=title)
        axes.plot(curve.seconds[curve.best], curve.validation[curve.best], "k.")
    axes.set(xscale="log", xlabel="CPU seconds", ylabel=f"validation NDCG@{K}")
    figure.legend(fontsize="small", loc="outside right upper")
    axes.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kept", type=Path, help="folder of kept runs; trains nothing")
    parser.add_argument("--log", type=Path)
    parser.add_argument("--dataset", default="beauty")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--rectools", help="Python of its environment")
    parser.add_argument("--recbole", help="Python of its environment")
    parser.add_argument("--only", action="append", help="train no more than this one")
    parser.add_argument("--output", type=Path, default=Path("reports/frontier"))
    given = parser.parse_args()
    if not given.kept and not (given.log and given.data_dir):
        parser.error("give --kept, or --log and --data-dir to train")
    given.output.mkdir(parents=True, exist_ok=True)
    if given.kept:
        curves = of_kept(given.kept)
    else:
        found = {title: of_ours(title, given) for title in OURS}
        found |= {title: of_a_peer(title, given) for title in PEERS}
        curves = {title: curve for title, curve in found.items() if curve}
        (given.output / "frontier.md").write_text(table(curves))
    draw(curves, given.output / "frontier.svg")
    print(table(curves))


if __name__ == "__main__":
    main()
