// A stand-in for the platform, for work on the screens: everything in memory, one scripted turn, no agent.
// `npm run mock`, then `OPENAGENT_URL=http://127.0.0.1:8010 npm run dev`. Never part of the build.
// With a built dist/ it serves that too, under the content security policy of the platform.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { WebSocketServer } from "ws";
import { catalogue, FILES, script } from "./mock-data.mjs";
import {
  onTerminalChange,
  openTerminal,
  removeTerminal,
  renameTerminal,
  terminalsOf,
  watchTerminal,
} from "./mock-terminals.mjs";

const port = Number(process.env.PORT ?? 8010);
const dist = path.resolve(import.meta.dirname, "../dist");
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const state = {
  user: process.env.MOCK_USER ? { email: "alice@example.org", name: "Alice" } : null,
  signedIn: Boolean(process.env.MOCK_USER),
  keys: [],
  tokens: [],
};
const sessions = new Map();
const sockets = new Map();
const now = () => new Date().toISOString();

function makeSession(body) {
  const session = {
    row: {
      id: body.id ?? randomUUID(),
      title: body.title ?? "",
      agent: "opencode",
      provider: body.provider ?? "demo",
      model: body.model ?? "demo",
      key: null,
      mode: body.mode ?? "ask",
      status: "idle",
      status_detail: "",
      paused: false,
      archived: false,
      created_at: now(),
      updated_at: now(),
      last_seq: 0,
      generation: 1,
      queued_prompts: 0,
      pending_permissions: 0,
      usage: { input: 0, output: 0, cached: 0, reasoning: 0, calls: 0 },
      instance: null,
      turn: null,
    },
    version: 1,
    events: [],
    prompts: [],
    permissions: [],
    waiting: new Map(),
    cancelled: false,
  };
  sessions.set(session.row.id, session);
  return session;
}

function stateOf(session) {
  const open = session.row.turn;
  return {
    version: session.version,
    session: session.row,
    prompts: session.prompts.filter((prompt) => ["queued", "sent", "running"].includes(prompt.state)),
    permissions: session.permissions.filter(
      (permission) => permission.state === "pending" || permission.turn === open,
    ),
    terminals: terminalsOf(session.row.id),
  };
}

function send(session, frame) {
  for (const socket of sockets.get(session.row.id) ?? []) socket.send(JSON.stringify(frame));
}

function bump(session, change = {}) {
  const pending = session.permissions.filter((permission) => permission.state === "pending").length;
  Object.assign(
    session.row,
    { pending_permissions: pending, updated_at: now(), last_seq: session.events.length },
    change,
  );
  if (pending > 0) session.row.status = "needs_you";
  session.version += 1;
  send(session, { type: "state", state: stateOf(session) });
}

function emit(session, kind, data, turn = session.row.turn) {
  const event = {
    v: 1,
    seq: session.events.length + 1,
    gen: session.row.generation,
    turn,
    ts: now(),
    kind,
    data,
  };
  session.events.push(event);
  session.row.last_seq = event.seq;
  send(session, { type: "events", events: [event] });
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms / Number(process.env.MOCK_SPEED ?? 1)));

async function wake(session) {
  if (session.row.instance?.state === "ready") return;
  const instance = {
    id: randomUUID(),
    generation: session.row.generation,
    state: "starting",
    driver: "process",
    stages: [],
    error: null,
  };
  session.row.instance = instance;
  let elapsed = 0;
  for (const name of ["requested", "created", "sidecar", "box", "agent", "ready"]) {
    instance.stages = [...instance.stages, { name, elapsed_ms: elapsed }];
    bump(session, { status: "starting" });
    elapsed += 420;
    await sleep(420);
  }
  instance.state = "ready";
  emit(
    session,
    "instance.started",
    {
      agent: { id: "opencode", name: "OpenCode", version: "1.4.2" },
      driver: "process",
      resumed: session.events.length > 0,
    },
    null,
  );
  emit(session, "agent.config", { commands: ["init", "review"], modes: [], models: [] }, null);
  bump(session, { status: "ready" });
}

async function run(session) {
  if (session.isRunning) return;
  session.isRunning = true;
  await wake(session);
  for (let prompt = next(session); prompt; prompt = next(session)) {
    prompt.state = "running";
    session.cancelled = false;
    bump(session, {
      turn: prompt.id,
      status: "running",
      title: session.row.title || prompt.text.slice(0, 80),
    });
    emit(session, "turn.started", { prompt: prompt.text, by: "Alice", model: session.row.model });
    await script({
      emit: (kind, data) => emit(session, kind, data),
      ask: (data) => ask(session, data),
      sleep,
      isCancelled: () => session.cancelled,
      prompt: prompt.text,
      use: (usage) => use(session, usage),
    });
    emit(session, "turn.ended", { stop_reason: session.cancelled ? "cancelled" : "end_turn" });
    prompt.state = "done";
    bump(session, { turn: null, status: "ready" });
  }
  session.isRunning = false;
}

