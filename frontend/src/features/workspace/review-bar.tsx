// The comments that were written, on their way to the agent: put into a prompt, or discarded.
import { Sparkles } from "lucide-react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { clearReview, promptOf, restoreReview, useReview } from "./review";

export const inWords = (comments: number) => (comments === 1 ? "1 comment" : `${comments} comments`);

interface ReviewBarProps {
  session: string;
  onSendToAgent: (text: string) => void;
}

export function ReviewBar({ session, onSendToAgent }: ReviewBarProps) {
  const comments = useReview(session);
  if (comments.length === 0) return null;
  const send = () => {
    onSendToAgent(promptOf(comments));
    clearReview(session);
  };
  const discard = () => {
    clearReview(session);
    toast(`${inWords(comments.length)} discarded`, {
      action: { label: "Undo", onClick: () => restoreReview(session, comments) },
    });
  };
  return (
    <div
      data-testid="review-bar"
      className="flex shrink-0 flex-wrap items-center gap-2 border-border border-t bg-side px-3 py-1.5 text-xs"
    >
      <span className="min-w-0 flex-1 text-muted">{inWords(comments.length)}</span>
      <Button size="small" look="quiet" onClick={discard}>
        Discard
      </Button>
      <Button size="small" look="primary" onClick={send}>
        <Sparkles className="size-3" />
        Put into a prompt
      </Button>
    </div>
  );
}
