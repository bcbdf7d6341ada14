// Why files cannot be shown: the box sleeps, the file is gone, or something is wrong.
import { FolderOpen, Moon } from "lucide-react";
import { Button } from "@/components/button";
import { Empty, Problem } from "@/components/states";
import { isCode } from "@/lib/api/errors";

export function FilesProblem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (isCode(error, "asleep")) {
    return (
      <Empty
        icon={<Moon aria-hidden />}
        action={
          <Button size="small" onClick={onRetry}>
            Look again
          </Button>
        }
      >
        The box is not running, so its files cannot be read now. They are kept.
      </Empty>
    );
  }
  if (isCode(error, "not_found")) {
    return (
      <Empty
        icon={<FolderOpen aria-hidden />}
        action={
          <Button size="small" onClick={onRetry}>
            Look again
          </Button>
        }
      >
        This is not in the workspace any more.
      </Empty>
    );
  }
  return <Problem what="The files could not be read" error={error} onRetry={onRetry} />;
}
