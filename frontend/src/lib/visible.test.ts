// Hidden characters made visible.
import { expect, test } from "vitest";
import { visible, visibleProse } from "./visible";

test.each([
  ["rm -rf build && echo 'done'", "rm -rf build && echo 'done'"],
  ["two\n\tlines", "two\n\tlines"],
  ["echo \u202efr- mr\u202c", "echo ⟨U+202E⟩fr- mr⟨U+202C⟩"],
  ["\u2066isolated\u2069", "⟨U+2066⟩isolated⟨U+2069⟩"],
  ["pay\u200bpal.com", "pay⟨U+200B⟩pal.com"],
  ["a\u200db", "a⟨U+200D⟩b"],
  ["back\bspace \u001b[31m\r", "back⟨U+0008⟩space ⟨U+001B⟩[31m⟨U+000D⟩"],
  ["tag \u{e0041}", "tag ⟨U+E0041⟩"],
  ["empty \u3164 letter", "empty ⟨U+3164⟩ letter"],
  ["👩‍💻 and ❤️‍🔥", "👩‍💻 and ❤️‍🔥"],
  ["שלום עולם، مرحبا", "שלום עולם، مرحبا"],
])("%j is shown as %j", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test.each([
  ["user\u202etxt.exe", "user⟨U+202E⟩txt.exe"],
  ["zero\u200bwidth", "zero⟨U+200B⟩width"],
  ["tag \u{e0041}", "tag ⟨U+E0041⟩"],
  ["می\u200cخواهم", "می\u200cخواهم"],
  ["क्\u200dष and \u200fשלום\u200e", "क्\u200dष and \u200fשלום\u200e"],
])("in prose %j is shown as %j", (text, shown) => {
  expect(visibleProse(text)).toBe(shown);
});
