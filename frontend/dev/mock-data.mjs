// What the stand-in plays: a catalogue, a small workspace, and one turn with a bit of everything.

export const catalogue = {
  agents: [
    {
      id: "opencode",
      name: "OpenCode",
      version: "1.4.2",
      capabilities: {
        permissions: true,
        questions: true,
        plan: true,
        thoughts: true,
        modes: true,
        subagents: true,
      },
      wires: ["openai-chat", "openai-responses", "anthropic", "google"],
      notes: [],
      survives_resume: { files: true, conversation: true, processes: false },
    },
  ],
  providers: [
    {
      id: "demo",
      name: "Demo (scripted, no key needed)",
      wire: "openai-chat",
      needs_key: false,
      key_hint_format: "",
      key_page: "",
      models: [{ id: "demo", name: "Scripted demo" }],
      custom_base_url: false,
    },
    {
      id: "anthropic",
      name: "Anthropic",
      wire: "anthropic",
      needs_key: true,
      key_hint_format: "sk-ant-…",
      key_page: "https://platform.claude.com/settings/keys",
      models: [
        { id: "claude-opus-5-5", name: "Claude Opus 5.5" },
        { id: "claude-sonnet-5", name: "Claude Sonnet 5" },
      ],
      custom_base_url: false,
    },
    {
      id: "openai",
      name: "OpenAI",
      wire: "openai-responses",
      needs_key: true,
      key_hint_format: "sk-…",
      key_page: "https://platform.openai.com/api-keys",
      models: [{ id: "gpt-6-sol", name: "GPT-6 Sol" }],
      custom_base_url: false,
    },
  ],
};

const at = "2026-11-22T10:00:00Z";
const entry = (name, type, size = 0) => ({ name, type, size, modified_at: at });

export const FILES = {
  folders: {
    "": [
      entry("src", "dir"),
      entry("tests", "dir"),
      entry("README.md", "file", 120),
      entry("logo.png", "file", 20480),
      entry("current", "link"),
    ],
    src: [entry("app.py", "file", 900), entry("__init__.py", "file", 0)],
    tests: [entry("test_app.py", "file", 640)],
  },
  texts: {
    "src/app.py":
      '"""A small web app."""\n\nfrom http.server import BaseHTTPRequestHandler, HTTPServer\n\n\nclass Hello(BaseHTTPRequestHandler):\n    def do_GET(self) -> None:\n        self.send_response(200)\n        self.end_headers()\n        self.wfile.write(b"hello")\n\n\nif __name__ == "__main__":\n    HTTPServer(("127.0.0.1", 8000), Hello).serve_forever()\n',
    "README.md": "# A small web app\n\nRun `python -m src.app`.\n",
    "logo.png": "\u0000PNG",
    "src/__init__.py": "",
    "tests/test_app.py": "import unittest\n",
  },
};

const PATCH = `--- a/src/app.py
+++ b/src/app.py
@@ -1,6 +1,10 @@
 """A small web app."""
 
-from http.server import HTTPServer
+from http.server import BaseHTTPRequestHandler, HTTPServer
+
+
+class Hello(BaseHTTPRequestHandler):
+    def do_GET(self) -> None:
+        self.send_response(200)
 
 if __name__ == "__main__":
     HTTPServer(("127.0.0.1", 8000), Hello).serve_forever()
`;

const ANSWER = `I wrote a small web app with a test. It uses **only the standard library**.

1. \`src/app.py\` answers every request with *hello*
2. \`tests/test_app.py\` starts it on a free port and asks it

\`\`\`python
class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello 🙂")
\`\`\`

| file | lines | why |
|---|---:|---|
| \`src/app.py\` | 14 | the app |
| \`tests/test_app.py\` | 22 | the test |

> Run it with \`python -m src.app\`. See [the docs](https://docs.python.org/3/library/http.server.html) for more,
> and ![a picture](https://tracker.example/x.png) that is not loaded. <b>HTML stays text.</b>
`;

const OUTPUT = Array.from(
  { length: 24 },
  (_, index) => `test_case_${index} (tests.test_app.AppTest) ... ok`,
).join("\n");

