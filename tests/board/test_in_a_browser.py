"""TensorBoard's views of a finished run, as a browser shows them."""

import json

import browser
import events
import pytest
import screenshots

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.missing() is not None, reason=str(browser.missing())),
]


@pytest.fixture(scope="module")
def texts(finished_run):
    """Returns a function that opens a view and reads its texts."""
    with (
        screenshots.tensorboard(finished_run[0]) as address,
        browser.browser(1300, 900) as driver,
    ):

        def read(view, awaited, query=""):
            screenshots.open_view(driver, f"{address}/{query}#{view}", awaited)
            return screenshots.texts_of(driver)

        yield read


def test_hparams_have_the_metrics_of_the_run(texts, finished_run):
    shown = texts("hparams", "batch_size")
    metrics = json.loads((finished_run[0] / "metrics.json").read_text())
    assert format(metrics["validation"]["NDCG@10"], "#.5g") in shown
    assert "dropout" in shown


def test_a_chart_ends_with_the_value_that_was_written(texts, finished_run):
    shown = texts("timeseries", "overlap", "?tagFilter=overlap")
    row = shown.index("tiny", shown.index("Smoothed"))
    _, _, value, step = shown[row : row + 4]
    written = events.scalars(finished_run[0] / "logs")["overlap/1-2"]
    last = max(written)
    assert int(step.replace(",", "")) == last
    assert float(value) == pytest.approx(written[last], rel=1e-3)  # as it is rounded
    assert written[last] > 0.1


def test_run_and_networks_are_in_one_chart(texts):
    shown = texts("custom_scalars", "Quality of the run")
    for name in ("validation/NDCG@10", "network_1", "network_2"):
        assert any(name in text for text in shown), name


def test_the_projector_has_a_point_for_each_item(texts):
    shown = texts("projector", "Points:")
    assert shown[shown.index("Points:") + 1] == "40"
    assert "main_attribute" in shown
