"""Spares long work the collector's looks at everything that is alive.

The state of a large ledger is some million objects, none of which is garbage. Looking through all of them
again and again took a fifth of a cold start's processor time. Young garbage, which is all that judging makes,
is still collected.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEVER = 1 << 30


@contextmanager
def only_young_garbage() -> Iterator[None]:
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)
    try:
        yield
    finally:
        gc.set_threshold(young, middle, old)
