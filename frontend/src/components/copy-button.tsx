// Copies a text and says so.
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { copyText } from "@/lib/clipboard";
import { IconButton } from "./button";

interface CopyButtonProps {
  text: string | (() => string);
  /** What is copied, for the name and the announcement: "Code", "Message". */
  what: string;
  className?: string;
}

export function CopyButton({ text, what, className }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => setCopied(await copyText(typeof text === "string" ? text : text(), what));
  return (
    <IconButton label={`Copy ${what.toLowerCase()}`} small onClick={copy} className={className}>
      {copied ? <Check className="size-3.5 text-ok" /> : <Copy className="size-3.5" />}
    </IconButton>
  );
}
