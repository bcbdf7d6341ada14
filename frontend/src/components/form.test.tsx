// Fields: what is wrong does not hide what helps.
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Field, Input } from "./form";

test("an error stands beside the hint, and both describe the control", () => {
  render(
    <Field label="Key" hint="Looks like xai-…" error="This is no key.">
      {(ids) => <Input {...ids} />}
    </Field>,
  );
  const control = screen.getByLabelText("Key");
  const note = document.getElementById(control.getAttribute("aria-describedby") ?? "");
  expect(note?.textContent).toBe("This is no key.Looks like xai-…");
  expect(control.getAttribute("aria-invalid")).toBe("true");
});
