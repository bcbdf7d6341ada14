// Changes budgets, then asks how they stand; what is refused is told.
import { useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { messageOf } from "@/lib/api/errors";
import { budgetsQuery } from "@/lib/api/usage";

export function useBudgetChanges() {
  const queries = useQueryClient();
  return async (change: () => Promise<unknown>) => {
    try {
      await change();
      await queries.invalidateQueries({ queryKey: budgetsQuery.queryKey });
    } catch (error) {
      toast.error(messageOf(error));
    }
  };
}
