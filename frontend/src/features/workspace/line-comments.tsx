// What is written at a line of a diff: the comments that are there, and the field for the next one.
import { Trash2 } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { Button, IconButton } from "@/components/button";
import { TextArea } from "@/components/form";
import { isComposing } from "@/lib/shortcuts";
import type { ReviewComment } from "./review";
import { changeDraft, closeDraft, useDraft } from "./review-drafts";

export function LineComment({ comment, onRemove }: { comment: ReviewComment; onRemove: () => void }) {
  return (
    <div
      data-testid="line-comment"
      className="flex items-start gap-2 border-attention border-l-2 bg-raised px-3 py-1.5 font-sans text-sm"
    >
      <p className="min-w-0 flex-1 whitespace-pre-wrap [overflow-wrap:anywhere]">{comment.text}</p>
      <IconButton label="Remove the comment" small onClick={onRemove}>
        <Trash2 className="size-3.5" />
      </IconButton>
    </div>
  );
}

interface CommentFieldProps {
  session: string;
  place: string;
  /** Where, in words. */
  where: string;
  onSave: (text: string) => void;
}

export function CommentField({ session, place, where, onSave }: CommentFieldProps) {
  const text = useDraft(session, place);
  // One that comes back with its file took the focus from nobody.
  const [cameFrom] = useState(() => (text === "" ? document.activeElement : null));
  const close = () => {
    closeDraft(session, place);
    if (cameFrom instanceof HTMLElement) cameFrom.focus({ preventScroll: true });
  };
  const save = () => {
    if (!text.trim()) return;
    onSave(text.trim());
    close();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  };
  return (
    <div className="border-accent border-l-2 bg-raised p-2 font-sans">
      <TextArea
        aria-label={`Comment on ${where}`}
        autoFocus={cameFrom !== null}
        rows={2}
        value={text}
        onChange={(event) => changeDraft(session, place, event.target.value)}
        onKeyDown={onKeyDown}
        data-testid="comment-field"
      />
      <div className="mt-1.5 flex justify-end gap-1.5">
        <Button size="small" look="quiet" onClick={close}>
          Cancel
        </Button>
        <Button size="small" look="primary" disabled={!text.trim()} onClick={save}>
          Add comment
        </Button>
      </div>
    </div>
  );
}
