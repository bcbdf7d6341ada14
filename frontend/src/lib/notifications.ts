// What this device tells while nobody looks at the page: only what somebody asked for, and the browser allows.

/** Not in a page that is not served securely. */
export function canNotify(): boolean {
  return "Notification" in window;
}

/** Asks the person, who may have refused for good. */
export async function mayNotify(): Promise<boolean> {
  return (await Notification.requestPermission()) === "granted";
}

interface Telling {
  title: string;
  body: string;
  /** Of the same thing only the newest is shown. */
  tag: string;
  onOpen: () => void;
}

export function notify({ title, body, tag, onOpen }: Telling): void {
  if (!canNotify() || Notification.permission !== "granted") return;
  const shown = new Notification(title, { body, tag, icon: "/icon-192.png" });
  shown.onclick = () => {
    window.focus();
    shown.close();
    onOpen();
  };
}
