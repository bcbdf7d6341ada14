// What happened between turns: the box woke, slept or was lost.
import { CircleX, Globe, Moon, PlugZap, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { absoluteTime } from "@/lib/time";
import type { Notice } from "@/protocol/conversation";
import type { AgentInfo, ErrorData, PermissionChoice } from "@/protocol/events";
import { ErrorCard, titleOfError } from "./error-card";

const STOP_WORDS: Record<string, string> = {
  idle: "Asleep after a while without work",
  user: "Put to sleep",
  budget: "Asleep: its budget of hours is used up",
  uncounted: "Asleep: a budget binds it, and what its login uses is not counted",
  shutdown: "OpenAgent was stopped; asleep",
};

interface NoticeLineProps {
  notice: Notice;
  /** More has happened since: a failure is history by now, and needs no card. */
  isPast: boolean;
}

export function NoticeLine({ notice, isPast }: NoticeLineProps) {
  const { kind, data } = notice;
  if (!isPast && kind === "error") {
    const error = data as unknown as ErrorData;
    return <ErrorCard errorClass={error.class} message={error.message} retryAt={error.retry_at} />;
  }
  if (!isPast && kind === "instance.lost") {
    const { message } = data as { message?: string };
    return (
      <div
        data-testid="notice"
        data-kind={kind}
        className="measure flex gap-2.5 rounded-md border border-attention-border bg-attention-soft px-3 py-2 text-sm"
      >
        <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-attention" />
        <p>
          <span className="font-medium">The box was lost.</span> {message} Files and conversation are kept;
          the next prompt starts it again, and brings what the agent said last if it is missing here.
        </p>
      </div>
    );
  }
  const { icon, words } = wordsOf(notice);
  return words ? (
    <Divider kind={kind} at={notice.ts} icon={icon}>
      {words}
    </Divider>
  ) : null;
}

function wordsOf({ kind, data }: Notice): { icon: ReactNode; words: string } {
  if (kind === "error") {
    const error = data as unknown as ErrorData;
    return {
      icon: <CircleX />,
      words: [titleOfError(error.class), error.message].filter(Boolean).join(": "),
    };
  }
  if (kind === "permission.answered")
    return { icon: <Globe />, words: answerAbout(data as unknown as AnswerAboutHost) };
  if (kind === "instance.lost") {
    const { message } = data as { message?: string };
    return { icon: <TriangleAlert />, words: ["The box was lost", message].filter(Boolean).join(": ") };
  }
  if (kind === "instance.started") {
    const { agent, resumed } = data as { agent?: AgentInfo; resumed?: boolean };
    const name = agent ? `${agent.name} ${agent.version}` : "The agent";
    return { icon: <PlugZap />, words: resumed ? `${name} woke up` : `${name} is ready` };
  }
  if (kind === "instance.stopped") {
    const { reason = "" } = data as { reason?: string };
    return { icon: <Moon />, words: STOP_WORDS[reason] ?? "Asleep" };
  }
  if (kind === "events.suppressed") {
    const { count = 0, kind: what = "" } = data as { count?: number; kind?: string };
    return {
      icon: <TriangleAlert />,
      words: `${count.toLocaleString()} events (${what}) were left out: too many`,
    };
  }
  return { icon: null, words: "" };
}

interface DividerProps {
  kind: string;
  at: string;
  icon: ReactNode;
  children: string;
}

function Divider({ kind, at, icon, children }: DividerProps) {
  return (
    <div
      data-testid="notice"
      data-kind={kind}
      title={`${absoluteTime(at)}\n${children}`}
      className="measure flex items-center gap-2 text-xs text-faint [&_svg]:size-3"
    >
      <span className="h-px min-w-4 flex-1 bg-border" />
      <span aria-hidden>{icon}</span>
      <span className="truncate">{children}</span>
      <span className="h-px min-w-4 flex-1 bg-border" />
    </div>
  );
}

interface AnswerAboutHost {
  host: string;
  choice: PermissionChoice;
  user?: string;
}

const ABOUT_HOST: Partial<Record<PermissionChoice, string>> = {
  once: "allowed once",
  session: "allowed in this session",
  always: "always allowed",
  never: "never allowed",
  reject: "not allowed",
};

/** A host that a program asked for outside of any turn: what was said of it stays readable. */
function answerAbout({ host, choice, user }: AnswerAboutHost): string {
  const outcome = ABOUT_HOST[choice];
  return outcome ? `${host}: ${outcome}${user ? ` by ${user}` : ""}` : "";
}
