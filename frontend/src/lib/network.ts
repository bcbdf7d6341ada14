// What a box may reach of the network, in words.
import type { EgressPolicy } from "./api/types";

export const POLICIES: { id: EgressPolicy; label: string; description: string }[] = [
  { id: "none", label: "Nothing", description: "Only the model can be reached. No packages, no git." },
  {
    id: "allow-list",
    label: "Allowed hosts",
    description: "Package registries, git hosts, and the hosts that you allow.",
  },
  {
    id: "full",
    label: "Everything",
    description: "All public hosts. Whatever the box can read can be sent anywhere.",
  },
];

/** Those that the administrator allows. */
export function policiesUpTo(loosest: EgressPolicy): typeof POLICIES {
  const last = POLICIES.findIndex(({ id }) => id === loosest);
  return POLICIES.slice(0, last + 1);
}

const REASONS: Record<string, string> = {
  policy_none: "this session reaches nothing",
  not_allowed: "not on the list",
  never: "never allowed",
  rejected: "you said not now",
  unanswered: "nobody answered in time",
  too_many_questions: "too many questions at a time",
  port: "this port was not allowed",
  private: "leads into a private network",
  odd_host: "not written as a host is",
};

/** Why a host was refused. */
export function reasonOf(code: string): string {
  return REASONS[code] ?? code.replaceAll("_", " ");
}

/** Whether allowing the host would let it through. */
export function canBeAllowed(code: string): boolean {
  return !["private", "odd_host"].includes(code);
}

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** An amount of bytes as people say it. */
export function sizeOf(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1000 ** step;
  return `${step === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[step]}`;
}

/** A host with its port, unless that says nothing. */
export function hostWithPort(host: string, port: number): string {
  return port === 443 || port === 80 ? host : `${host}:${port}`;
}
