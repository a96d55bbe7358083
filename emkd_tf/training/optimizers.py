"""Optimizers: Adam, an Adam that only touches a step's rows, and any other by name."""

from __future__ import annotations

import inspect
import warnings

import tensorflow as tf

from emkd_tf.config import nearest
from emkd_tf.errors import InputError
from emkd_tf.training.schedules import Schedule

_ADDONS = "Addons>"


@tf.keras.utils.register_keras_serializable("emkd_tf")
class Adam(tf.keras.optimizers.Adam):
    """Keras' Adam, each variable in one kernel.

    Keras updates with ten element-wise operations, which read and write weights,
    gradients and moments ten times; TensorFlow has the same update as one operation.

    Source: Kingma and Ba 2015. Departure: none.
    """

    def _deduplicate_sparse_grad(self, grads: list) -> list:
        # Keras first sums what belongs to one row; making it dense does that too.
        return [tf.convert_to_tensor(gradient) for gradient in grads]

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        if self.amsgrad:
            super().update_step(gradient, variable)
            return
        slot = self._index_dict[self._var_key(variable)]
        step = tf.cast(self.iterations + 1, variable.dtype)
        beta_1, beta_2 = (
            tf.cast(beta, variable.dtype) for beta in (self.beta_1, self.beta_2)
        )
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[slot].handle,
            v=self._velocities[slot].handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(self.learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=gradient,
        )


@tf.keras.utils.register_keras_serializable("emkd_tf")
class LazyAdam(Adam):
    """Adam that updates a table's rows, and their moments, only where a step has a
    gradient for them.

    The work of a step depends on the rows that it uses, not on the size of the table.
    The moments of the other rows stay as they are instead of decaying; bias correction
    counts all steps.

    Source: TensorFlow Addons' LazyAdam. Departure: none.
    """

    def _deduplicate_sparse_grad(self, grads: list) -> list:
        return super(Adam, self)._deduplicate_sparse_grad(grads)

    def update_step(
        self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable
    ) -> None:
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable)
            return
        if self.amsgrad:
            raise NotImplementedError("LazyAdam has no amsgrad.")
        # What belongs to one row has been summed, so no row appears twice.
        values, rows = gradient.values, gradient.indices
        slot = self._index_dict[self._var_key(variable)]
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = (tf.cast(beta, dtype) for beta in (self.beta_1, self.beta_2))

        def averaged(moment: tf.Variable, beta: tf.Tensor, new: tf.Tensor) -> tf.Tensor:
            handle = moment.handle
            old = tf.raw_ops.ResourceGather(resource=handle, indices=rows, dtype=dtype)
            average = beta * old + (1 - beta) * new
            tf.raw_ops.ResourceScatterUpdate(
                resource=handle, indices=rows, updates=average
            )
            return average

        mean = averaged(self._momentums[slot], beta_1, values)
        square = averaged(self._velocities[slot], beta_2, tf.square(values))
        correction = tf.sqrt(1 - tf.pow(beta_2, step)) / (1 - tf.pow(beta_1, step))
        rate = tf.cast(self.learning_rate, dtype) * correction
        change = rate * mean / (tf.sqrt(square) + tf.cast(self.epsilon, dtype))
        tf.raw_ops.ResourceScatterSub(
            resource=variable.handle, indices=rows, updates=change
        )


OPTIMIZERS = {"adam": Adam, "lazy_adam": LazyAdam}
_Optimizer = tf.keras.optimizers.Optimizer
_LegacyOptimizer = tf.keras.optimizers.legacy.Optimizer  # those of TensorFlow Addons


def optimizer_class(name: str) -> type:
    """Finds an optimizer: one of `OPTIMIZERS`, or any that Keras knows by name.

    Raises:
        InputError: there is none of this name, or its package is not installed.
    """
    if name in OPTIMIZERS:
        return OPTIMIZERS[name]
    if name.startswith(_ADDONS):
        _import_addons(name)
    found = tf.keras.utils.get_registered_object(name)
    found = found or getattr(tf.keras.optimizers, name, None)
    if isinstance(found, type) and issubclass(found, (_Optimizer, _LegacyOptimizer)):
        return found
    known = [n for n, v in vars(tf.keras.optimizers).items() if isinstance(v, type)]
    hint = nearest(name, [*OPTIMIZERS, *known])
    raise InputError(f"`optimizer`: Keras has no optimizer named {name!r}. {hint}")


def make_optimizer(
    name: str,
    learning_rate: float | Schedule,
    weight_decay: float = 0.0,
    beta_2: float = 0.999,
) -> tf.keras.optimizers.Optimizer:
    """Makes an optimizer by name.

    Args:
        name: see `optimizer_class`.
        learning_rate: > 0, or its schedule.
        weight_decay: for optimizers that have one, in their own terms.
        beta_2: decay of the second moments, for those that have them.

    Raises:
        InputError: see `optimizer_class`; or it does not take these two settings.
    """
    cls = optimizer_class(name)
    settings = {"learning_rate": learning_rate}
    decay = inspect.signature(cls).parameters.get("weight_decay")
    if weight_decay or (decay and decay.default is decay.empty):
        settings["weight_decay"] = weight_decay
    if beta_2 != 0.999 and "beta_2" in inspect.signature(cls).parameters:
        settings["beta_2"] = beta_2
    try:
        return cls(**settings)
    except TypeError as error:
        given = " and ".join(f"`{key}`" for key in settings)
        raise InputError(
            f"`optimizer` {name} cannot be made from {given} ({error})."
        ) from None


def create_slots(
    optimizer: tf.keras.optimizers.Optimizer, variables: list[tf.Variable]
) -> None:
    """Creates all of the optimizer's state, so that a checkpoint finds it.

    Biases and norms, which are vectors, are left out of the weight decay of Keras'
    optimizers.
    """
    if isinstance(optimizer, _LegacyOptimizer):
        optimizer._create_all_weights(variables)
    else:
        vectors = [variable for variable in variables if variable.shape.rank < 2]
        optimizer.exclude_from_weight_decay(var_list=vectors)
        optimizer.build(variables)


def _import_addons(name: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its end-of-life notice
            import tensorflow_addons  # noqa: F401  registers its optimizers
    except ImportError:
        raise InputError(
            f"`optimizer` {name} needs TensorFlow Addons, which works with TensorFlow "
            "2.15 alone; in an environment of Python 3.11 or older: pip install "
            '"emkd-tf[addons]".'
        ) from None
