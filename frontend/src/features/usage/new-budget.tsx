// A new budget: for oneself, one's keys and sessions, and by administrators for groups and other people.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/button";
import { Field, FormError, Input, Select } from "@/components/form";
import { groupsQuery, meQuery } from "@/lib/api/account";
import { keysQuery } from "@/lib/api/keys";
import type { Budget, NewBudget } from "@/lib/api/types";
import { createBudget, usageQuery } from "@/lib/api/usage";
import { limitFrom, NOT_A_LIMIT, PERIODS, UNITS } from "./measures";
import { useBudgetChanges } from "./use-budget-changes";

const DAYS = 30;

export function NewBudgetForm({ isAdmin }: { isAdmin: boolean }) {
  const change = useBudgetChanges();
  const [chosen, setChosen] = useState("user me");
  const [measure, setMeasure] = useState<NewBudget["measure"]>("money");
  const [period, setPeriod] = useState<Budget["period"]>("month");
  const [limit, setLimit] = useState("");
  const [problem, setProblem] = useState("");
  const submit = async () => {
    const wanted = limitFrom(limit, measure);
    setProblem(wanted === null ? NOT_A_LIMIT : "");
    if (wanted === null) return;
    const [kind = "user", subject = "me"] = chosen.split(" ");
    const isMade = await change(() =>
      createBudget({
        subject_kind: kind as NewBudget["subject_kind"],
        subject,
        measure,
        period,
        limit: wanted,
      }),
    );
    // What was typed meanwhile stays.
    if (isMade) setLimit((now) => (now === limit ? "" : now));
  };
  return (
    <form
      aria-label="New budget"
      className="flex flex-wrap items-end gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field label="For" className="max-w-60">
        {(ids) => (
          <Select {...ids} value={chosen} onChange={(event) => setChosen(event.target.value)}>
            <Subjects isAdmin={isAdmin} />
          </Select>
        )}
      </Field>
      <Field label="Limit">
        {(ids) => (
          <Input
            {...ids}
            inputMode="decimal"
            className="w-28"
            value={limit}
            onChange={(event) => setLimit(event.target.value)}
          />
        )}
      </Field>
      <Field label="Of">
        {(ids) => (
          <Select
            {...ids}
            value={measure}
            onChange={(event) => setMeasure(event.target.value as NewBudget["measure"])}
          >
            {Object.entries(UNITS).map(([id, unit]) => (
              <option key={id} value={id}>
                {unit.label}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Period">
        {(ids) => (
          <Select
            {...ids}
            value={period}
            onChange={(event) => setPeriod(event.target.value as Budget["period"])}
          >
            {Object.entries(PERIODS).map(([id, words]) => (
              <option key={id} value={id}>
                {words}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Button type="submit" look="primary">
        Set budget
      </Button>
      {problem && <FormError>{problem}</FormError>}
    </form>
  );
}

/**
 * What there may be a budget for: the kind and the id, as one value. Sessions are those that were used of late, and
 * people those who used something then; for anybody else there is the admin.
 */
function Subjects({ isAdmin }: { isAdmin: boolean }) {
  const groups = useQuery({ ...groupsQuery, enabled: isAdmin });
  const people = useQuery({ ...usageQuery(DAYS, "user", "everybody"), enabled: isAdmin });
  const { data: me } = useQuery(meQuery);
  const others = people.data?.results.filter((row) => row.user !== me?.id);
  const keys = useQuery(keysQuery);
  const sessions = useQuery(usageQuery(DAYS, "session", "me"));
  const own = keys.data?.filter((key) => !key.is_shared_with_me);
  return (
    <>
      <option value="user me">My account</option>
      <Options
        label="Groups"
        of={groups.data?.map((group) => ({ value: `group ${group.id}`, name: group.name }))}
      />
      <Options
        label="People"
        of={others?.map((row) => ({ value: `user ${row.user}`, name: row.email ?? "" }))}
      />
      <Options
        label="Keys"
        of={own?.map((key) => ({
          value: `key ${key.id}`,
          name: `${key.provider} ${key.label || `…${key.hint}`}`,
        }))}
      />
      <Options
        label="Sessions"
        of={sessions.data?.results.map((row) => ({
          value: `session ${row.session}`,
          name: row.title || "Untitled session",
        }))}
      />
    </>
  );
}

function Options({ label, of }: { label: string; of: { value: string; name: string }[] | undefined }) {
  if (!of || of.length === 0) return null;
  return (
    <optgroup label={label}>
      {of.map(({ value, name }) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </optgroup>
  );
}
