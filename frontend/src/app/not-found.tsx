// An address that leads nowhere.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { buttonClass } from "@/components/button";
import { Empty } from "@/components/states";
import { PageFrame } from "./page-frame";

interface NotFoundProps {
  what?: string;
  /** Other places to look, before the way to the start. */
  children?: ReactNode;
}

export function NotFound({ what = "There is nothing at this address.", children }: NotFoundProps) {
  return (
    <PageFrame>
      <h1 className="sr-only">Not found</h1>
      <Empty
        action={
          <div className="flex flex-wrap justify-center gap-2">
            {children}
            <Link to="/" className={buttonClass()}>
              To the start
            </Link>
          </div>
        }
      >
        {what}
      </Empty>
    </PageFrame>
  );
}