function use(session, usage) {
  for (const name of ["input", "output", "cached", "reasoning"]) session.row.usage[name] += usage[name] ?? 0;
  session.row.usage.calls += 1;
  emit(session, "usage", {
    request_id: randomUUID(),
    provider: session.row.provider,
    model: session.row.model,
    ...usage,
  });
  bump(session);
}

const next = (session) => session.prompts.find((prompt) => prompt.state === "queued");

function ask(session, data) {
  const permission = {
    id: randomUUID(),
    session: session.row.id,
    session_title: session.row.title,
    turn: session.row.turn,
    tool_call_id: "",
    command: "",
    cwd: "",
    path: "",
    diff: "",
    host: "",
    rule: "",
    questions: [],
    state: "pending",
    choice: "",
    message: "",
    answers: [],
    by: "",
    answered_by: null,
    asked_at: now(),
    answered_at: null,
    ...data,
  };
  session.permissions.push(permission);
  emit(session, "permission.asked", { permission_id: permission.id, ...data });
  bump(session);
  return new Promise((resolve) => session.waiting.set(permission.id, resolve));
}

function answer(session, permission, body) {
  const choice = permission.type === "question" && body.choice !== "reject" ? "answered" : body.choice;
  Object.assign(permission, {
    state: "answered",
    choice,
    by: "user",
    message: body.message ?? "",
    answers: body.answers ?? [],
    answered_by: { id: "1", name: "Alice" },
    answered_at: now(),
  });
  emit(session, "permission.answered", {
    permission_id: permission.id,
    choice,
    by: "user",
    user: "Alice",
    message: permission.message,
    answers: permission.answers,
  });
  bump(session, { status: "running" });
  session.waiting.get(permission.id)?.(permission);
}

const problem = (status, code, detail) => ({
  status,
  body: { type: "about:blank", title: code, status, detail, code },
});
const ok = (body, status = 200) => ({ status, body });
const page = (results) => ok({ next: null, previous: null, results });
const me = () => ({
  id: "1",
  ...state.user,
  is_staff: true,
  has_keys: state.keys.length > 0,
  demo_available: true,
  deleted_kept_seconds: 86_400,
  version: "0.1.0",
});

const routes = [
  [
    "GET",
    /^\/api\/v1\/setup\/$/,
    () => ok({ needed: !state.user, code_required: Boolean(process.env.MOCK_CODE) }),
  ],
  [
    "POST",
    /^\/api\/v1\/setup\/$/,
    (body) => {
      state.user = { email: body.email, name: body.name || body.email };
      state.signedIn = true;
      return ok(me(), 201);
    },
  ],
  [
    "POST",
    /^\/_allauth\/browser\/v1\/auth\/login$/,
    (body) => {
      if (body.password === "wrong")
        return {
          status: 400,
          body: {
            errors: [
              {
                message: "The email address and/or password you specified are not correct.",
                code: "email_password_mismatch",
                param: "password",
              },
            ],
          },
        };
      state.signedIn = true;
      return ok({});
    },
  ],
  [
    "DELETE",
    /^\/_allauth\/browser\/v1\/auth\/session$/,
    () => {
      state.signedIn = false;
      return { status: 401, body: {} };
    },
  ],
  [
    "POST",
    /^\/api\/v1\/client-errors\/$/,
    (body) => {
      process.stderr.write(`browser error: ${body.message}\n${body.stack}\n`);
      return { status: 204 };
    },
  ],
  ["GET", /^\/api\/v1\/me\/$/, () => ok(me())],
  ["GET", /^\/api\/v1\/agents\/$/, () => page(catalogue.agents)],
  [
    "GET",
    /^\/api\/v1\/providers\/$/,
    () =>
      page(
        catalogue.providers.map((provider) => ({
          ...provider,
          has_key: state.keys.some((key) => key.provider === provider.id),
        })),
      ),
  ],
  ["GET", /^\/api\/v1\/keys\/$/, () => page(state.keys)],
  [
    "POST",
    /^\/api\/v1\/keys\/$/,
    (body) => {
      const key = {
        id: randomUUID(),
        provider: body.provider,
        label: body.label ?? "",
        hint: body.key.slice(-4),
        created_at: now(),
        last_used_at: null,
        status: "untested",
      };
      state.keys.push(key);
      return ok(key, 201);
    },
  ],
  [
    "POST",
    /^\/api\/v1\/keys\/([^/]+)\/test\/$/,
    (_, id) => {
      const key = state.keys.find((one) => one.id === id);
      key.status = "ok";
      return ok({ code: "ok", message: "The provider accepts this key.", key });
    },
  ],
  [
    "DELETE",
    /^\/api\/v1\/keys\/([^/]+)\/$/,
    (_, id) => {
      state.keys = state.keys.filter((key) => key.id !== id);
      return { status: 204 };
    },
  ],
  ["GET", /^\/api\/v1\/tokens\/$/, () => page(state.tokens)],
  [
    "POST",
    /^\/api\/v1\/tokens\/$/,
    (body) => {
      const token = { id: randomUUID(), last_used_at: null, created_at: now(), ...body };
      state.tokens.push(token);
      return ok({ ...token, token: "oat_mock_0123456789abcdef" }, 201);
    },
  ],
  [
    "DELETE",
    /^\/api\/v1\/tokens\/([^/]+)\/$/,
    (_, id) => {
      state.tokens = state.tokens.filter((token) => token.id !== id);
      return { status: 204 };
    },
  ],
  [
    "GET",
    /^\/api\/v1\/sessions\/$/,
    (_, __, query) =>
      page(
        [...sessions.values()]
          .map((session) => session.row)
          .filter(
            (row) =>
              row.archived === (query.get("archived") === "true") && row.title.includes(query.get("q") ?? ""),
          )
          .sort((a, b) => b.updated_at.localeCompare(a.updated_at)),
      ),
  ],
  [
    "POST",
    /^\/api\/v1\/sessions\/$/,
    (body) => {
      const session = makeSession(body);
      if (body.prompt) queue(session, body.prompt);
      return ok(session.row, 201);
    },
  ],
  [
    "GET",
    /^\/api\/v1\/permissions\/$/,
    () =>
      page(
        [...sessions.values()].flatMap((session) =>
          session.permissions.filter((permission) => permission.state === "pending"),
        ),
      ),
  ],
  [
    "POST",
    /^\/api\/v1\/permissions\/([^/]+)\/answer\/$/,
    (body, id) => {
      for (const session of sessions.values()) {
        const permission = session.permissions.find((one) => one.id === id);
        if (permission?.state === "pending") {
          answer(session, permission, body);
          return ok(permission);
        }
      }
      const late = problem(409, "already_answered", "This was answered already.");
      return { ...late, body: { ...late.body, choice: "once", answered_by: { id: "2", name: "Bob" } } };
    },
  ],
];

