"""python -m memup."""

import sys

from memup.cli import main

sys.exit(main())
