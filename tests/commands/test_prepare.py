"""`emkd prepare`, as a process prints it."""


def test_prepare_says_what_was_chosen_and_dropped(log, said, capsys):
    for _ in range(2):  # prepared, and opened
        text = said("prepare", "--interactions", log)
        for part in (
            "Columns: user = user_id, item = item_id, time = timestamp",
            "Columns not used: user, rating",
            f"First row dropped for no user: {log} line 50",
            "dropped rows: no user",
        ):
            assert part in text


def test_prepare_says_that_the_rows_are_the_order(log, said, capsys, tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("user,item\n" + "".join(f"u{n % 5},i{n % 6}\n" for n in range(60)))
    text = said("prepare", "--interactions", str(path))
    assert "No time column: the rows are taken to be in time order." in text
