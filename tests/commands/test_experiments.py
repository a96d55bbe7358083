"""`emkd experiments`: what it lists, plans and refuses."""

import pytest

from emkd_tf.cli import main


def test_the_list_names_the_tables(said):
    text = said("experiments", "list")
    words = " ".join(text.split())
    assert "table4 What each part is worth (Du et al. 2023, table 4)" in words
    assert max(map(len, text.splitlines())) < 80
    assert said("experiments") == text


def test_a_plan_says_what_is_left(said, tmp_path):
    runs = f"--runs-dir={tmp_path}"
    text = said("experiments", "show", "table4", "--dataset=sample", "--seeds=2", runs)
    assert "sample, 9 rows, 18 trainings" in text
    assert text.count("  new      ") == 18
    assert text.endswith("Left: 18 trainings\n")


def test_a_report_without_runs_says_so(said, tmp_path):
    flags = ("--dataset=sample", f"--runs-dir={tmp_path}", f"--output={tmp_path}")
    text = said("experiments", "report", "table4", *flags)
    assert text.count("not run") == 18
    assert "Not run: EMKD x3" in (tmp_path / "table4-sample.md").read_text()


def test_a_log_of_ones_own_has_its_name_and_stands_in_the_command(said, tmp_path):
    mine, log = tmp_path / "mine.yaml", tmp_path / "shop.csv"
    mine.write_text("rows: {a: {model: sasrec}}\n")
    log.write_text("user,item\n")
    flags = (f"--interactions={log}", f"--runs-dir={tmp_path}", f"--output={tmp_path}")
    said("experiments", "report", str(mine), *flags)
    page = (tmp_path / "mine-shop.md").read_text()
    command = f"run {mine} --dataset=shop --interactions={log} --seeds=1"
    assert f"    emkd experiments {command}\n" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rum", "table4"], "can list, show, run or report, not 'rum'"),
        (["run"], "needs a NAME"),
        (["run", "tabel4"], "no experiment `tabel4`. Did you mean `table4`"),
        (["run", "table4", "table5"], "takes one NAME, not also table5."),
        (["run", "table4", "--seeds=0"], "`seeds` must be at least 1"),
        (["run", "table4", "--budget=soon"], "`budget` must be a time such as 90m"),
    ],
)
def test_mistakes_are_one_line(arguments, message, capsys):
    assert main(["experiments", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_counts_are_files_too(said, tmp_path, cache):
    mine = tmp_path / "mine.yaml"
    mine.write_text("title: Ours\nkind: counts\ndatasets: [sample]\nnote: A note.\n")
    flags = (f"--cache-dir={cache}", f"--output={tmp_path / 'out'}")
    said("experiments", "show", str(mine), *flags)
    assert not (tmp_path / "out").exists()
    said("experiments", "report", str(mine), *flags)
    page = (tmp_path / "out" / "mine.md").read_text()
    assert page.startswith(f"# Ours\n\n    emkd experiments report {mine}\n\nA note.")
    assert "| sample, users | 2,000 |" in page
    lines = (tmp_path / "out" / "mine.csv").read_text().splitlines()
    assert lines[1] == '"sample, users","2,000",'
    assert (tmp_path / "out" / "mine.tex").read_text().startswith(r"\begin{table}")


def test_a_log_of_ones_own_is_not_beside_the_published_values(said, tmp_path):
    log = tmp_path / "beauty.csv"
    log.write_text("user,item\n")
    flags = (f"--interactions={log}", f"--runs-dir={tmp_path}", f"--output={tmp_path}")
    assert "published" not in said("experiments", "report", "table4", *flags)
    assert "0.0594" not in (tmp_path / "table4-beauty.md").read_text()


def test_counts_of_a_log_are_its_own(said, tmp_path, tiny_log, cache):
    flags = (f"--interactions={tiny_log}", f"--cache-dir={cache}")
    text = said("experiments", "show", "table2", *flags)
    assert text.count("users ") == 1
    assert "tiny, users" in text
    assert "22,363" not in text


def test_a_preset_of_the_command_line_takes_the_place_of_the_note(said, tmp_path):
    flags = ("--dataset=sample", f"--runs-dir={tmp_path}", f"--output={tmp_path}")
    page = tmp_path / "table3-sample.md"
    said("experiments", "report", "table3", *flags)
    assert "all systems but EMKD have preset `fair`" in page.read_text()
    said("experiments", "report", "table3", *flags, "--preset=smoke")
    assert "preset `fair`:" not in page.read_text()
    assert "\nAll rows have preset `smoke` (--preset).\n" in page.read_text()


@pytest.mark.parametrize("flag", ["--output", "--runs-dir"])
@pytest.mark.parametrize("folder", ["afile", "/proc/x"])
def test_a_folder_that_cannot_be_written_is_found_first(flag, folder, tmp_path, capsys):
    (tmp_path / "afile").touch()
    flags = {f"--{name}": tmp_path / name for name in ("output", "runs-dir")}
    flags[flag] = tmp_path / folder  # which an absolute one replaces
    mine = tmp_path / "mine.yaml"
    mine.write_text("rows: {a: {model: poprec}}\n")
    arguments = [f"{name}={value}" for name, value in flags.items()]
    assert main(["experiments", "run", str(mine), *arguments]) == 2
    said = capsys.readouterr()
    assert f"{flags[flag]} cannot be written (" in said.err
    assert f"choose another {flag}.\n" in said.err
    assert "done" not in said.out


def test_a_report_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "afile").touch()
    flags = ["--dataset=sample", f"--runs-dir={tmp_path}"]
    for name in ("figure5", "table4"):
        arguments = ["report", name, *flags, f"--output={tmp_path / 'afile'}"]
        assert main(["experiments", *arguments]) == 2
        error = capsys.readouterr().err
        assert error.endswith("choose another --output.\n")
        assert error.count("\n") == 1
