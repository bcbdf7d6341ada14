// Who is here decides what is shown: set-up, sign-in, or the product at whatever address was asked for.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Toaster, toast } from "sonner";
import { ErrorBoundary } from "@/components/error-boundary";
import { LiveRegions } from "@/components/live-regions";
import { Problem } from "@/components/states";
import { SetupForm } from "@/features/account/setup-form";
import { SignInAgain, SignInPage } from "@/features/account/sign-in-form";
import { meQuery, setupQuery } from "@/lib/api/account";
import { onSignedOut } from "@/lib/api/client";
import type { Me } from "@/lib/api/types";
import { onLiveSignedOut, resumeAfterSignIn } from "@/lib/live/session-store";
import { usePreferences } from "@/lib/preferences";
import { MeProvider } from "./me";
import { Shell } from "./shell";

export function Root() {
  const theme = usePreferences((preferences) => preferences.theme);
  return (
    <ErrorBoundary name="The page">
      <Entrance />
      <LiveRegions />
      <Toaster theme={theme} position="bottom-right" offset={16} toastOptions={{ className: "toast" }} />
    </ErrorBoundary>
  );
}

function Entrance() {
  const queries = useQueryClient();
  const me = useQuery(meQuery);
  if (me.isPending) return <main aria-busy="true" className="h-full bg-side" />;
  if (me.error && me.data === undefined) {
    return (
      <main className="h-full bg-side pt-[20vh]">
        <Problem what="OpenAgent cannot be reached" error={me.error} onRetry={() => me.refetch()} />
      </main>
    );
  }
  if (me.data) return <SignedIn me={me.data} />;
  return <Strangers onIn={() => queries.invalidateQueries()} />;
}

function Strangers({ onIn }: { onIn: () => void }) {
  const queries = useQueryClient();
  const setup = useQuery(setupQuery);
  if (setup.isPending) return <main aria-busy="true" className="h-full bg-side" />;
  if (setup.data?.needed) {
    const done = (me: Me) => {
      queries.setQueryData(setupQuery.queryKey, { needed: false, code_required: false });
      queries.setQueryData(meQuery.queryKey, me);
    };
    const tooLate = () => {
      toast("OpenAgent has been set up already. Sign in.");
      void setup.refetch();
    };
    return <SetupForm isCodeRequired={setup.data.code_required} onDone={done} onTooLate={tooLate} />;
  }
  return <SignInPage onDone={onIn} />;
}

function SignedIn({ me }: { me: Me }) {
  const [isOut, setIsOut] = useState(false);
  const queries = useQueryClient();
  useEffect(() => onSignedOut(() => setIsOut(true)), []);
  useEffect(() => onLiveSignedOut(() => setIsOut(true)), []);
  const backIn = async () => {
    const now = await queries.fetchQuery({ ...meQuery, staleTime: 0 });
    // Somebody else may have signed in: nothing of the first one may stay on the screen.
    if (now?.id !== me.id) location.reload();
    setIsOut(false);
    resumeAfterSignIn();
    await queries.invalidateQueries();
  };
  return (
    <MeProvider value={me}>
      <Shell />
      <SignInAgain open={isOut} email={me.email} onDone={backIn} />
    </MeProvider>
  );
}
