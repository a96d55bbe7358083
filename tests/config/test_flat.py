"""Settings: ranges, unknown keys and the files of configs/."""

import importlib.util
import re
from pathlib import Path

import pytest

from emkd_tf.config import KEYS, Config, from_flat, to_flat
from emkd_tf.config.flat import nearest, nearest_flag
from emkd_tf.errors import InputError

TOOL = Path(__file__).resolve().parents[2] / "tools" / "settings_reference.py"


def test_defaults_are_the_papers_for_beauty():
    config = Config()
    assert (config.model.num_networks, config.objective.num_views) == (3, 8)
    assert (config.model.hidden_units, config.data.max_length) == (256, 15)
    assert (config.objective.temperature, config.model.dropout) == (0.3, 0.3)
    assert (config.training.epochs, config.training.batch_size) == (250, 256)


@pytest.mark.parametrize(
    ("key", "nearest"), [("temprature", "temperature"), ("num_view", "num_views")]
)
def test_an_unknown_key_names_the_nearest(key, nearest):
    with pytest.raises(InputError, match=f"`{key}`. Did you mean `{nearest}`"):
        from_flat({key: 1})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SASRec", "Did you mean `sasrec`?"),
        ("sasrek", "Did you mean `sasrec`?"),
        ("nope", "Known are: poprec, sasrec."),
    ],
)
def test_names_are_near_whatever_their_cases_and_not_for_a_few_letters(name, hint):
    assert nearest(name, ["sasrec", "poprec"]) == hint


def test_where_no_flag_is_near_the_help_has_all():
    assert nearest_flag("--lr", ["--l2", "--k"]) == "`--help all` lists all flags."
    assert nearest_flag("--sed", ["--seed"]) == "Did you mean `--seed`?"


def test_the_reference_is_made_of_the_sections():
    spec = importlib.util.spec_from_file_location("settings_reference", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    text = tool.REFERENCE.read_text()
    assert text == tool.reference(text), f"run python {TOOL}"
    keys = re.findall(r"^\| `(\w+)` \|", text, re.M)
    assert keys == list(KEYS)


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
