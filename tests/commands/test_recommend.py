"""`emkd recommend`: one list, files of lists."""

import polars as pl
import pytest

from emkd_tf.cli import main


def test_recommend_prints_unseen_items_with_awkward_ids(finished_run, capsys):
    arguments = ["recommend", f"--run={finished_run[0]}"]
    known = 'naïve café ☕,the "quoted",a|b'
    assert main([*arguments, f"--history={known},never seen", "--k=40"]) == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "Not in the training data, dropped: never seen",
        "The history leaves 37 items of 40.",
    ]
    assert "item 3" in printed.out
    assert "café" not in printed.out
    assert "quoted" not in printed.out
    assert main([*arguments, "--history=item 1", "--k=39"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert 'the "quoted"' in printed.out
    assert "naïve café ☕" in printed.out


def test_recommend_from_file_to_file(finished_run, tmp_path, capfd):
    run_dir = finished_run[0]
    source, output = tmp_path / "histories.csv", tmp_path / "lists.parquet"
    source.write_text('user,history\nnew,"item 1,?,item 2"\nnobody,\n')
    arguments = ["recommend", f"--run={run_dir}", f"--output={output}", "--k=4"]
    assert main([*arguments, f"--input={source}"]) == 0
    printed = capfd.readouterr()
    assert printed.out.startswith(
        f"{output}: 2 histories, 1 without a known item (popular items), 1 unknown"
    )
    assert "2 histories" in printed.err
    table = pl.read_parquet(output)
    assert table["user"].to_list() == ["new"] * 4 + ["nobody"] * 4
    assert main(arguments) == 0
    table = pl.read_parquet(output)
    assert table["user"].n_unique() == 60
    assert not table.join(
        pl.read_csv(finished_run[1]["interactions"]), on=["user", "item"]
    ).height


def test_the_input_is_not_written_over(finished_run, tmp_path, capsys):
    source = tmp_path / "histories.csv"
    source.write_text("user,history\nnew,item 1\n")
    output = tmp_path / "x" / ".." / "histories.csv"
    flags = [f"--run={finished_run[0]}", f"--input={source}", f"--output={output}"]
    assert main(["recommend", *flags]) == 2
    assert "is the file of --input; name another" in capsys.readouterr().err
    assert source.read_text().startswith("user,history")


def test_blanks_round_the_ids_of_a_history_are_no_part_of_them(finished_run, capsys):
    arguments = ["recommend", f"--run={finished_run[0]}"]
    lists = []
    for history in ("item 1,item 2", " item 1 ,  item 2 "):
        assert main([*arguments, f"--history={history}"]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        lists.append(printed.out)
    assert lists[0] == lists[1]


def test_blanks_between_ids_are_told_where_nothing_is_known(finished_run, capsys):
    arguments = ["recommend", f"--run={finished_run[0]}"]
    assert main([*arguments, "--history=item-1 item-2"]) == 0
    assert "',' separates the ids" in capsys.readouterr().err
    assert main([*arguments, "--history=item 1,item 77"]) == 0
    assert "separates the ids" not in capsys.readouterr().err


def test_users_who_come_twice_and_short_lists_are_counted(
    finished_run, tmp_path, capsys
):
    names = [f"item {i}" for i in range(37)]
    source, output = tmp_path / "histories.csv", tmp_path / "lists.csv"
    long = ",".join(names)
    source.write_text(f'user,history\na,item 1\nb,"{long}"\na," item 2 ,item 3"\n')
    arguments = ["recommend", f"--run={finished_run[0]}", f"--output={output}"]
    assert main([*arguments, f"--input={source}", "--k=5"]) == 0
    said = capsys.readouterr().out
    assert "3 histories, 0 without a known item" in said
    assert "1 lists shorter than asked for" in said
    assert "1 histories of a user with an earlier one" in said
    table = pl.read_csv(output)
    assert table["user"].to_list() == ["a"] * 5 + ["b"] * 3 + ["a"] * 5
    assert table["rank"].to_list() == [1, 2, 3, 4, 5, 1, 2, 3, 1, 2, 3, 4, 5]
    assert main([*arguments[:2], f"--history={long}", "--k=5"]) == 0
    assert "The history leaves 3 items of 5." in capsys.readouterr().err


@pytest.fixture(scope="module")
def with_commas(tmp_path_factory):
    """A run of a counted model whose ids hold commas, one of them long."""
    folder = tmp_path_factory.mktemp("commas")
    items = [f"item, {number}" for number in range(8)] + ["long, " + 9999 * "x"]
    log = folder / "log.csv"
    rows = [(f"u{u}", items[(u + t) % 9], t) for u in range(12) for t in range(6)]
    schema = ["user", "item", "time"]
    pl.DataFrame(rows, schema=schema, orient="row").write_csv(log)
    arguments = [f"--interactions={log}", f"--runs-dir={folder}", "--name=run"]
    arguments += [f"--cache-dir={folder}/cache", "--model=markov"]
    assert main(["train", *arguments]) == 0
    return folder / "run"


def test_a_history_joined_by_commas_where_ids_hold_them(with_commas, capsys):
    arguments = ["recommend", f"--run={with_commas}"]
    assert main([*arguments, "--history=item, 1,item, 2"]) == 0
    assert capsys.readouterr().err.splitlines()[:2] == [
        "Not in the training data, dropped: item, 1,item, 2",
        "In a history of this run '|' separates the ids.",
    ]
    assert main([*arguments, "--history=item, 1|item, 2", "--k=5"]) == 0
    assert capsys.readouterr().err == ""


def test_a_file_without_a_known_item_is_told(with_commas, tmp_path, capsys):
    source, output = tmp_path / "histories.csv", tmp_path / "lists.csv"
    source.write_text('user,history\na,"item, 1,item, 2"\n')
    arguments = [f"--run={with_commas}", f"--input={source}", f"--output={output}"]
    assert main(["recommend", *arguments]) == 0
    said = capsys.readouterr().err
    assert "No history has a known item" in said
    assert "ids are such as 'item, " in said
    assert "joined by '|' where a history is one text" in said
