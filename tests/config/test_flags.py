"""From command line to config: who wins, and what a typo gets."""

import pytest
import yaml

from emkd_tf.cli import main
from emkd_tf.config import to_flat
from emkd_tf.config.files import layered
from emkd_tf.config.flags import read_settings
from emkd_tf.config.model_table import MODELS
from emkd_tf.errors import InputError


def read(*arguments):
    return read_settings("emkd train", "", arguments).config


def test_order_of_precedence(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("epochs: 5\nnum_views: 6\n")
    assert read("--dataset", "toys", "--preset=paper").data.max_length == 20
    assert read("--dataset=toys", "--preset=masked").objective.num_views == 2
    from_file = read("--dataset=toys", "--preset=masked", f"--config={file}")
    assert from_file.objective.num_views == 6
    assert from_file.model.hidden_units == 64
    by_flag = read(f"--config={file}", "--num-views=7", "--dataset=toys")
    assert (by_flag.objective.num_views, by_flag.training.epochs) == (7, 5)


def test_dashes_underscores_and_types():
    config = read("--learning-rate", "1e-2", "--num_views=3", "--export", "false")
    assert config.training.learning_rate == 0.01
    assert config.objective.num_views == 3
    assert config.run.export is False
    assert read("--name=a-b_c").run.name == "a-b_c"


def test_a_printed_config_gives_the_same_config(tmp_path):
    config = read("--dataset=ml-1m", "--preset=masked", "--seed=4")
    assert read_settings("emkd train", "", ["--print-config"]).is_print
    file = tmp_path / "printed.yaml"
    file.write_text(yaml.safe_dump(to_flat(config)))
    assert read(f"--config={file}") == config


def test_own_interactions_are_named_by_their_file_and_have_presets():
    config = read("--interactions=some/log.parquet", "--preset=masked")
    assert config.data.dataset == "log"
    assert config.model.hidden_units == 64
    named = read("--interactions=log.csv", "--dataset=mine")
    assert named.data.dataset == "mine"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        *(("log.csv.gz", "log"), ("a/reviews_5.json.GZ", "reviews_5")),
        *(("log.tsv.zst", "log"), ("log.gz", "log"), ("shop.v2.csv", "shop.v2")),
        *(("shop.v2.inter.zstd", "shop.v2"), ("days.parquet/", "days")),
        (f"{120 * 'x'}.csv", 100 * "x"),
        (f"{99 * 'x'}é.csv", 99 * "x"),  # no half of a letter
    ],
)
def test_a_log_is_named_without_its_endings(file, name):
    assert read(f"--interactions={file}").data.dataset == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--nun-views", "3"],
            "Unknown flag `--nun-views`. Did you mean `--num-views`",
        ),
        (["--num-views", "x"], "`num_views`: Expected whole number. Got value: x"),
        (["--dropout", "much"], "`dropout`: Expected number. Got value: much"),
        (["--export", "maybe"], "`export`: Expected true or false"),
        (
            ["--schedule=step"],
            "`schedule` must be one of constant, linear, cosine,",
        ),
        (["--protocol", "some"], "`protocol` must be one of unseen, window, all, got"),
        (
            ["--model=poprec", "--epochs=3"],
            "`epochs` is not a setting of poprec, which",
        ),
        (["--temperature=-1"], "`temperature` must be above 0, got -1.0"),
        (["extra"], "Unexpected argument `extra`"),
        (["--name", "-x"], "; a value that begins with - is written --name=VALUE"),
        (["--preset", "gpu"], "`preset` 'gpu' is not a preset of emkd"),
    ],
)
def test_mistakes_are_one_line(arguments, message):
    with pytest.raises(InputError) as caught:
        read(*arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_stands_alone_is_said_how_to_give(tmp_path):
    log, run = tmp_path / "log.csv", tmp_path / "run"
    log.touch()
    run.mkdir()
    (run / "config.yaml").touch()
    for word, way in [
        (log, f"a log is given as --interactions {log}"),
        (run, f"a run is given as --run {run}"),
        ("extra", "settings are given as --name VALUE"),
    ]:
        with pytest.raises(InputError) as caught:
            read(str(word))
        assert str(caught.value) == f"Unexpected argument `{word}`; {way}."


def test_a_wrong_type_in_a_file_is_one_line(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("epochs: many\n")
    with pytest.raises(InputError, match="`epochs`: Expected whole number"):
        read(f"--config={file}")


def test_a_counted_model_takes_the_flags_of_all_runs():
    config = read("--model=markov", "--seed=3", "--resume=never", "--k=7")
    assert (config.training.seed, config.training.resume) == (3, "never")


def test_a_model_brings_its_settings_and_refuses_those_it_does_not_read(tmp_path):
    config = read("--model=sasrec", "--dataset=beauty", "--dropout", "0.1")
    assert (config.model.model, config.model.num_blocks) == ("sasrec", 1)
    assert (config.model.dropout, config.training.beta_2) == (0.1, 0.98)
    file = tmp_path / "c.yaml"
    file.write_text(yaml.safe_dump(to_flat(config)))
    assert read(f"--config={file}") == config
    with pytest.raises(
        InputError, match="`num_views` is not a setting of sasrec, but of"
    ):
        read("--model", "sasrec", "--num-views", "3")
    with pytest.raises(InputError, match="`num_views` is read with `task` masked_item"):
        chosen("--num-views", "3")
    with pytest.raises(InputError, match="`rows` is read with `task` next_item alone"):
        read("--preset", "paper", "--rows", "whole")
    assert chosen("--preset=masked", "--num-views=3").config.objective.num_views == 3
    with pytest.raises(InputError, match=r"`sasrek`\. Did you mean `sasrec`"):
        read("--model", "sasrek")


def chosen(*arguments):
    return read_settings("emkd train", "", arguments, is_training=True)


def test_a_training_that_asks_for_no_preset_has_the_models_own():
    expected = layered("beauty", "quick", [])
    flat = to_flat(chosen("--dataset=beauty").config)
    assert {key: flat[key] for key in expected} == expected
    assert chosen("--dataset=beauty").unasked == "quick"
    assert chosen("--interactions=mine.csv", "--epochs=3").config.training.epochs == 3
    assert chosen("--dataset=beauty", "--model=sasrec").unasked is None


def test_what_was_asked_for_is_taken(tmp_path):
    paper = to_flat(read_settings("emkd train", "", ["--dataset=beauty"]).config)
    for preset in ("paper", "none"):
        asked = chosen("--dataset=beauty", f"--preset={preset}")
        assert (to_flat(asked.config), asked.unasked) == (paper, None)
    file = tmp_path / "own.yaml"
    file.write_text("epochs: 7\n")
    assert chosen("--dataset=beauty", f"--config={file}").unasked is None


@pytest.mark.parametrize("model", [m for m in MODELS if MODELS[m].preset])
def test_a_model_with_a_preset_of_its_own_has_it_and_the_published_one(model):
    for preset in (MODELS[model].preset, "paper"):
        layered("own", preset, [], model)


def test_a_preset_that_nobody_asked_for_is_said_on_standard_output(capsys, tmp_path):
    assert main(["train", "--interactions", str(tmp_path / "none.csv")]) == 2
    out, error = capsys.readouterr()
    assert out.startswith("Preset quick; --preset paper trains with the published")
    assert error.count("\n") == 1


def test_steps_decide_the_length_where_epochs_are_not_given():
    assert read("--model=sasrec", "--preset=smoke").training.epochs == 2
    found = read("--model=sasrec", "--preset=smoke", "--steps=30").training
    assert (found.epochs, found.steps) == (0, 30)
    found = read("--model=sasrec", "--steps=30", "--epochs=3").training
    assert (found.epochs, found.steps) == (3, 30)
