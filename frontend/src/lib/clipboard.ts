// Copying text, and saying that it was copied.
import { announce } from "./announce";

/** Whether it worked: pages that were not served safely have no clipboard but the old way. */
export async function copyText(text: string, what: string): Promise<boolean> {
  const copied = (await tryModern(text)) || tryOld(text);
  announce(copied ? `${what} copied` : `${what} could not be copied`);
  return copied;
}

async function tryModern(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function tryOld(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}
