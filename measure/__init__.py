"""Measurements, as programs that write pages of `docs/`: speed (`make bench`), capacity, faults."""

import warnings

# The PostgreSQL wheel looks for a folder of the desktop's when it is imported, and does without.
warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
