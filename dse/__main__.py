"""Entry point of ``python -m dse``, the same program as ``dse``."""

import sys

from dse.cli import main

if __name__ == "__main__":
    sys.exit(main())
