"""Starts the box program: `python3 -I <folder> [socket [workspace]]`."""

import sys

from sidecar.box.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
