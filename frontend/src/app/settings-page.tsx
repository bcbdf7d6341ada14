// The settings: one page per subject.
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { AccountPage } from "@/features/account/account-page";
import { KeysPage } from "@/features/keys/keys-page";
import { RulesPage } from "@/features/network/rules-page";
import { DeletedPage } from "@/features/sessions/deleted-page";
import { AppearancePage } from "@/features/settings/appearance-page";
import { ShortcutsPage } from "@/features/settings/shortcuts-page";
import { TokensPage } from "@/features/tokens/tokens-page";
import { UsagePage } from "@/features/usage/usage-page";
import { useMe } from "./me";
import { NotFound } from "./not-found";
import { PageFrame } from "./page-frame";
import { PhoneTabs } from "./phone-tabs";
import { useDocumentTitle } from "./use-attention";

const SECTIONS: { id: string; label: string; page: () => ReactNode }[] = [
  { id: "keys", label: "Keys", page: () => <KeysPage /> },
  { id: "network", label: "Network", page: () => <RulesPage /> },
  { id: "usage", label: "Usage", page: () => <UsagePage /> },
  { id: "tokens", label: "Tokens", page: () => <TokensPage /> },
  { id: "deleted", label: "Deleted", page: () => <DeletedPage /> },
  { id: "appearance", label: "Appearance", page: () => <AppearancePage /> },
  { id: "shortcuts", label: "Shortcuts", page: () => <ShortcutsPage /> },
  { id: "account", label: "Account", page: () => <Account /> },
];

function Account() {
  return <AccountPage me={useMe()} />;
}

export function SettingsPage() {
  const { section } = useParams({ from: "/settings/$section" });
  const current = SECTIONS.find((candidate) => candidate.id === section);
  useDocumentTitle(current?.label ?? "Settings");
  if (!current) return <NotFound />;
  return (
    <PageFrame tabs={<PhoneTabs />}>
      <nav aria-label="Settings" className="mb-6 flex flex-wrap gap-x-1 border-border border-b">
        {SECTIONS.map(({ id, label }) => (
          <Link
            key={id}
            to="/settings/$section"
            params={{ section: id }}
            className="-mb-px flex h-(--row) items-center whitespace-nowrap border-transparent border-b-2 px-2.5 text-sm text-muted transition-ui hover:text-fg aria-[current=page]:border-accent aria-[current=page]:text-fg"
          >
            {label}
          </Link>
        ))}
      </nav>
      {current.page()}
    </PageFrame>
  );
}
