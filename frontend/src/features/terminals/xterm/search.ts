// Searching in a terminal's scrollback.
import { SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";

export function addSearch(xterm: Terminal): SearchAddon {
  const search = new SearchAddon();
  xterm.loadAddon(search);
  return search;
}
