// What a program in the terminal cannot do by itself: open an address, or put something into the clipboard.
import { ExternalLink } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import { Button, buttonClass } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { copyText } from "@/lib/clipboard";
import { visible } from "@/lib/visible";
import type { LiveTerminal } from "./live-terminal";

export function Questions({ live }: { live: LiveTerminal }) {
  const address = useStore(live.store, (state) => state.address);
  const offer = useStore(live.store, (state) => state.offer);
  const forgetAddress = () => live.store.setState({ address: null });
  return (
    <>
      <Dialog open={address !== null} onClose={forgetAddress} title="Open this address?">
        {address && <Address address={address} onDone={forgetAddress} />}
      </Dialog>
      {offer !== null && <Offer text={offer} onDone={() => live.store.setState({ offer: null })} />}
    </>
  );
}

function Address({ address, onDone }: { address: string; onDone: () => void }) {
  return (
    <>
      <p className="text-sm text-muted">
        A program in the terminal names it. It leads to{" "}
        <strong className="text-fg">{new URL(address).host}</strong>.
      </p>
      <p
        data-testid="terminal-address"
        className="mt-2 max-h-40 overflow-y-auto rounded-md bg-sunken p-2 font-mono text-xs [overflow-wrap:anywhere]"
      >
        {visible(address)}
      </p>
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <a
          href={address}
          target="_blank"
          rel="noopener noreferrer nofollow"
          onClick={onDone}
          className={buttonClass({ look: "primary" })}
        >
          Open
          <ExternalLink aria-label="in a new tab" className="size-3.5" />
        </a>
      </div>
    </>
  );
}

function Offer({ text, onDone }: { text: string; onDone: () => void }) {
  const [isShown, setIsShown] = useState(false);
  const copy = async () => {
    await copyText(text, "Text");
    onDone();
  };
  return (
    <div
      role="status"
      data-testid="terminal-offer"
      className="flex flex-wrap items-center gap-2 rounded-md border border-attention-border bg-attention-soft px-2 py-1 text-xs"
    >
      <span className="min-w-0 flex-1">
        The program wants to copy {text.length.toLocaleString()} characters to your clipboard.
      </span>
      <Button size="small" look="quiet" aria-expanded={isShown} onClick={() => setIsShown(!isShown)}>
        {isShown ? "Hide" : "Show"}
      </Button>
      <Button size="small" onClick={() => void copy()}>
        Copy
      </Button>
      <Button size="small" look="quiet" onClick={onDone}>
        Ignore
      </Button>
      {isShown && (
        <pre tabIndex={0} className="max-h-32 w-full overflow-auto whitespace-pre-wrap rounded-sm bg-bg p-2">
          {visible(text)}
        </pre>
      )}
    </div>
  );
}
