"""Settings: ranges, unknown keys and the files of configs/."""

import pytest
import yaml

from emkd_tf.config import KEYS, Config, from_flat, to_flat
from emkd_tf.config_files import CONFIGS_DIR, read_yaml
from emkd_tf.errors import InputError


def test_defaults_are_the_papers_for_beauty():
    config = Config()
    assert (config.model.num_networks, config.objective.num_views) == (3, 8)
    assert (config.model.hidden_units, config.data.max_length) == (256, 15)
    assert (config.objective.temperature, config.model.dropout) == (0.3, 0.3)
    assert (config.training.epochs, config.training.batch_size) == (250, 256)
    assert to_flat(config) == to_flat(from_flat(read_yaml_of("beauty")))


def read_yaml_of(name):
    values = read_yaml(CONFIGS_DIR / f"{name}.yaml")
    values.pop("presets", None)
    return {**values, "dataset": "sample"}


@pytest.mark.parametrize(
    ("key", "nearest"), [("temprature", "temperature"), ("num_view", "num_views")]
)
def test_an_unknown_key_names_the_nearest(key, nearest):
    with pytest.raises(InputError, match=f"`{key}`. Did you mean `{nearest}`"):
        from_flat({key: 1})


def test_the_reference_lists_every_key_with_its_default():
    lines = (CONFIGS_DIR.parent / "docs" / "configuration.md").read_text().splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| `")]
    listed = {row[0].strip("|` "): row[1].strip() for row in rows}
    defaults = {
        key: "" if value is None else yaml.safe_dump(value).split("\n")[0]
        for key, value in to_flat(Config()).items()
    }
    assert {k: yaml.safe_load(v) for k, v in listed.items()} == {
        k: yaml.safe_load(v) for k, v in defaults.items()
    }


def test_flat_and_back():
    config = from_flat({"num_views": 3, "dataset": "toys", "export": False})
    assert from_flat(to_flat(config)) == config
    assert list(to_flat(config)) == list(KEYS)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("epochs", "many", "a whole number below 2^31"),
        ("epochs", 1.5, "a whole number below 2^31"),
        ("epochs", True, "a whole number below 2^31"),
        ("epochs", 2**31, "a whole number below 2^31"),
        ("epochs", None, "a whole number below 2^31"),
        ("dropout", float("nan"), "a finite number"),
        ("learning_rate", float("inf"), "a finite number"),
        ("export", "yes", "true or false"),
        ("dataset", 5, "text"),
        ("name", 5, "text"),
    ],
)
def test_a_value_of_another_type_is_refused(key, value, rule):
    with pytest.raises(InputError) as caught:
        from_flat({key: value})
    assert str(caught.value) == f"`{key}` must be {rule}, got {value!r}."


def test_what_fits_a_type_is_taken():
    config = from_flat({"name": None, "learning_rate": 1, "export": False})
    assert (config.run.name, config.training.learning_rate) == (None, 1)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0", "a\nb", "x" * 101])
def test_names_of_folders(name):
    for key in ("name", "dataset"):
        with pytest.raises(InputError, match=f"`{key}` must be a plain folder name"):
            from_flat({key: name})
