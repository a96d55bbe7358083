"""Ctrl-C and SIGTERM: the first asks for a checkpoint, the second ends at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

EXIT_CODE = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Watches for signals inside its `with` block.

    Outside of `deferred` a signal raises KeyboardInterrupt; inside it sets `requested`,
    for the training to stop at a step's end. A separate thread sees signals even while
    TensorFlow computes and Python's handlers have to wait.

    Python has signals only in the main thread: in others nothing is watched.

    Args:
        ends_process: a second signal ends the process wherever it is, as commands want;
            otherwise it raises KeyboardInterrupt as soon as Python's handlers run, so
            that a notebook keeps its variables.
    """

    def __init__(self, ends_process: bool = False) -> None:
        self.requested = False
        self._ends_process = ends_process
        self._num_handled = self._num_seen = 0  # by the handler and by the thread
        self._is_deferred = False
        self._is_main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Interrupts:
        if not self._is_main:
            return self
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._old_descriptor = signal.set_wakeup_fd(
            self._writer, warn_on_full_buffer=False
        )
        self._old = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._is_main:
            return
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_descriptor)
        os.close(self._writer)  # ends the thread
        self._thread.join()
        os.close(self._reader)

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Makes signals wait until the block looks at `requested`, or ends."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False
        if self.requested:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._num_handled += 1
        # The thread may be late, and Python may handle several signals as one.
        if not self._is_deferred or max(self._num_handled, self._num_seen) > 1:
            raise KeyboardInterrupt

    def _watch(self) -> None:
        while received := os.read(self._reader, 1):
            if received[0] not in _SIGNALS:
                continue
            if self.requested and self._ends_process:
                os._exit(EXIT_CODE)
            self._num_seen += 1
            self.requested = True
            if self._is_deferred and self._num_seen == 1:
                print(
                    "Stopping after this step; press Ctrl-C again to stop at once.",
                    file=sys.stderr,
                    flush=True,
                )
