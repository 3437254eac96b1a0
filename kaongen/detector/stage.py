"""A stage: one step of the detector over a block of events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kaongen.event_block import EventBlock

Run = Callable[[np.uint64, int, EventBlock], object]
"""Called with the key of the random numbers, the number of events and the block."""


@dataclass(frozen=True)
class Stage:
    """A step with a name, for those who look at an event step by step.

    name : of the subdetector or of what happens. subject : which particle it looks at, such as "candidate" or
        "gamma 4", with the slot.
    """

    name: str
    subject: str
    run: Run
