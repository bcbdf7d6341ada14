// One terminal of this browser: an xterm.js, its socket, and what the screens show of both. It lives longer than the
// components that show it, so that going to another tab and back costs nothing.
import type { SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";
import { toast } from "sonner";
import { createStore, type StoreApi } from "zustand";
import { newId } from "@/lib/id";
import { usePreferences } from "@/lib/preferences";
import { TerminalFeed, type TerminalScreen, type TerminalView } from "@/protocol/terminal-feed";
import type { Size } from "@/protocol/terminal-frames";
import { noteProgramTitle } from "./titles";
import { cleanTitle } from "./xterm/clean-title";
import { offerClipboard } from "./xterm/clipboard";
import { ControlKey } from "./xterm/control-key";
import { offerLinks } from "./xterm/links";
import { makeXterm } from "./xterm/make";
import { CommandMarks } from "./xterm/marks";
import { Parsing } from "./xterm/parsing";
import { drawFast } from "./xterm/renderer";
import { guardReplies } from "./xterm/replies";
import { followRoom } from "./xterm/room";
import { addSearch } from "./xterm/search";
import { followTheme } from "./xterm/theme";

export interface TerminalState extends TerminalView {
  /** An address that somebody has clicked on and may open. */
  address: string | null;
  /** Text that the program wants in the clipboard. */
  offer: string | null;
  hasSelection: boolean;
  /** How many commands the shell told of, and whether one of them failed: for what can be done with them. */
  commands: { count: number; hasFailed: boolean };
  /** The next key is pressed together with Ctrl: for keyboards without that key. */
  isControlHeld: boolean;
}

const encoder = new TextEncoder();

export class LiveTerminal {
  readonly id: string;
  readonly xterm: Terminal;
  readonly search: SearchAddon;
  readonly marks: CommandMarks;
  readonly store: StoreApi<TerminalState>;
  readonly #host = document.createElement("div");
  readonly #feed: TerminalFeed;
  readonly #parsing = new Parsing();
  readonly #control = new ControlKey((isControlHeld) => this.store.setState({ isControlHeld }));
  readonly #endings: (() => void)[] = [];
  #isOpen = false;
  /** What this browser has room for. */
  #room: Size | null = null;

  constructor(session: string, id: string) {
    this.id = id;
    this.#host.className = "terminal-host size-full overflow-clip";
    this.xterm = makeXterm({ screenReaderMode: usePreferences.getState().screenReader });
    this.search = addSearch(this.xterm);
    this.marks = new CommandMarks(this.xterm, () => this.#noteCommands());
    this.#feed = new TerminalFeed({
      screen: this.#screen(),
      url: ({ client, offset, size }) => addressOf(session, id, client, offset, size),
      newClient: newId,
      onChange: (view) => {
        this.store.setState(view);
        this.#fitWhatIsOver();
      },
      onInputLost: () =>
        toast.error(
          "What was typed last may not have arrived in this terminal. Look at it before typing it again.",
          { id: "input-lost" },
        ),
    });
    this.store = createStore<TerminalState>(() => ({
      ...this.#feed.view,
      address: null,
      offer: null,
      hasSelection: false,
      commands: { count: 0, hasFailed: false },
      isControlHeld: false,
    }));
    this.#listen();
  }

  /** Shows it there; returns how to take it away again. */
  show(place: HTMLElement): () => void {
    place.append(this.#host);
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.xterm.open(this.#host);
      drawFast(this.xterm);
      // Tests of the whole product compare what is on the screen.
      Object.assign(this.#host, { terminal: this.xterm });
      this.#endings.push(
        followTheme(this.xterm),
        followRoom(this.xterm, this.#host, (room) => {
          this.#room = room;
          this.#feed.setRoom(room);
          this.#fitWhatIsOver();
        }),
      );
      this.#feed.connect();
    }
    return () => this.#host.remove();
  }

  focus(): void {
    this.xterm.focus();
  }

  /** As if it was typed; false if nobody can take it. */
  type(text: string): boolean {
    const isTaken = this.#feed.type(encoder.encode(text));
    const { state } = this.#feed.view.connection;
    if (!isTaken && state !== "exited" && state !== "ended") {
      toast.error("Too much waits to be typed into this terminal: the last of it was left out.", {
        id: "input-full",
      });
    }
    return isTaken;
  }

  /** A key that is on the screen: together with Ctrl, if that is held. */
  press(key: string): void {
    this.type(this.#control.apply(key));
  }

  /** As a paste: programs that can tell the difference do. */
  paste(text: string): void {
    this.xterm.paste(text);
  }

  holdControl(): void {
    this.#control.toggle();
  }

  nudge(): void {
    this.#feed.nudge();
  }

  /** More is kept of it, now that it is over, than when it was looked at. */
  lookAgain(): void {
    const { connection } = this.#feed.view;
    if (connection.state === "exited" && connection.exit.offset === 0) this.#feed.connect();
  }

  reconnect(): void {
    this.#feed.connect();
  }

  dispose(): void {
    this.#feed.close();
    for (const end of this.#endings) end();
    this.xterm.dispose();
    this.#host.remove();
  }

  #screen(): TerminalScreen {
    const { xterm } = this;
    return {
      write: (bytes, frame, parsed) => this.#parsing.write(xterm, bytes, frame, parsed),
      resize: ({ rows, cols }) => this.#parsing.run(xterm, () => xterm.resize(cols, rows)),
      reset: () =>
        this.#parsing.reset(xterm, () => {
          this.marks.forget();
          xterm.reset();
        }),
    };
  }

  #listen(): void {
    const { xterm } = this;
    const replies = guardReplies(xterm, () => this.#parsing.now.mayAnswer);
    xterm.onData((data) => {
      if (replies.isAllowed(data)) this.type(this.#control.apply(data));
    });
    // Reports of the mouse that are no text.
    xterm.onBinary((data) =>
      this.#feed.type(Uint8Array.from(data, (character) => character.charCodeAt(0) & 255)),
    );
    xterm.onTitleChange((title) => noteProgramTitle(this.id, cleanTitle(title)));
    xterm.onSelectionChange(() => this.store.setState({ hasSelection: xterm.hasSelection() }));
    offerLinks(xterm, (address) => this.store.setState({ address }));
    offerClipboard(
      xterm,
      () => this.#parsing.now.isLive,
      (offer) => this.store.setState({ offer }),
    );
    this.#endings.push(
      usePreferences.subscribe(({ screenReader }) => {
        xterm.options.screenReaderMode = screenReader;
      }),
    );
  }

  /** No program draws for a size any more: it is read in whatever room there is. */
  #fitWhatIsOver(): void {
    const room = this.#room;
    if (!room || this.#feed.view.connection.state !== "exited") return;
    this.#parsing.run(this.xterm, () => this.xterm.resize(room.cols, room.rows));
  }

  #noteCommands(): void {
    const count = this.marks.commands.length;
    const hasFailed = this.marks.lastFailed !== undefined;
    const { commands } = this.store.getState();
    if (count === commands.count && hasFailed === commands.hasFailed) return;
    this.store.setState({ commands: { count, hasFailed } });
  }
}

function addressOf(
  session: string,
  id: string,
  client: string,
  offset: number | null,
  size: { rows: number; cols: number } | null,
): string {
  const query = new URLSearchParams({ client });
  if (offset !== null) query.set("offset", String(offset));
  if (size) {
    query.set("rows", String(size.rows));
    query.set("cols", String(size.cols));
  }
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${location.host}/ws/sessions/${session}/terminals/${id}/?${query}`;
}
