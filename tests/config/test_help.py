"""Help pages: short ones, whole ones, and the defaults they show."""

import re
import sys

import pytest

from emkd_tf.config import KEYS
from emkd_tf.config.flags import read_settings, settings_parser
from emkd_tf.config.help import invoked_as


def shown(capsys, *arguments, command="train"):
    with pytest.raises(SystemExit) as ended:
        read_settings(f"emkd {command}", "What it does.", arguments)
    assert ended.value.code == 0
    return capsys.readouterr().out


def flags_of(text):
    return re.findall(r"^  (--[a-z0-9-]+)", text, re.M)


def test_a_short_page_has_the_main_settings_and_the_whole_one_all(capsys):
    short, whole = shown(capsys, "--help"), shown(capsys, "--help", "all")
    assert "usage: emkd train [--SETTING VALUE] ...\n\nWhat it does.\n" in short
    every = {f"--{key.replace('_', '-')}" for key in KEYS} | {"--preset", "--config"}
    assert set(flags_of(whole)) == every
    assert len(flags_of(whole)) == len(every)
    assert {"--dataset", "--epochs", "--recommend-seen"} < set(flags_of(short)) < every
    assert f"--help all shows all {len(every)} settings." in short
    assert max(map(len, (short + whole).splitlines())) <= 100


def default(text, flag):
    (entry,) = re.findall(rf"^  {flag} .*?(?=^  --|^$)", text, re.M | re.S)
    found = re.search(r"\[([^\[]*)\]\s*$", entry)
    return found and found.group(1)


def test_defaults_are_those_that_apply(capsys, tmp_path):
    sample = shown(capsys, "--preset", "paper", "-h")
    assert default(sample, "--dataset") == "sample"
    assert default(sample, "--epochs") == "20"
    toys = shown(capsys, "--dataset=toys", "--preset", "masked", "--help")
    assert default(toys, "--dataset") == "toys"
    assert default(toys, "--max-length") == "20"
    assert default(toys, "--hidden-units") == "64"
    file = tmp_path / "own.yaml"
    file.write_text("epochs: 7\n")
    own = shown(capsys, "--interactions=a/shop.csv", f"--config={file}", "--help")
    assert default(own, "--dataset") == "shop"
    assert default(own, "--epochs") == "7"
    assert default(own, "--export") == "true"
    assert default(own, "--name") is None


def test_what_the_tables_know_stands_with_the_settings(capsys):
    text = " ".join(shown(capsys, "--help", "all").split())
    assert "--model TEXT name of the model, see docs/models.md: emkd, sasrec, " in text
    assert "given to the networks in turn: bidirectional, causal, " in text
    assert "--recurrent-units N of encoder gru: width of the recurrent state" in text
    assert "--num-targets N of caser: [T] next items" in text
    assert "--item-loss NAME how a state learns its item" in text


def test_the_page_of_another_model_leaves_out_what_it_refuses(capsys):
    flags = set(flags_of(shown(capsys, "--model=caser", "--help", "all")))
    assert {"--window", "--num-targets"} <= flags
    assert not {"--memory-slots", "--distill", "--num-views"} & flags


def test_a_parser_of_few_settings_has_one_page(capsys):
    parser = settings_parser("emkd other", "Other.", ["epochs"])
    with pytest.raises(SystemExit):
        parser.parse(["--help"])
    text = capsys.readouterr().out
    assert flags_of(text) == ["--epochs"]
    assert "--help all" not in text


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("/usr/bin/emkd", "emkd train"),
        ("train.py", "python train.py"),
        ("/x/emkd_tf/__main__.py", "python -m emkd_tf train"),
    ],
)
def test_the_name_of_the_program(script, name, monkeypatch):
    monkeypatch.setattr(sys, "argv", [script])
    assert invoked_as("emkd train") == name
