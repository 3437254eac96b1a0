"""The Dirac algebra of the amplitudes' tests judges the models' widths as well."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "amplitudes"))
