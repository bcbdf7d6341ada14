// Who leads people to the composer finds the one that is on the screen.
import { expect, test } from "vitest";
import { focusComposer, isComposerShown, showComposer } from "./composer-place";

const drawn = () => new Promise((resolve) => requestAnimationFrame(resolve));

function composer(): HTMLElement {
  return document.body.appendChild(document.createElement("textarea"));
}

test("the focus goes to the composer that is shown, also when that comes only with the next frame", async () => {
  focusComposer();
  const one = composer();
  const gone = showComposer(one);
  await drawn();
  expect(document.activeElement).toBe(one);
  gone();
  expect(isComposerShown()).toBe(false);
  one.blur();
  focusComposer();
  await drawn();
  expect(document.activeElement).toBe(document.body);
});

test("one that goes after another came takes nothing with it", () => {
  const oldGone = showComposer(composer());
  const newGone = showComposer(composer());
  oldGone();
  expect(isComposerShown()).toBe(true);
  newGone();
  expect(isComposerShown()).toBe(false);
});
