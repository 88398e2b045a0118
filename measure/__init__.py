"""Measurements, as programs that write pages of `docs/`: speed (`make bench`), capacity, faults."""

import warnings

# The PostgreSQL wheel warns at its import that this variable is unset, and works without it.
warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
