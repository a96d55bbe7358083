"""The data's card and the way to make a run again."""

import dataclasses

from emkd_tf.report.cards import data_section, recipe
from emkd_tf.report.pictures import drawing


def test_the_card_tells_the_counts_and_what_was_dropped(files, opened):
    dataset = {
        **files.dataset,
        "dropped_rows": {"no user": 1234, "k-core": 0},
        "licence": "CC0",
        "split": {"name": "user", "test_share": 0.1},
    }
    with drawing():
        (table,) = data_section(dataset, opened[0]).tables
    card = dict(table.rows)
    assert card["users"] == f"{dataset['users']:,}"
    assert card["dropped rows"] == "1,234 (no user)"
    assert card["licence"] == "CC0"
    assert card["split"] == "name user, test_share 0.1"
    assert card["fingerprint of files and options"] == files.dataset["fingerprint"]


def test_a_run_says_how_it_was_made(files):
    made = recipe(files)
    facts = dict(made.facts.rows)
    assert facts["trained by"].startswith("train.py --preset=none --hidden-units=8")
    assert "tensorflow 2." in facts["packages"]
    assert facts["trained weights"] == f"{files.metrics['parameters']:,}"
    assert f"--config {files.path}/config.yaml --name tiny-again" in made.commands[0]
    assert made.settings == (files.path / "config.yaml").read_text()


def test_what_an_old_run_did_not_note_is_left_out(files):
    bare = dataclasses.replace(files, environment={"python": "3.11"})
    facts = dict(recipe(bare).facts.rows)
    assert facts["Python"] == "3.11"
    assert "devices" not in facts
