// Changes budgets, then asks how they stand; what is refused is told.
import { useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { messageOf } from "@/lib/api/errors";
import { budgetsQuery } from "@/lib/api/usage";

/** Resolves to whether the change was made. */
export function useBudgetChanges() {
  const queries = useQueryClient();
  return async (change: () => Promise<unknown>): Promise<boolean> => {
    try {
      await change();
    } catch (error) {
      toast.error(messageOf(error));
      return false;
    }
    await queries.invalidateQueries({ queryKey: budgetsQuery.queryKey });
    return true;
  };
}
