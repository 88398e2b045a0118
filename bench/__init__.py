"""What Vestibule's documentation claims about speed, as a command: `make bench`."""

import warnings

# The PostgreSQL wheel looks for a folder of the desktop's when it is imported, and does without.
warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
