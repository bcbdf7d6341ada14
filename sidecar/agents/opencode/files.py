"""Changes to files of the workspace, each reported once although OpenCode mentions it up to twice.

What a command changes it does not mention: that needs snapshots, which are off.
"""

from __future__ import annotations

from typing import Any, Literal

from sidecar.agents import text
from sidecar.agents.opencode import tools
from sidecar.agents.turns import Emit
from sidecar.protocol.messages import FileChanged

Change = Literal["created", "modified", "deleted"]
_CHANGES: dict[str, Change] = {"add": "created", "change": "modified", "unlink": "deleted"}


class Files:
    """Tools tell which file they edited, then in what way."""

    def __init__(self, emit: Emit, workspace: str) -> None:
        self._emit = emit
        self._workspace = workspace
        self._edited = ""

    def edited(self, properties: dict[str, Any]) -> None:
        """A tool edited a file; the next event usually says how."""
        self.flush()
        self._edited = text.clean(properties.get("file"))

    def changed(self, properties: dict[str, Any]) -> None:
        """A file was changed in a known way."""
        path = text.clean(properties.get("file"))
        if self._edited == path:
            self._edited = ""
        self.flush()
        self._report(path, _CHANGES.get(text.line(properties.get("event")), "modified"))

    def flush(self) -> None:
        """No news about the edited file came."""
        if self._edited:
            path, self._edited = self._edited, ""
            self._report(path, "modified")

    def _report(self, path: str, change: Change) -> None:
        name = tools.relative(path, self._workspace)
        if not name or name.startswith(("/", "../", ".git/")):
            return
        self._emit("file.changed", FileChanged(path=name, change=change))
