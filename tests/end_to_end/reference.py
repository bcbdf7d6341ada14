"""What a terminal shows after some bytes, by a reference that is not ours: `@xterm/headless`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_FRONTEND = Path(__file__).resolve().parents[2] / "frontend"

# Everything that can be seen: text, width and look of each cell, the cursor, which of the two screens it is.
SCREEN = """terminal => {
  const buffer = terminal.buffer.active;
  const look = cell => [cell.getChars(), cell.getWidth(), cell.getFgColor(), cell.getBgColor(), cell.isBold(),
    cell.isItalic(), cell.isDim(), cell.isInverse(), cell.isUnderline()].join(",");
  const lines = [];
  for (let y = 0; y < buffer.length; y += 1) {
    const line = buffer.getLine(y);
    const text = line.translateToString(true);
    const looks = [];
    for (let x = 0; x < text.length && x < terminal.cols; x += 1) looks.push(look(line.getCell(x)));
    lines.push([text, looks.join(" ")]);
  }
  return { lines, cursor: [buffer.cursorX, buffer.baseY + buffer.cursorY], screen: buffer.type,
    size: [terminal.rows, terminal.cols] };
}"""


def shown(steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Its screen and scrollback after these steps: `bytes` in base64, `rows` and `cols`, or a `reset`."""
    task = json.dumps({"modules": str(_FRONTEND), "steps": steps})
    script = Path(__file__).with_name("reference_terminal.mjs")
    done = subprocess.run(
        ["node", str(script), SCREEN],
        input=task,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
