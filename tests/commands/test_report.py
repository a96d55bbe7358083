"""`emkd report` as a user meets it."""

import pytest

from emkd_tf.cli import main


def test_a_page_under_reports_with_the_attributes_titles(
    finished_run, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    titles = tmp_path / "titles.csv"
    rows = "".join(f"item {i},Thing {i}\n" for i in range(37))
    titles.write_text("item,title\n" + rows)
    run = finished_run[0]
    assert main(["report", f"--run={run}", f"--titles={titles}", "--k=3"]) == 0
    page = tmp_path / "reports" / "tiny" / "report.html"
    pictures = len(list(page.parent.glob("*.png")))
    shown = capsys.readouterr().out
    assert shown == f"reports/tiny/report.html, and {pictures} pictures beside it\n"
    text = page.read_text()
    assert "Thing 1" in text
    assert "The best 3 items of every test user" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "`emkd report` needs --run RUN"),
        (["--run=nowhere"], "nowhere is not a run directory"),
        (["--run={run}", "--run={run}"], "is given twice; give every run once"),
        (["--run={run}", "--metric=AUC"], "`metric` must be one of HR@5"),
        (["--run={run}", "--k=0"], "`k` must be at least 1, got 0"),
        (["--run={run}", "--titles=none.csv"], "none.csv does not exist"),
        (["--run={run}", "--titles={log}"], "has no column of titles"),
    ],
)
def test_mistakes_are_one_line(arguments, message, finished_run, tiny_log, capsys):
    filled = [a.format(run=finished_run[0], log=tiny_log) for a in arguments]
    assert main(["report", *filled]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
