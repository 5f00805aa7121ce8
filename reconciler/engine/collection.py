"""No garbage collection while a pass over a node runs.

A pass makes hundreds of thousands of values and no cycles of them; looking for cycles again and again took
a sixth of the time of a pass over 300 networks.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Collection is off within the block, and after it as it was before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
