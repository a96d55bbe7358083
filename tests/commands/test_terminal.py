"""What commands print."""

from rich.table import Table

from emkd_tf.commands.terminal import show, show_text
from emkd_tf.evaluation.text_tables import TextTable


def test_ids_that_look_like_markup_are_ids(capsys):
    names = ["[unknown]", "[live] at x", "[/b]", "[bold]b[/bold]"]
    table = Table("item")
    for name in names:
        table.add_row(name)
    show(table)
    show_text(TextTable("[a]", ["row", "[b]"], [[name, "1"] for name in names]))
    said = capsys.readouterr().out
    for name in names:
        assert said.count(name) == 2
    assert "[a]" in said
