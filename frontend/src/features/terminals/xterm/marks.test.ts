// Commands as a shell tells of them.
import { beforeEach, expect, test } from "vitest";
import { headlessXterm, written } from "./fake-xterm";
import { CommandMarks } from "./marks";

const mark = (data: string) => `\u001b]133;${data}\u0007`;
const prompt = `${mark("A")}$ ${mark("B")}`;
const command = (text: string, output: string, code: number) =>
  `${prompt}${text}\r\n${mark("C")}${output}${mark(`D;${code}`)}`;

let xterm: ReturnType<typeof headlessXterm>;
let marks: CommandMarks;

beforeEach(() => {
  xterm = headlessXterm();
  marks = new CommandMarks(xterm, () => {});
});

test("a command has its text, its output and how it ended", async () => {
  await written(xterm, command("ls -l", "one\r\ntwo\r\n", 0) + command("false", "", 1) + prompt);
  expect(marks.commands.map(({ text, exitCode }) => [text, exitCode])).toEqual([
    ["ls -l", 0],
    ["false", 1],
  ]);
  const [first] = marks.commands;
  expect(first && marks.outputOf(first)).toBe("one\ntwo");
  expect(marks.lastFailed?.text).toBe("false");
  expect(marks.isAtPrompt).toBe(true);
});

test("lines that are only wrapped are one line", async () => {
  await written(xterm, command("x", `${"a".repeat(60)}\r\n`, 0) + prompt);
  const { last } = marks;
  expect(last && marks.outputOf(last)).toBe("a".repeat(60));
});

test("an empty line and a prompt that is drawn anew are no commands", async () => {
  await written(xterm, `${prompt}\r\n${mark("D;0")}${prompt}${prompt}`);
  expect(marks.commands).toEqual([]);
  expect(marks.isAtPrompt).toBe(true);
});

test("while a command runs it is not at the prompt", async () => {
  expect(marks.isAtPrompt).toBeNull();
  await written(xterm, `${prompt}sleep 9\r\n${mark("C")}`);
  expect(marks.isAtPrompt).toBe(false);
  expect(marks.last).toBeUndefined();
});

test("programs that take the whole screen have no marks", async () => {
  await written(xterm, `\u001b[?1049h${prompt}vim\r\n${mark("C")}\u001b[?1049l`);
  expect(marks.commands).toEqual([]);
});

test("nonsense is left alone", async () => {
  await written(xterm, ["D", "C", "B", "", "Z;1", "D;x", `A${"y".repeat(3000)}`].map(mark).join(""));
  expect(marks.commands).toEqual([]);
});

test("what has left the scrollback is forgotten", async () => {
  await written(xterm, command("old", "gone\r\n", 1) + "\r\n".repeat(2000) + prompt);
  expect(marks.commands).toEqual([]);
  expect(marks.lastFailed).toBeUndefined();
});

test.each([
  ["prompts", mark("A")],
  ["places where its text begins", mark("B")],
  ["commands on one line", mark("A") + mark("B") + mark("C") + mark("D;0")],
  ["commands without an end", mark("A") + mark("C")],
])("however many %s a program tells of, only so many are kept", async (_, text) => {
  await written(xterm, mark("A") + text.repeat(2_000));
  expect(marks.commands.length).toBeLessThanOrEqual(500);
  expect(xterm.markers.length).toBeLessThanOrEqual(4 * 500);
});

test("a prompt that is drawn anew leaves no marks behind", async () => {
  await written(xterm, prompt.repeat(100));
  expect(xterm.markers.length).toBe(2);
});

test("of what has left the scrollback nothing is kept", async () => {
  await written(xterm, command("old", "gone\r\n", 1) + "\r\n".repeat(1007) + prompt);
  expect(marks.commands.length).toBe(1);
  // One line further its beginning is gone, but what it printed is still there.
  await written(xterm, `\r\n${prompt}`);
  expect(marks.commands).toEqual([]);
  expect(xterm.markers.length).toBe(2);
});

test("when all is forgotten, nothing is kept", async () => {
  await written(xterm, command("x", "y\r\n", 0) + prompt);
  marks.forget();
  expect(xterm.markers.length).toBe(0);
});
