"""The curves of a run and of its networks, and the charts that hold both."""

import re

import events
from tensorboard.plugins.custom_scalar import layout_pb2

from emkd_tf.board.group import Group


def write(folder, networks, **values):
    group = Group(folder, networks)
    group.write(3, {"validation/HR@10": 0.5, "loss/total": 2.0, **values})
    group.write(6, {"loss/total": 1.0})
    group.write_text("run", "| a | b |")
    group.close()


def test_a_network_has_the_tag_of_the_run(tmp_path):
    values = {
        **{"network_1/HR@10": 0.2, "network_2/HR@10": 0.4},
        **{"loss/network_1/next_item": 0.2, "loss/network_2/next_item": 0.4},
    }
    write(tmp_path, ["network_1", "network_2"], **values)
    assert events.scalars(tmp_path) == {
        "validation/HR@10": {3: 0.5},
        "loss/total": {3: 2.0, 6: 1.0},
    }
    for number, value in ((1, 0.2), (2, 0.4)):
        found = events.scalars(tmp_path / f"network_{number}")
        assert found.keys() == {"validation/HR@10", "loss/next_item"}
        for curve in found.values():
            assert abs(curve[3] - value) < 1e-7
    assert events.texts(tmp_path) == {"run": "| a | b |"}


def test_a_single_network_is_the_run(tmp_path):
    values = {"network_1/HR@10": 0.5, "loss/network_1/next_item": 2.0}
    write(tmp_path, ["network_1"], **values)
    assert set(events.scalars(tmp_path)) == {"validation/HR@10", "loss/total"}
    assert all(path.is_file() for path in tmp_path.iterdir())


def test_every_curve_is_in_one_chart(tmp_path):
    write(tmp_path, [])
    (layout,) = [
        layout_pb2.Layout.FromString(value.tensor.string_val[0])
        for _, value in events.summaries(tmp_path)
        if value.metadata.plugin_data.plugin_name == "custom_scalars"
    ]
    charts = {
        chart.title: tag
        for category in layout.category
        for chart in category.chart
        for tag in chart.multiline.tag
    }
    for curve in (
        *("validation/NDCG@10", "validation/HR@5", "validation/cross_entropy"),
        *("loss/total", "loss/masked_item", "divergence/1-2", "overlap/1-3"),
        *("learning_rate", "examples_per_second", "memory/host"),
    ):
        assert [t for t, tag in charts.items() if re.fullmatch(tag, curve)], curve
    assert not re.fullmatch(charts["terms"], "loss/total")
