"""What is searched: the spaces of all models, and mistakes in files of one's own."""

import optuna
import pytest
import yaml

from emkd_tf.config import from_flat, to_flat
from emkd_tf.config.flags import read_settings
from emkd_tf.config.model_table import MODELS, unread
from emkd_tf.errors import InputError
from emkd_tf.experiments.search_space import (
    FOLDER,
    Range,
    as_yaml,
    inside,
    read_space,
    suggest,
)


def config_of(model, *flags):
    return read_settings("emkd train", "", [f"--model={model}", *flags]).config


@pytest.mark.parametrize("model", sorted(set(MODELS) - {"poprec"}))
def test_what_is_drawn_for_a_model_are_settings_that_it_reads(model):
    config = config_of(model)
    space = read_space(config)
    assert not set(space) & unread(model)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        settings = suggest(study.ask(), space)
        assert list(settings) == list(space)
        found = from_flat({**to_flat(config), **settings})
        for key, value in settings.items():
            assert type(value) is type(to_flat(config)[key])
            assert to_flat(found)[key] == value


def test_what_another_task_reads_is_not_searched(tmp_path):
    next_item = config_of("emkd", "--preset=quick")
    assert "mask_probability" in read_space(config_of("emkd"))
    assert "mask_probability" not in read_space(next_item)
    file = tmp_path / "space.yaml"
    file.write_text("num_views: [1, 2]")
    with pytest.raises(InputError, match="of emkd with `task` next_item; leave it"):
        read_space(next_item, file)


def test_every_file_is_of_a_model():
    names = {path.stem for path in FOLDER.glob("*.yaml")}
    assert names - {"all"} < set(MODELS)
    assert len(names) == 12


def test_a_model_without_anything_to_search_says_so():
    with pytest.raises(InputError, match="nothing to search for poprec; give --space"):
        read_space(config_of("poprec"))


def test_null_leaves_a_setting_as_it_is():
    assert "num_blocks" in read_space(config_of("sasrec"))
    assert "num_blocks" not in read_space(config_of("gru4rec"))


def test_a_file_of_ones_own_takes_the_place_of_all(tmp_path):
    file = tmp_path / "space.yaml"
    ranges = {"low": 0, "high": 1, "log": False, "step": 0.25}
    file.write_text(yaml.safe_dump({"contrast_weight": ranges, "num_heads": [1, 2]}))
    space = read_space(config_of("emkd"), file)
    expected = {"contrast_weight": Range(0.0, 1.0, step=0.25), "num_heads": (1, 2)}
    assert space == expected
    assert as_yaml(space) == {"contrast_weight": ranges, "num_heads": [1, 2]}


def test_a_range_is_drawn_within_its_ends_and_steps():
    space = {
        "stepped": Range(0.0, 0.6, step=0.2),
        "whole": Range(2, 4),
        "log": Range(1e-4, 1.0, log=True),
    }
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [suggest(study.ask(), space) for _ in range(200)]
    assert {each["stepped"] for each in drawn} == {0.0, 0.2, 0.4, 0.6}
    assert {each["whole"] for each in drawn} == {2, 3, 4}
    logs = sorted(each["log"] for each in drawn)
    assert 1e-4 <= logs[0] < logs[-1] <= 1.0
    assert 1e-3 < logs[100] < 1e-1  # the median is the mean of the ends' logarithms
    assert len({f"{value:.4g}" for value in logs}) == len(set(logs))


def test_the_first_trial_has_what_lies_inside():
    space = {
        "in_steps": Range(0.0, 0.6, step=0.1),
        "between_steps": Range(0.0, 0.6, step=0.25),
        "below": Range(0.5, 0.6),
        "absent": Range(0.5, 0.6),
        "chosen": (1, 2),
        "other": (3, 4),
    }
    settings = dict.fromkeys(("in_steps", "between_steps", "below"), 0.3)
    settings |= {"absent": None, "chosen": 2, "other": 2}
    assert inside(space, settings) == {"in_steps": 0.3, "chosen": 2}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "must hold `setting: choices` lines"),
        ("dropuot: [0.1]", "`dropuot` cannot be searched. Did you mean"),
        ("seed: [1, 2]", "`seed` cannot be searched"),
        ("user_core: [1, 2]", "`user_core` cannot be searched"),
        ("num_views: [1, 2]", "`num_views` is not a setting of sasrec; leave it out"),
        ("dropout: 0.5", "`dropout` must be a list of choices, numbers or words, or {"),
        ("dropout: []", "`dropout` must be a list of choices"),
        ("dropout: [null]", "`dropout` must be a list of choices"),
        ("encoder: [[causal, gru], causal]", "`encoder` must be a list of choices"),
        ("dropout: {low: 0.1}", "`dropout` must be a list of choices"),
        ("dropout: {low: 0.5, high: 0.1}", "`dropout` must be a list of choices"),
        ("dropout: {low: 0.1, high: many}", "`dropout` must be a list of choices"),
        ("dropout: {low: 0, high: 0.5, log: true}", "`dropout` must be a list"),
        ("dropout: {low: 0.1, high: 0.5, step: -1}", "`dropout` must be a list"),
        ("num_blocks: {low: 1, high: 3, step: 0.5}", "`num_blocks` must be a whole"),
        ("steps: [100, 200]", "`steps` is read with `epochs` 0 alone; give --epochs 0"),
        ("dropout: {low: 0.1, high: 0.5, by: 2}", "`dropout` must be a list"),
        ("dropout: {low: 0.1, high: 1.5}", "`dropout` must be in [0, 1), got 1.5"),
        ("hidden_units: [8, wide]", "`hidden_units` must be a whole number"),
        ("{}", "There is nothing to search for sasrec"),
    ],
)
def test_mistakes_are_named(tmp_path, content, message):
    file = tmp_path / "space.yaml"
    file.write_text(content)
    with pytest.raises(InputError) as caught:
        read_space(config_of("sasrec"), file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_choices_that_do_not_fit_the_other_settings_are_left_out(tmp_path):
    """The published SASRec has a width of 50, which four heads do not divide."""
    config = config_of("sasrec", "--preset=paper")
    assert config.model.hidden_units == 50
    assert read_space(config)["num_heads"] == (1, 2)
    file = tmp_path / "space.yaml"
    file.write_text("num_heads: [1, 4]")
    with pytest.raises(InputError, match="must be a multiple of `num_heads` "):
        read_space(config, file)
