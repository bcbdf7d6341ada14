// The start: what is still missing, and the form for a new session.
import { Link } from "@tanstack/react-router";
import { KeyRound } from "lucide-react";
import { NewSessionForm } from "@/features/sessions/new-session-form";
import { useMe } from "./me";
import { PageFrame } from "./page-frame";
import { PhoneTabs } from "./phone-tabs";
import { useDocumentTitle } from "./use-attention";

export function HomePage() {
  const me = useMe();
  useDocumentTitle("New session");
  return (
    <PageFrame tabs={<PhoneTabs />}>
      <h1 className="text-xl font-semibold">New session</h1>
      {!me.has_keys && (
        <p className="mt-1 text-sm text-muted">
          <KeyRound aria-hidden className="mr-1.5 inline size-3.5" />
          You have no provider key yet.{" "}
          <Link to="/settings/$section" params={{ section: "keys" }} className="text-accent underline">
            Add one
          </Link>{" "}
          or try the scripted demo.
        </p>
      )}
      <div className="mt-5">
        <NewSessionForm />
      </div>
    </PageFrame>
  );
}
