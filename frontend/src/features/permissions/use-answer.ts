// Answering: the first answer wins, and whoever was slower is told who was first.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { messageOf } from "@/lib/api/errors";
import { answerPermission, whoWasFirst } from "@/lib/api/permissions";
import type { PermissionAnswer } from "@/lib/api/types";
import { wordsOf } from "./ask";

export function useAnswer(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (answer: PermissionAnswer) => answerPermission(id, answer),
    onError: (error) => {
      const first = whoWasFirst(error);
      if (first) toast(`${first.name} was first: ${wordsOf(first.choice)}`);
      else toast.error(messageOf(error));
    },
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ["permissions"] }),
        queries.invalidateQueries({ queryKey: ["egress"] }),
      ]),
  });
}
