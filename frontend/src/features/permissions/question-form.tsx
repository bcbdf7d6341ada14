// An agent's questions: options, several where it allows several, and words of one's own.
import { useState } from "react";
import { Button } from "@/components/button";
import { Choice, Input } from "@/components/form";
import type { Question } from "@/protocol/events";
import type { Ask } from "./ask";

interface QuestionFormProps {
  ask: Ask;
  isBusy: boolean;
  onAnswer: (answers: string[][]) => void;
  onRefuse: (message: string) => void;
}

interface Draft {
  chosen: string[];
  own: string;
}

export function answersOf(drafts: Draft[]): string[][] {
  return drafts.map(({ chosen, own }) => (own.trim() ? [...chosen, own.trim()] : chosen));
}

export function QuestionForm({ ask, isBusy, onAnswer, onRefuse }: QuestionFormProps) {
  const [drafts, setDrafts] = useState<Draft[]>(() => ask.questions.map(() => ({ chosen: [], own: "" })));
  const isComplete = answersOf(drafts).every((answers) => answers.length > 0);
  const change = (index: number, draft: Draft) =>
    setDrafts(drafts.map((old, at) => (at === index ? draft : old)));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isComplete) onAnswer(answersOf(drafts));
      }}
    >
      <div className="flex flex-col gap-3 px-3 py-2">
        {ask.questions.map((question, index) => (
          <OneQuestion
            key={index}
            name={`${ask.id}-${index}`}
            question={question}
            draft={drafts[index] ?? { chosen: [], own: "" }}
            onChange={(draft) => change(index, draft)}
          />
        ))}
      </div>
      <div className="flex justify-end gap-2 border-border border-t px-3 py-2">
        <Button
          look="danger"
          disabled={isBusy}
          onClick={() => onRefuse("")}
          className="mr-auto"
          data-testid="question-refuse"
        >
          Do not answer
        </Button>
        <Button look="primary" type="submit" disabled={isBusy || !isComplete} data-testid="question-answer">
          {isBusy ? "Sending…" : "Answer"}
        </Button>
      </div>
    </form>
  );
}

interface OneQuestionProps {
  name: string;
  question: Question;
  draft: Draft;
  onChange: (draft: Draft) => void;
}

function OneQuestion({ name, question, draft, onChange }: OneQuestionProps) {
  const { options = [], multiple = false, custom = true } = question;
  const toggle = (label: string, isOn: boolean) => {
    if (!multiple) onChange({ chosen: [label], own: "" });
    else
      onChange({
        ...draft,
        chosen: isOn ? [...draft.chosen, label] : draft.chosen.filter((one) => one !== label),
      });
  };
  return (
    <fieldset className="min-w-0">
      <legend className="text-sm font-medium">
        {question.header && <span className="mr-2 text-xs font-normal text-muted">{question.header}</span>}
        {question.question}
      </legend>
      {options.map((option) => (
        <Choice
          key={option.label}
          type={multiple ? "checkbox" : "radio"}
          name={name}
          label={option.label}
          description={option.description}
          checked={draft.chosen.includes(option.label)}
          onChange={(event) => toggle(option.label, event.target.checked)}
        />
      ))}
      {(custom || options.length === 0) && (
        <Input
          aria-label={options.length ? "Another answer" : question.question}
          placeholder={options.length ? "Another answer…" : "Your answer"}
          value={draft.own}
          onChange={(event) => onChange({ chosen: multiple ? draft.chosen : [], own: event.target.value })}
          data-testid="question-own"
          className="mt-1 text-sm"
        />
      )}
    </fieldset>
  );
}
