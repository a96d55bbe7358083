"""What is in TensorBoard's event files."""

import tensorflow as tf


def summaries(folder):
    """Yields (step, value) of a folder's own event files."""
    for path in sorted(folder.glob("events.*")):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                yield event.step, value


def scalars(folder):
    """Returns the values of a folder's own event files by tag and step."""
    found = {}
    for step, value in summaries(folder):
        if value.metadata.plugin_data.plugin_name == "scalars":
            number = float(tf.make_ndarray(value.tensor))
            found.setdefault(value.tag, {})[step] = number
    # A tag's plugin is named once.
    return found


def texts(folder):
    """Returns the texts by tag."""
    return {
        value.tag: tf.make_ndarray(value.tensor).item().decode()
        for _, value in summaries(folder)
        if value.metadata.plugin_data.plugin_name == "text"
    }
