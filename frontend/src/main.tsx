// Starts the single page.
import "./styles/main.css";
import { Tooltip } from "@base-ui/react/tooltip";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { router } from "./app/router";
import { ApiError, Unreachable } from "./lib/api/errors";
import { reportError, reportUncaughtErrors } from "./lib/client-errors";
import { reloadWhenOutdated } from "./lib/outdated";
import { applyPreferences } from "./lib/preferences";

/** What the platform says, or that it cannot be reached, is no fault of the page. */
function reportFault(error: unknown): void {
  if (!(error instanceof ApiError || error instanceof Unreachable)) reportError(error);
}

const queries = new QueryClient({
  queryCache: new QueryCache({ onError: reportFault }),
  mutationCache: new MutationCache({ onError: reportFault }),
  defaultOptions: {
    queries: {
      // An answer that refuses stays the same; only what did not arrive is worth another try.
      retry: (failures, error) => failures < 2 && error instanceof Unreachable,
      refetchOnWindowFocus: true,
    },
  },
});

reportUncaughtErrors();
reloadWhenOutdated();
applyPreferences();

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Tooltip.Provider delay={500}>
        <RouterProvider router={router} />
      </Tooltip.Provider>
    </QueryClientProvider>
  </StrictMode>,
);
