"""The supervisor's program, which goes on when its logs cannot be written: a full disk ends no product.

Run by its file, not as a module: it needs nothing of ours.
"""

from __future__ import annotations

from supervisor import loggers, supervisord


def main() -> None:
    # Its own answer is a traceback on its error output, which is a file of the same full disk and so its end.
    loggers.Handler.handleError = lambda handler: None
    supervisord.main()


if __name__ == "__main__":
    main()
