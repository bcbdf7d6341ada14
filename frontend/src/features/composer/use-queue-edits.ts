// What is being written over queued prompts: saved, given up, or, if a prompt leaves first, kept in the composer.
import { type RefObject, useEffect, useState } from "react";
import { toast } from "sonner";
import { isCode, messageOf } from "@/lib/api/errors";
import { editPrompt } from "@/lib/api/sessions";
import type { Prompt } from "@/lib/api/types";
import { appendToDraft } from "@/lib/drafts";

interface Edit {
  before: string;
  text: string;
  isSaving: boolean;
}

type Edits = Record<string, Edit>;

export function useQueueEdits(
  session: string,
  prompts: Prompt[],
  composer: RefObject<HTMLTextAreaElement | null>,
) {
  const [edits, setEdits] = useState<Edits>({});
  const set = (id: string, edit: Edit | undefined) =>
    setEdits(({ [id]: _, ...others }) => (edit ? { ...others, [id]: edit } : others));
  const keep = (id: string, { before, text }: Edit) => {
    set(id, undefined);
    const active = document.activeElement;
    // Whoever works elsewhere meanwhile goes on there.
    if (!active || active === document.body || active.closest('[data-testid="queue"]')) {
      composer.current?.focus();
    }
    if (!text.trim() || text === before) return;
    appendToDraft(session, text);
    toast("The prompt left the queue before you saved. Your changes are in the message box.", { id });
  };
  useEffect(() => {
    const waiting = new Set(prompts.map(({ id }) => id));
    for (const [id, edit] of Object.entries(edits)) {
      // What is being saved may have arrived in time: the answer will tell.
      if (!waiting.has(id) && !edit.isSaving) keep(id, edit);
    }
  });
  return {
    edits,
    begin: ({ id, text }: Prompt) => set(id, { before: text, text, isSaving: false }),
    write: (id: string, edit: Edit, text: string) => set(id, { ...edit, text }),
    giveUp: (id: string) => set(id, undefined),
    save: async (id: string, edit: Edit) => {
      set(id, { ...edit, isSaving: true });
      try {
        await editPrompt(session, id, edit.text);
        set(id, undefined);
      } catch (error) {
        if (isCode(error, "prompt_not_queued")) keep(id, edit);
        else {
          toast.error(messageOf(error));
          set(id, edit);
        }
      }
    },
  };
}
