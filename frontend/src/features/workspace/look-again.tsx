// Why there is nothing to see now, in the place of what would be there, and the button that looks again.
import type { ReactNode } from "react";
import { Button } from "@/components/button";
import { Empty } from "@/components/states";

interface LookAgainProps {
  icon: ReactNode;
  children: ReactNode;
  onLook: () => void;
}

export function LookAgain({ icon, children, onLook }: LookAgainProps) {
  return (
    <Empty
      icon={icon}
      action={
        <Button size="small" onClick={onLook}>
          Look again
        </Button>
      }
    >
      {children}
    </Empty>
  );
}
