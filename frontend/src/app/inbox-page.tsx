// The inbox as a page.
import { Inbox } from "@/features/permissions/inbox";
import { useMe } from "./me";
import { PageFrame } from "./page-frame";
import { PhoneTabs } from "./phone-tabs";
import { useDocumentTitle } from "./use-attention";

export function InboxPage() {
  useDocumentTitle("Inbox");
  return (
    <PageFrame tabs={<PhoneTabs />}>
      <Inbox me={useMe().name} />
    </PageFrame>
  );
}
