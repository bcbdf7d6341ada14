// Why files cannot be shown: the box sleeps, the file is gone, or something is wrong.
import { FolderOpen, Moon } from "lucide-react";
import { Problem } from "@/components/states";
import { isCode } from "@/lib/api/errors";
import { LookAgain } from "./look-again";

export function FilesProblem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (isCode(error, "asleep")) {
    return (
      <LookAgain icon={<Moon aria-hidden />} onLook={onRetry}>
        The box is not running, so its files cannot be read now. They are kept.
      </LookAgain>
    );
  }
  if (isCode(error, "not_found")) {
    return (
      <LookAgain icon={<FolderOpen aria-hidden />} onLook={onRetry}>
        This is not in the workspace any more.
      </LookAgain>
    );
  }
  return <Problem what="The files could not be read" error={error} onRetry={onRetry} />;
}