export async function script({ emit, ask, sleep, isCancelled, prompt, use }) {
  let part = 0;
  const say = async (text, kind = "message", extra = {}) => {
    part += 1;
    const part_id = `${Date.now()}-${part}`;
    const points = Array.from(text);
    for (let offset = 0; offset < points.length && !isCancelled(); offset += 6) {
      emit(`${kind}.delta`, { part_id, offset, text: points.slice(offset, offset + 6).join(""), ...extra });
      await sleep(16);
    }
    if (!isCancelled()) emit(`${kind}.done`, { part_id, length: points.length });
  };
  const tool = async (id, fields, ms, end = {}) => {
    emit("tool.upsert", { tool_call_id: id, status: "in_progress", ...fields });
    await sleep(ms);
    if (!isCancelled())
      emit("tool.upsert", { tool_call_id: id, status: "completed", duration_ms: ms, ...end });
  };
  const id = (name) => `${prompt.length}-${Date.now()}-${name}`;

  await say(
    "The user wants a small web app. I look at the workspace first, then write the app and its test.",
    "thought",
  );
  emit("plan", {
    entries: [
      { content: "Look at the workspace", status: "in_progress" },
      { content: "Write the app" },
      { content: "Write and run the test" },
    ],
  });
  await tool(
    id("ls"),
    { name: "list", title: ".", tool_kind: "read", input: { path: "/workspace" } },
    110,
    {},
  );
  await tool(
    id("read"),
    { name: "read", title: "README.md", tool_kind: "read", input: { filePath: "/workspace/README.md" } },
    90,
  );
  if (isCancelled()) return;
  await say("I begin with the app.\n");
  emit("plan", {
    entries: [
      { content: "Look at the workspace", status: "completed" },
      { content: "Write the app", status: "in_progress" },
      { content: "Write and run the test" },
    ],
  });
  await tool(
    id("edit"),
    { name: "edit", title: "src/app.py", tool_kind: "edit", input: { filePath: "/workspace/src/app.py" } },
    240,
    { diffs: [{ path: "src/app.py", patch: PATCH, additions: 6, deletions: 1 }] },
  );
  use({ input: 5200, output: 640, cached: 4100, reasoning: 120 });

  const task = id("task");
  emit("tool.upsert", {
    tool_call_id: task,
    name: "task",
    title: "Explore how tests are run",
    tool_kind: "think",
    status: "in_progress",
  });
  await tool(
    id("grep"),
    { name: "grep", title: "unittest", tool_kind: "search", parent_tool_call_id: task },
    130,
  );
  await say("Tests are run with unittest.", "message", { parent_tool_call_id: task });
  emit("tool.upsert", { tool_call_id: task, status: "completed", duration_ms: 900 });

  const bash = id("bash");
  const command = "python -m unittest -v && git push origin fix/login";
  emit("tool.upsert", {
    tool_call_id: bash,
    name: "bash",
    tool_kind: "execute",
    status: "pending",
    input: { command, description: "Run the tests" },
  });
  if (isCancelled()) return;
  const answer = await ask({
    type: "tool",
    title: "Run the tests and push",
    tool_call_id: bash,
    command,
    cwd: "/workspace",
    rule: "bash: python -m unittest *",
  });
  if (isCancelled()) return;
  if (answer.choice === "reject")
    emit("tool.upsert", { tool_call_id: bash, status: "failed", error: "Rejected by the user." });
  else {
    emit("tool.upsert", { tool_call_id: bash, status: "in_progress" });
    let offset = 0;
    for (const line of OUTPUT.split("\n")) {
      if (isCancelled()) return;
      emit("tool.output", { tool_call_id: bash, offset, text: `${line}\n` });
      offset += line.length + 1;
      await sleep(60);
    }
    emit("tool.upsert", { tool_call_id: bash, status: "failed", error: "exit code 1", duration_ms: 3200 });
  }
  if (/question/.test(prompt)) {
    await ask({
      type: "question",
      title: "Which database?",
      questions: [
        {
          question: "Which database should it use?",
          header: "Database",
          options: [
            { label: "SQLite", description: "One file, nothing to run" },
            { label: "PostgreSQL", description: "A server of its own" },
          ],
          multiple: false,
          custom: true,
        },
      ],
    });
  }
  if (isCancelled()) return;
  emit("plan", {
    entries: [
      { content: "Look at the workspace", status: "completed" },
      { content: "Write the app", status: "completed" },
      { content: "Write and run the test", status: "completed" },
    ],
  });
  await say(ANSWER);
  use({ input: 9100, output: 1200, cached: 5200, reasoning: 300 });
  if (/fail/.test(prompt))
    emit("error", {
      class: "provider_rate_limit",
      message: "Too many requests.",
      retry_at: new Date(Date.now() + 45_000).toISOString(),
    });
}
