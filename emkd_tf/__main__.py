"""`python -m emkd_tf` is `emkd`."""

import sys

from emkd_tf.cli import main

if __name__ == "__main__":
    sys.exit(main())