function queue(session, { id, text }) {
  const prompt = {
    id,
    text,
    state: "queued",
    position: null,
    created_at: now(),
    by: { id: "1", name: "Alice" },
    error: null,
  };
  session.prompts.push(prompt);
  bump(session, session.row.instance?.state === "ready" ? {} : { status: "queued" });
  void run(session);
  return prompt;
}

const sessionRoutes = [
  ["GET", /^$/, (session) => ok(session.row)],
  [
    "PATCH",
    /^$/,
    (session, body) => {
      bump(session, body);
      return ok(session.row);
    },
  ],
  [
    "DELETE",
    /^$/,
    (session) => {
      sessions.delete(session.row.id);
      for (const socket of sockets.get(session.row.id) ?? []) socket.close(4404);
      return { status: 204 };
    },
  ],
  [
    "POST",
    /^start\/$/,
    (session) => {
      void wake(session);
      return ok(session.row);
    },
  ],
  [
    "POST",
    /^stop\/$/,
    (session) => {
      session.row.instance = { ...session.row.instance, state: "stopped" };
      emit(session, "instance.stopped", { reason: "user" }, null);
      bump(session, {
        status: "asleep",
        status_detail: "Send a prompt to wake it.",
        generation: session.row.generation + 1,
      });
      return ok(session.row);
    },
  ],
  [
    "POST",
    /^interrupt\/$/,
    (session) => {
      session.cancelled = true;
      for (const [, resolve] of session.waiting) resolve({ choice: "lost" });
      for (const permission of session.permissions)
        if (permission.state === "pending") permission.state = "lost";
      return ok(session.row);
    },
  ],
  [
    "POST",
    /^prompts\/$/,
    (session, body) =>
      body.text.includes("refuse")
        ? problem(400, "prompt_control_characters", "Character 1 is the control character U+0000; remove it.")
        : ok(queue(session, body), 201),
  ],
  [
    "PATCH",
    /^prompts\/([^/]+)\/$/,
    (session, body, id) => {
      const prompt = session.prompts.find((one) => one.id === id);
      prompt.text = body.text;
      bump(session);
      return ok(prompt);
    },
  ],
  [
    "DELETE",
    /^prompts\/([^/]+)\/$/,
    (session, _, id) => {
      session.prompts = session.prompts.filter((prompt) => prompt.id !== id);
      bump(session);
      return { status: 204 };
    },
  ],
  [
    "POST",
    /^terminals\/$/,
    (session, body) => {
      const row = openTerminal(session.row.id, body);
      onTerminalChange(row.id, () => bump(session));
      bump(session);
      return ok(row, 201);
    },
  ],
  [
    "PATCH",
    /^terminals\/([^/]+)\/$/,
    (session, body, id) => {
      const row = renameTerminal(id, body.title);
      bump(session);
      return ok(row);
    },
  ],
  [
    "DELETE",
    /^terminals\/([^/]+)\/$/,
    (session, _, id) => {
      removeTerminal(id);
      bump(session);
      return { status: 204 };
    },
  ],
  [
    "GET",
    /^conversation\/$/,
    () => ok({ last_seq: 0, gen: 0, agent: null, config: null, turns: [], notices: [] }),
  ],
  [
    "GET",
    /^files\/$/,
    (session, _, __, query) => {
      if (session.row.instance?.state !== "ready") return problem(409, "asleep", "The session is asleep.");
      const folder = query.get("path") ?? "";
      return FILES.folders[folder]
        ? ok({ path: folder, entries: FILES.folders[folder], truncated: false })
        : problem(404, "not_found", "There is no such folder.");
    },
  ],
  [
    "GET",
    /^changes\/$/,
    () => problem(409, "unavailable", "Not available here: there is no box behind this server."),
  ],
  [
    "GET",
    /^files\/content\/$/,
    (_, __, ___, query) =>
      FILES.texts[query.get("path")] === undefined
        ? problem(404, "not_found", "There is no such file.")
        : { status: 200, text: FILES.texts[query.get("path")] },
  ],
];

