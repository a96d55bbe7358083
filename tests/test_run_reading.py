"""Files of a run: read, or refused in one line."""

import json

import pytest

from emkd_tf.errors import InputError
from emkd_tf.run_reading import read_epochs, reading, require_finished


@pytest.fixture
def run_dir(tmp_path):
    lines = [json.dumps({"epoch": epoch, "step": 10 * epoch}) for epoch in (1, 2)]
    (tmp_path / "history.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return tmp_path


def test_epochs_are_the_lines(run_dir):
    assert read_epochs(run_dir) == [{"epoch": 1, "step": 10}, {"epoch": 2, "step": 20}]


def test_a_model_that_is_not_trained_has_none(tmp_path):
    assert read_epochs(tmp_path) == []


@pytest.mark.parametrize("text", ['{"epoch": 3', '{"step": 30}\n', "7\n", "\n"])
def test_a_damaged_history_is_one_line(run_dir, text):
    with (run_dir / "history.jsonl").open("a") as file:
        file.write(text)
    with pytest.raises(InputError, match=r"history\.jsonl is missing or damaged\.$"):
        read_epochs(run_dir)


def test_a_line_that_is_being_written_is_left_out(run_dir):
    with (run_dir / "history.jsonl").open("a") as file:
        file.write('{"epoch": 3')
    epochs = read_epochs(run_dir, is_growing=True)
    assert [row["epoch"] for row in epochs] == [1, 2]


def test_an_error_of_the_library_that_reads_is_one_line(tmp_path):
    with (
        pytest.raises(InputError, match="x is missing or damaged"),
        reading(tmp_path / "x", ZeroDivisionError),
    ):
        1 / 0  # noqa: B018


def test_other_errors_pass(tmp_path):
    with pytest.raises(ZeroDivisionError), reading(tmp_path / "x"):
        1 / 0  # noqa: B018


def test_a_run_is_finished_with_its_metrics(tmp_path):
    with pytest.raises(InputError, match=r"is not finished: it has no metrics\.json"):
        require_finished(tmp_path)
    (tmp_path / "metrics.json").write_text("{}")
    require_finished(tmp_path)
