// Keeps a fault of one panel in that panel, and reports it.
import { Component, type ErrorInfo, type ReactNode } from "react";
import { reportError } from "@/lib/client-errors";
import { Problem } from "./states";

interface Props {
  /** The place, as the user would call it. */
  name: string;
  children: ReactNode;
}

export class ErrorBoundary extends Component<Props, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    reportError(error, info.componentStack ?? "");
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <Problem
        what={`${this.props.name} could not be shown`}
        error={new Error("This is a fault of ours. It was reported; nothing that was stored is lost.")}
        onRetry={() => this.setState({ error: null })}
        className="h-full"
      />
    );
  }
}
