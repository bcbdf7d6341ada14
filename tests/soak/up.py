"""`manage.py up` with the settings of the soak."""

from __future__ import annotations

import sys

from openagent.management import up

if __name__ == "__main__":
    sys.exit(up.main(sys.argv[1:], settings="tests.soak.settings"))
