// An address that leads nowhere.
import { Link } from "@tanstack/react-router";
import { buttonClass } from "@/components/button";
import { Empty } from "@/components/states";
import { PageFrame } from "./page-frame";

export function NotFound({ what = "There is nothing at this address." }: { what?: string }) {
  return (
    <PageFrame>
      <h1 className="sr-only">Not found</h1>
      <Empty
        action={
          <Link to="/" className={buttonClass()}>
            To the start
          </Link>
        }
      >
        {what}
      </Empty>
    </PageFrame>
  );
}
