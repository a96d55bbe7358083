"""From command line to config: who wins, and what a typo gets."""

import pytest
import yaml

from emkd_tf.config import to_flat
from emkd_tf.errors import InputError
from emkd_tf.settings import read_settings


def read(*arguments):
    return read_settings("emkd train", "", arguments)[0]


def test_order_of_precedence(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("epochs: 5\nnum_views: 6\n")
    assert read("--dataset", "toys").data.max_length == 20
    assert read("--dataset=toys", "--preset=cpu").objective.num_views == 2
    from_file = read("--dataset=toys", "--preset=cpu", f"--config={file}")
    assert from_file.objective.num_views == 6
    assert from_file.model.hidden_units == 64
    flags = read(f"--config={file}", "--num-views=7", "--dataset=toys")
    assert (flags.objective.num_views, flags.training.epochs) == (7, 5)


def test_dashes_underscores_and_types():
    config = read("--learning-rate", "1e-2", "--num_views=3", "--export", "false")
    assert config.training.learning_rate == 0.01
    assert config.objective.num_views == 3
    assert config.run.export is False
    assert read("--name=a-b_c").run.name == "a-b_c"


def test_a_printed_config_gives_the_same_config(tmp_path):
    config = read("--dataset=ml-1m", "--preset=cpu", "--seed=4")
    assert read_settings("emkd train", "", ["--print-config"])[1] is True
    file = tmp_path / "printed.yaml"
    file.write_text(yaml.safe_dump(to_flat(config)))
    assert read(f"--config={file}") == config


def test_own_interactions_are_named_by_their_file_and_have_presets():
    config = read("--interactions=some/log.parquet", "--preset=cpu")
    assert config.data.dataset == "log"
    assert config.model.hidden_units == 64
    named = read("--interactions=log.csv", "--dataset=mine")
    assert named.data.dataset == "mine"


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
        (["--temperature=-1"], "`temperature` must be above 0, got -1.0"),
        (["extra"], "Unexpected argument `extra`"),
        (["--preset", "gpu"], "`preset` 'gpu' is not in sample.yaml"),
    ],
)
def test_mistakes_are_one_line(arguments, message):
    with pytest.raises(InputError) as caught:
        read(*arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_type_in_a_file_is_one_line(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("epochs: many\n")
    with pytest.raises(InputError, match="`epochs`: Expected whole number"):
        read(f"--config={file}")
