"""A supervisor whose disk is full goes on with what it is there for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from openagent.management import supervised

SECONDS = 60
_USER = "user=root\n" if os.geteuid() == 0 else ""


def test_logs_that_cannot_be_written_do_not_end_it(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    (tmp_path / "part").write_text(f"echo started >> {starts}; echo said; sleep 1.5; exit 1")
    configuration = tmp_path / "supervisor.conf"
    configuration.write_text(
        f"[supervisord]\nnodaemon=true\nlogfile=/dev/full\nlogfile_maxbytes=0\npidfile={tmp_path}/pid\n"
        f"{_USER}[program:part]\ncommand=sh {tmp_path}/part\nautorestart=true\nredirect_stderr=true\n"
        "stdout_logfile=/dev/full\nstdout_logfile_maxbytes=0\n"
    )
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(
            [sys.executable, "-P", supervised.__file__, "-c", str(configuration)],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=full,
        )
    try:
        deadline = time.monotonic() + SECONDS
        while not starts.exists() or starts.read_text().count("started") < 2:
            assert process.poll() is None, "it ended"
            assert time.monotonic() < deadline, "it does not start its part again"
            time.sleep(0.05)
    finally:
        process.terminate()
        process.wait(SECONDS)
