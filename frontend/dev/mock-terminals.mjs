// Terminals of the stand-in: shells of this machine, each in a folder of its own, on a PTY that Python makes.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const LIVE = 1;
const ANSWER = 2;

/** Its input: a byte of kind, four of length, then bytes to type (0), or rows and columns (1). */
const PTY = `
import fcntl, os, pty, select, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "--norc"])
def exactly(n):
    data = b""
    while len(data) < n:
        more = os.read(0, n - len(data))
        if not more:
            sys.exit()
        data += more
    return data
while True:
    ready, _, _ = select.select([0, fd], [], [])
    if fd in ready:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        while data:
            data = data[os.write(1, data):]
    if 0 in ready:
        kind, size = struct.unpack(">BI", exactly(5))
        data = exactly(size)
        if kind == 1:
            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", *struct.unpack(">HH", data), 0, 0))
        while kind == 0 and data:
            data = data[os.write(fd, data):]
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
const MARKS = {
  PS0: "\\e]133;C\\a",
  PROMPT_COMMAND:
    '__code=$?; printf "\\e]133;D;%s\\a\\e]133;A\\a" "$__code"; [[ $PS1 == *133\\;B* ]] || PS1+="\\[\\e]133;B\\a\\]"',
};

const terminals = new Map();

export function openTerminal(session, body) {
  const id = body.id ?? randomUUID();
  const known = terminals.get(id);
  if (known) return known.row;
  const row = {
    id,
    title: body.title ?? "",
    command: body.command ?? null,
    agent: body.agent ?? false,
    rows: body.rows,
    cols: body.cols,
    state: "open",
    generation: 1,
    recording: false,
    created_at: new Date().toISOString(),
    opened_at: new Date().toISOString(),
    closed_at: null,
    reason: "",
    exit_code: null,
    message: "",
    has_transcript: false,
    by: { id: "1", name: "Alice" },
  };
  const child = spawn("python3", ["-c", PTY], {
    cwd: mkdtempSync(path.join(tmpdir(), "mock-terminal-")),
    env: {
      ...process.env,
      ...MARKS,
      TERM: "xterm-256color",
      COLORTERM: "truecolor",
      PS1: "\\w $ ",
      SHELL: "/bin/bash",
    },
  });
  const terminal = {
    row,
    session,
    child,
    ring: Buffer.alloc(0),
    viewers: [],
    clients: new Map(),
    next: 1,
    typist: null,
  };
  terminals.set(id, terminal);
  sayRoom(terminal);
  child.stdout.on("data", (data) => {
    const offset = terminal.ring.length;
    terminal.ring = Buffer.concat([terminal.ring, data]);
    for (const viewer of terminal.viewers) say(terminal, viewer, offset, data, LIVE);
  });
  child.on("exit", (code) => {
    Object.assign(row, {
      state: "closed",
      reason: "exited",
      exit_code: code ?? -1,
      closed_at: new Date().toISOString(),
    });
    for (const { socket } of terminal.viewers) sayExit(terminal, socket);
    terminal.onChange?.();
  });
  return row;
}

export function terminalsOf(session) {
  return [...terminals.values()].filter((terminal) => terminal.session === session).map(({ row }) => row);
}

export function renameTerminal(id, title) {
  const terminal = terminals.get(id);
  terminal.row.title = title;
  return terminal.row;
}

export function removeTerminal(id) {
  const terminal = terminals.get(id);
  terminals.delete(id);
  terminal.child.kill("SIGHUP");
  for (const { socket } of terminal.viewers) socket.close(4404);
}

export function onTerminalChange(id, onChange) {
  terminals.get(id).onChange = onChange;
}

export function watchTerminal(socket, id, query) {
  const terminal = terminals.get(id);
  if (!terminal) return socket.close(4404);
  const client = query.get("client");
  const viewer = { id: terminal.next++, name: "Alice", socket, rows: null, cols: null };
  if (query.has("rows"))
    Object.assign(viewer, { rows: Number(query.get("rows")), cols: Number(query.get("cols")) });
  const offset = Math.min(Number(query.get("offset") ?? 0), terminal.ring.length);
  const { row } = terminal;
  tell(socket, {
    type: "hello",
    offset,
    reset: false,
    live_from: terminal.ring.length,
    input: terminal.clients.get(client) ?? 0,
    rows: row.rows,
    cols: row.cols,
    closed: row.state === "closed",
    recording: row.recording,
  });
  for (let at = offset; at < terminal.ring.length; at += 65536)
    say(terminal, viewer, at, terminal.ring.subarray(at, Math.min(at + 65536, terminal.ring.length)), 0);
  if (row.state === "closed") return sayExit(terminal, socket);
  terminal.viewers.push(viewer);
  settleSize(terminal);
  tellViewers(terminal);
  socket.on("message", (data, isBinary) => {
    if (isBinary) type(terminal, viewer, client, data);
    else hear(terminal, viewer, JSON.parse(data.toString()));
  });
  const heartbeat = setInterval(() => tell(socket, { type: "heartbeat" }), 10_000);
  socket.on("close", () => {
    clearInterval(heartbeat);
    terminal.viewers = terminal.viewers.filter((one) => one !== viewer);
    settleSize(terminal);
    tellViewers(terminal);
  });
}

function type(terminal, viewer, client, data) {
  const offset = Number(data.readBigUInt64BE(1));
  const has = terminal.clients.get(client) ?? 0;
  const fresh = data.subarray(9 + has - offset);
  order(terminal, 0, fresh);
  terminal.clients.set(client, has + fresh.length);
  tell(viewer.socket, { type: "input", offset: has + fresh.length });
  if (terminal.typist !== viewer.id) {
    terminal.typist = viewer.id;
    tellViewers(terminal);
  }
}

function hear(terminal, viewer, message) {
  if (message.type !== "resize") return;
  Object.assign(viewer, { rows: message.rows, cols: message.cols });
  settleSize(terminal);
}

function settleSize(terminal) {
  if (!terminal.viewers.some(({ rows }) => rows)) return;
  const smallest = (name) => Math.min(...terminal.viewers.map((one) => one[name] ?? 1000));
  Object.assign(terminal.row, { rows: smallest("rows"), cols: smallest("cols") });
  const size = {
    type: "size",
    offset: terminal.ring.length,
    rows: terminal.row.rows,
    cols: terminal.row.cols,
  };
  for (const { socket } of terminal.viewers) tell(socket, size);
  tellViewers(terminal);
}

function say(terminal, viewer, offset, data, flags) {
  const isLeader = terminal.viewers[0] === viewer;
  const head = Buffer.alloc(9);
  head.writeUInt8(flags && isLeader ? flags | ANSWER : flags);
  head.writeBigUInt64BE(BigInt(offset), 1);
  viewer.socket.send(Buffer.concat([head, data]));
}

function sayExit(terminal, socket) {
  const { reason, exit_code, message } = terminal.row;
  tell(socket, { type: "exit", offset: terminal.ring.length, reason, exit_code, message });
  socket.close(1000);
}

function tellViewers(terminal) {
  const viewers = terminal.viewers.map(({ id, name, rows, cols }) => ({ id, name, rows, cols }));
  for (const { id, socket } of terminal.viewers)
    tell(socket, {
      type: "viewers",
      you: id,
      leader: terminal.viewers[0].id,
      typist: terminal.typist,
      viewers,
    });
}

function sayRoom({ child, row }) {
  const size = Buffer.alloc(4);
  size.writeUInt16BE(row.rows);
  size.writeUInt16BE(row.cols, 2);
  order({ child }, 1, size);
}

function order({ child }, kind, data) {
  const head = Buffer.alloc(5);
  head.writeUInt8(kind);
  head.writeUInt32BE(data.length, 1);
  child.stdin.write(Buffer.concat([head, data]));
}

function tell(socket, message) {
  socket.send(JSON.stringify(message));
}
