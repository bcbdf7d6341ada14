// The browsers in which somebody is signed in, and ending what they have forgotten somewhere.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Monitor, Smartphone } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { Confirm } from "@/components/dialog";
import { Problem, Skeleton } from "@/components/states";
import { RelativeTime } from "@/components/time";
import { browsersQuery, signOutBrowser, signOutOtherBrowsers } from "@/lib/api/account";
import { messageOf } from "@/lib/api/errors";
import type { Browser } from "@/lib/api/types";

export function Browsers() {
  const queries = useQueryClient();
  const browsers = useQuery(browsersQuery);
  const [isAsking, setIsAsking] = useState(false);
  const signOutOthers = async () => {
    await signOutOtherBrowsers();
    await queries.invalidateQueries({ queryKey: browsersQuery.queryKey });
  };
  return (
    <section aria-labelledby="browsers-title" data-testid="browsers">
      <header className="mb-2 flex items-center justify-between gap-3">
        <h2 id="browsers-title" className="text-base font-semibold">
          Where you are signed in
        </h2>
        {browsers.data && browsers.data.length > 1 && (
          <Button size="small" look="danger" onClick={() => setIsAsking(true)}>
            Sign out all others
          </Button>
        )}
      </header>
      {browsers.isPending && <Skeleton lines={2} />}
      {browsers.error && (
        <Problem
          what="The browsers could not be loaded"
          error={browsers.error}
          onRetry={() => browsers.refetch()}
        />
      )}
      {browsers.data && (
        <ul className="divide-y divide-border rounded-lg border border-border bg-raised">
          {browsers.data.map((browser) => (
            <BrowserRow key={browser.id} browser={browser} />
          ))}
        </ul>
      )}
      <Confirm
        open={isAsking}
        onClose={() => setIsAsking(false)}
        title="Sign out everywhere else?"
        action="Sign out all others"
        onConfirm={signOutOthers}
      >
        Every other browser asks for the password again. Sessions go on, and access tokens stay.
      </Confirm>
    </section>
  );
}

function BrowserRow({ browser }: { browser: Browser }) {
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationFn: () => signOutBrowser(browser.id),
    onError: (error) => toast.error(messageOf(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: browsersQuery.queryKey }),
  });
  const Icon = /iPhone|Android/.test(browser.name) ? Smartphone : Monitor;
  return (
    <li className="flex items-center gap-3 px-3 py-2.5" data-testid="browser-row">
      <Icon aria-hidden className="size-4 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="text-sm font-medium">
          {browser.name}
          {browser.is_current && <span className="ml-2 text-xs font-normal text-ok">this browser</span>}
        </p>
        <p className="flex flex-wrap gap-x-3 text-xs text-muted">
          {browser.seen_at && (
            <span>
              seen <RelativeTime at={browser.seen_at} />
            </span>
          )}
          {browser.since && (
            <span>
              signed in <RelativeTime at={browser.since} />
            </span>
          )}
        </p>
      </div>
      {!browser.is_current && (
        <Button
          size="small"
          aria-label={`Sign out ${browser.name}`}
          disabled={mutation.isPending}
          onClick={() => mutation.mutate()}
        >
          Sign out
        </Button>
      )}
    </li>
  );
}
