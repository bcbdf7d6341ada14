// A page that was opened before an update asks for parts that are not there any more: a reload brings the new ones.

const AT_MOST_EVERY_MS = 60_000;
const NAME = "openagent.reloaded-at";

/** Drafts and unsent prompts are kept, so nothing is lost. Not again and again: then something else is wrong. */
export function reloadWhenOutdated(): void {
  window.addEventListener("vite:preloadError", (event) => {
    const last = Number(sessionStorage.getItem(NAME) ?? 0);
    if (Date.now() - last < AT_MOST_EVERY_MS) return;
    event.preventDefault();
    sessionStorage.setItem(NAME, String(Date.now()));
    location.reload();
  });
}
