// Every address of the page: session, tab and file have one, so the back button and shared links work.
import { createRootRoute, createRoute, createRouter } from "@tanstack/react-router";
import { HomePage } from "./home-page";
import { InboxPage } from "./inbox-page";
import { NotFound } from "./not-found";
import { Root } from "./root";
import { SessionRoute } from "./session-route";
import { type SessionSearch, validateSessionSearch } from "./session-search";
import { SettingsPage } from "./settings-page";

const rootRoute = createRootRoute({ component: Root, notFoundComponent: () => <NotFound /> });

const home = createRoute({ getParentRoute: () => rootRoute, path: "/", component: HomePage });

const session = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sessions/$sessionId",
  validateSearch: (search: Record<string, unknown>): SessionSearch => validateSessionSearch(search),
  component: SessionRoute,
});

const inbox = createRoute({ getParentRoute: () => rootRoute, path: "/inbox", component: InboxPage });

const settings = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings/$section",
  component: SettingsPage,
});

const routeTree = rootRoute.addChildren([home, session, inbox, settings]);

export const router = createRouter({ routeTree, defaultPreload: false });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
