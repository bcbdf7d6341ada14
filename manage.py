#!/usr/bin/env python
"""The command line of the platform; `up` and what is named beside it is ours, the others Django's."""

import os
import sys


def main() -> None:
    if sys.argv[1:2] == ["up"]:
        # Makes what the settings need (data directory, secrets), so it comes before they are read.
        from openagent.management.up import main as up

        sys.exit(up(sys.argv[2:]))
    if sys.argv[1:2] == ["images"]:
        # Needs no data directory either.
        from openagent.management.images import main as images

        sys.exit(images(sys.argv[2:]))
    if sys.argv[1:2] in (["backup"], ["restore"]):
        # The settings of what is saved may be away by now.
        from openagent.management import backup

        sys.exit((backup.save_main if sys.argv[1] == "backup" else backup.restore_main)(sys.argv[2:]))
    if sys.argv[1:2] in (["part"], ["healthy"]):
        # Becomes a part, or looks at one, which is cheap.
        from openagent.management import part

        sys.exit((part.main if sys.argv[1] == "part" else part.healthy_main)(sys.argv[2:]))
    if sys.argv[1:2] == ["compose"]:
        # Makes the data directory, too.
        from openagent.management.compose import main as compose

        sys.exit(compose(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openagent.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
