"""Tables as text, read back."""

import re

from emkd_tf.evaluation.text_tables import TextTable, to_csv, to_latex, to_markdown

TABLE = TextTable(
    "50 % of a_b",
    ["run", "p", "x|y"],
    [["a_b & c", "<0.05", "1 ±2"], [r"\d~{e}^#$", "-", ""]],
)


def test_markdown_read_back():
    title, empty, *lines = to_markdown(TABLE).splitlines()
    assert (title, empty) == ("**50 % of a_b**", "")
    cells = [
        [
            cell.strip().replace(r"\|", "|")
            for cell in re.split(r"(?<!\\)\|", line)[1:-1]
        ]
        for line in lines
    ]
    assert [cells[0], *cells[2:]] == [TABLE.header, *TABLE.rows]
    assert cells[1] == ["---", "---:", "---:"]


def test_latex_read_back():
    text = to_latex(TABLE)
    assert r"\caption{50 \% of a\_b}" in text
    assert r"\begin{tabular}{lrr}" in text
    assert text.count(r"\begin") == text.count(r"\end") == 2
    body = text.replace("\\toprule", "").split(r"\begin{tabular}{lrr}")[1]
    body = body.split(r"\bottomrule")[0].replace("\\midrule", "")
    rows = [row.strip() for row in body.split(r" \\") if row.strip()]
    plain = {
        r"\textbackslash{}": "\\",
        r"\textasciitilde{}": "~",
        r"\textasciicircum{}": "^",
        **{rf"${sign}$": sign for sign in "<>"},
        r"$\pm$": "±",
        **{f"\\{sign}": sign for sign in "&%$#_{}"},
    }
    pattern = "|".join(re.escape(key) for key in plain)
    read = [
        [re.sub(pattern, lambda m: plain[m.group()], cell) for cell in row]
        for row in (re.split(r"(?<!\\) ?(?<!\\)& ?", row) for row in rows)
    ]
    read = [[cell.strip() for cell in row] for row in read]
    assert read == [TABLE.header, *TABLE.rows]


def test_csv_quotes_what_has_commas():
    table = TextTable("title", ["row", "users"], [["a", "22,363"], ['"b"', ""]])
    assert to_csv(table) == 'row,users\na,"22,363"\n"""b""",\n'
