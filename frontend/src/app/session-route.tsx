// The address of a session leads to its page; another session is another page.
import { useParams } from "@tanstack/react-router";
import { SessionPage } from "./session-page";

export function SessionRoute() {
  const { sessionId } = useParams({ from: "/sessions/$sessionId" });
  return <SessionPage key={sessionId} id={sessionId} />;
}
