// Ctrl for keyboards that have none: pressed once, it holds for the next key.

export class ControlKey {
  readonly #onChange: (isHeld: boolean) => void;
  #isHeld = false;

  constructor(onChange: (isHeld: boolean) => void) {
    this.#onChange = onChange;
  }

  toggle(): void {
    this.#hold(!this.#isHeld);
  }

  /** What is sent for these characters. */
  apply(data: string): string {
    if (!this.#isHeld) return data;
    this.#hold(false);
    return controlled(data);
  }

  #hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#onChange(isHeld);
  }
}

/** The control character of a letter, an arrow with Ctrl; anything else is what it was. */
export function controlled(data: string): string {
  if (data.startsWith("\u001b") && "[O".includes(data.charAt(1)) && /^[A-D]$/.test(data.slice(2))) {
    return `\u001b[1;5${data.slice(2)}`;
  }
  const code = data.toUpperCase().charCodeAt(0);
  if (data.length !== 1) return data;
  if (data === " ") return "\0";
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : data;
}
