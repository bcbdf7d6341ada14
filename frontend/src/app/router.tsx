// Every address of the page: session, tab and file have one, so the back button and shared links work.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { HomePage } from "./home-page";
import { NotFound } from "./not-found";
import { Root } from "./root";
import { type SessionSearch, validateSessionSearch } from "./session-search";

const rootRoute = createRootRoute({ component: Root, notFoundComponent: () => <NotFound /> });

const home = createRoute({ getParentRoute: () => rootRoute, path: "/", component: HomePage });

const session = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sessions/$sessionId",
  validateSearch: (search: Record<string, unknown>): SessionSearch => validateSessionSearch(search),
  component: lazyRouteComponent(() => import("./session-route"), "SessionRoute"),
});

const inbox = createRoute({
  getParentRoute: () => rootRoute,
  path: "/inbox",
  component: lazyRouteComponent(() => import("./inbox-page"), "InboxPage"),
});

const settings = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings/$section",
  component: lazyRouteComponent(() => import("./settings-page"), "SettingsPage"),
});

const settingsStart = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings",
  beforeLoad: () => {
    throw redirect({ to: "/settings/$section", params: { section: "keys" } });
  },
});

const routeTree = rootRoute.addChildren([home, session, inbox, settings, settingsStart]);

export const router = createRouter({ routeTree, defaultPreload: false });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
