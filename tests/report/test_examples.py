"""The users that a report shows."""

import numpy as np

from emkd_tf.report.examples import choose


def test_half_of_them_have_a_hit(opened):
    histories, _ = opened
    targets = np.asarray(histories.targets("test"))
    lists = np.tile(np.where(targets == 1, 2, 1)[:, np.newaxis], (1, 2))
    lists[::4, 1] = targets[::4]
    other = np.zeros_like(lists)
    titles = {histories.item_ids()[0]: "The first"}
    found = choose({"one": lists, "other": other}, histories, titles, 6)
    assert len({example.user for example in found}) == 6
    hits = [any(item.is_hit for item in example.lists["one"]) for example in found]
    assert hits == [True] * 3 + [False] * 3
    users, names = histories.user_ids(), histories.item_ids()
    for example in found:
        user = users.index(example.user)
        begin, end = histories.offsets[user : user + 2]
        known = [names[item - 1] for item in histories.items[begin : end - 1]]
        assert [item.id for item in example.history] == known[-8:]
        assert example.earlier == len(known) - len(example.history)
        assert example.target.id == names[histories.items[end - 1] - 1]
        assert example.lists["other"] == []
        for item in (*example.history, *example.lists["one"]):
            assert item.title == ("The first" if item.id == names[0] else "")
    again = choose({"one": lists, "other": other}, histories, titles, 6)
    assert again == found


def test_without_hits_the_others_are_shown(opened):
    histories, _ = opened
    lists = np.zeros((len(histories.evaluated("test")), 3), np.int32)
    assert len(choose({"one": lists}, histories, {}, 4)) == 4
