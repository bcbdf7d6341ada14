// Where the focus goes when what had it is over: lost, the keyboard would begin at the top of the page.

const HOME = "data-focus-home";

/** For the one place of a page in which somebody writes next. */
export const focusHome = { [HOME]: "" };

/** To that place, else to what the page is about; on a screen that is touched it would bring up the keyboard. */
export function giveFocusHome(): void {
  if (window.matchMedia("(hover: none) and (pointer: coarse)").matches) return;
  const home = document.querySelector<HTMLElement>(`[${HOME}]`) ?? document.getElementById("main");
  home?.focus({ preventScroll: true });
}
