"""The files of configs/ and files of the user's own."""

import pytest

from emkd_tf.config import KEYS, Config, from_flat
from emkd_tf.config.files import CONFIGS_DIR, layered, read_yaml
from emkd_tf.config.model_table import MODELS, unread
from emkd_tf.errors import InputError

DATASETS = ("beauty", "ml-1m", "own", "sample", "toys", "unheard-of")


def file_of(model):
    """What the file of a model says; a model needs none."""
    path = CONFIGS_DIR / "models" / f"{model}.yaml"
    return read_yaml(path) if path.exists() else {}


def group_of(values):
    """The settings that a file's presets and datasets hold, and its own."""
    groups, found = [values], set()
    while groups:
        group = groups.pop()
        for key, value in group.items():
            if key in ("presets", "datasets"):
                groups += value.values()
            else:
                found.add(key)
    return found


def test_a_dataset_file_says_what_is_true_of_the_data():
    files = sorted((CONFIGS_DIR / "datasets").glob("*.yaml"))
    assert [f.stem for f in files] == ["beauty", "ml-1m", "sample", "toys"]
    for file in files:
        assert {KEYS[key] for key in group_of(read_yaml(file))} == {"data"}


@pytest.mark.parametrize("model", MODELS)
def test_the_file_of_a_model_holds_what_it_reads(model):
    assert not group_of(file_of(model)) & unread(model)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_preset_loads_on_every_dataset(dataset, model):
    for preset in (None, "smoke", *file_of(model).get("presets", {})):
        values = layered(dataset, preset, [], model)
        from_flat(values)
        assert not values.keys() & unread(model)


def test_the_papers_settings_and_those_for_cpus():
    assert from_flat(layered("beauty", None, [])) == Config()
    assert from_flat(layered("ml-1m", None, [])).objective.temperature == 1.0
    assert from_flat(layered("beauty", "masked", [])).model.hidden_units == 64
    assert from_flat(layered("sample", "masked", [])) == from_flat(
        layered("sample", None, [])
    )


def test_a_model_keeps_what_is_true_of_the_data_and_no_setting_of_emkd():
    on_movies = from_flat(layered("ml-1m", None, [], "sasrec"))
    assert on_movies.data.item_core == 0  # of the dataset's file
    assert on_movies.data.max_length == 200  # of the model's, on this dataset
    assert on_movies.model.num_heads == 1  # of the model's, not EMKD's on this dataset
    assert from_flat(layered("beauty", "ensemble", [], "sasrec")).objective.distillation


def write(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return path


BAD_FILES = {
    "key: [1": "line 1 is not valid YAML|line 2 is not valid YAML",
    "- a\n- b\n": "must hold `key: value` lines",
    "num_viws: 3\n": "unknown key `num_viws`. Did you mean `num_views`",
    "x: !!python/object/apply:os.system ['touch /tmp/emkd-was-here']": "not valid YAML",
    "seed: 1\nepochs: 2\nseed: 3\n": "line 3 has the key `seed` again",
    "presets: {1: {seed: 1}, '1': {seed: 2}}": "line 1 has the key `1` again",
    "since: 2024-13-45": "not valid YAML",
}


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_bad_file_is_one_line(tmp_path, text):
    with pytest.raises(InputError, match=BAD_FILES[text]) as caught:
        layered("sample", None, [write(tmp_path, text)])
    assert "c.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_merged_key_may_be_overridden(tmp_path):
    text = "presets: {a: &a {seed: 1, epochs: 2}, b: {<<: *a, seed: 3}}"
    presets = read_yaml(write(tmp_path, text))["presets"]
    assert presets["b"] == {"seed": 3, "epochs": 2}


def test_missing_files_and_presets(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        layered("sample", None, [tmp_path / "none.yaml"])
    with pytest.raises(
        InputError, match=r"not a preset of emkd\. Did you mean `smoke`"
    ):
        layered("sample", "smok", [])


def test_later_files_win(tmp_path):
    first = write(tmp_path, "epochs: 3\nseed: 5\n")
    second = tmp_path / "d.yaml"
    second.write_text("epochs: 4\n")
    merged = layered("sample", "smoke", [first, second])
    assert (merged["epochs"], merged["seed"], merged["hidden_units"]) == (4, 5, 16)


def test_dates_are_texts(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("since: 2024-01-31\nuntil: 2024-02-01 12:00:00\n")
    assert read_yaml(path) == {"since": "2024-01-31", "until": "2024-02-01T12:00:00"}