function handle(method, url, body) {
  const open = /^\/(_allauth|api\/v1\/(setup|client-errors))\//.test(url.pathname);
  if (!open && !state.signedIn) return problem(401, "not_authenticated", "Sign in first.");
  const inSession = /^\/api\/v1\/sessions\/([^/]+)\/(.*)$/.exec(url.pathname);
  const session = inSession && sessions.get(inSession[1]);
  if (inSession && !session) return problem(404, "not_found", "There is no such session.");
  if (session) {
    for (const [verb, pattern, run] of sessionRoutes) {
      const match = pattern.exec(inSession[2]);
      if (verb === method && match) return run(session, body, match[1], url.searchParams);
    }
  }
  for (const [verb, pattern, run] of routes) {
    const match = pattern.exec(url.pathname);
    if (verb === method && match) return run(body, match[1], url.searchParams);
  }
  return problem(404, "not_found", "There is no such address.");
}

const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, "http://mock");
  if (!/^\/(api|_allauth)\//.test(url.pathname)) return serveFile(url.pathname, response);
  let raw = "";
  for await (const chunk of request) raw += chunk;
  const { status, body, text } = handle(request.method, url, raw ? JSON.parse(raw) : {});
  response.writeHead(status, {
    "Content-Type": text === undefined ? "application/json" : "text/plain; charset=utf-8",
  });
  response.end(text ?? (body === undefined ? "" : JSON.stringify(body)));
});

function serveFile(pathname, response) {
  const file = path.join(dist, pathname);
  const found =
    pathname !== "/" && file.startsWith(dist) && existsSync(file) ? file : path.join(dist, "index.html");
  response.writeHead(200, {
    "Content-Type": TYPES[path.extname(found)] ?? "text/plain",
    "Content-Security-Policy": CSP,
  });
  response.end(readFileSync(found));
}

const wss = new WebSocketServer({ server });
wss.on("connection", (socket, request) => {
  const url = new URL(request.url, "http://mock");
  const session = sessions.get(/^\/ws\/sessions\/([^/]+)\//.exec(url.pathname)?.[1] ?? "");
  if (!state.signedIn) return socket.close(4401);
  if (!session) return socket.close(4404);
  const terminal = /\/terminals\/([^/]+)\/$/.exec(url.pathname)?.[1];
  if (terminal) return watchTerminal(socket, terminal, url.searchParams);
  const after = Number((url.searchParams.get("after") ?? "0.0").split(".")[1]);
  socket.send(
    JSON.stringify({
      type: "hello",
      stored: [session.row.generation, session.events.length],
      state: stateOf(session),
    }),
  );
  socket.send(JSON.stringify({ type: "events", events: session.events.slice(after) }));
  socket.send(JSON.stringify({ type: "live" }));
  const open = sockets.get(session.row.id) ?? new Set();
  sockets.set(session.row.id, open.add(socket));
  const heartbeat = setInterval(
    () => socket.send(JSON.stringify({ type: "heartbeat", seq: session.events.length })),
    10_000,
  );
  socket.on("close", () => {
    open.delete(socket);
    clearInterval(heartbeat);
  });
});

server.listen(port, "127.0.0.1", () => process.stdout.write(`mock platform on http://127.0.0.1:${port}\n`));
