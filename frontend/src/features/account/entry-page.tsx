// The page around set-up and sign-in.
import type { ReactNode } from "react";
import { Logo } from "@/components/logo";

interface EntryPageProps {
  title: string;
  lead?: string;
  children: ReactNode;
}

export function EntryPage({ title, lead, children }: EntryPageProps) {
  return (
    <main className="flex h-full items-start justify-center overflow-y-auto bg-side p-4 pt-[14vh] max-md:pt-10">
      <div className="w-full max-w-90">
        <div className="mb-4 flex items-center gap-2 text-sm font-semibold">
          <Logo className="size-6" />
          OpenAgent
        </div>
        <div className="rounded-lg border border-border bg-raised p-5">
          <h1 className="text-xl font-semibold leading-tight">{title}</h1>
          {lead && <p className="mt-1 text-sm text-muted">{lead}</p>}
          <div className="mt-4">{children}</div>
        </div>
      </div>
    </main>
  );
}
