// A box that starts: what is done in the past tense, what is under way in the present.
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Instance } from "@/lib/api/types";
import { StartStages } from "./start-stages";

test("the stage under way does not read as done, and each that is done has its time", () => {
  const names = ["requested", "image", "volume", "created", "sidecar", "box"];
  const stages = names.map((name, index) => ({ name, elapsed_ms: 1200 * index + 100 }));
  render(<StartStages instance={{ stages } as unknown as Instance} onCancel={() => {}} />);
  expect(screen.getByText("Box connected").closest("li")?.dataset.state).toBe("done");
  expect(screen.getAllByRole("listitem").map((stage) => stage.textContent)).toEqual([
    "Asked for a box0.1 s",
    "Image found1.3 s",
    "Disk ready2.5 s",
    "Box made3.7 s",
    "Sidecar connected4.9 s",
    "Box connected6.1 s",
    "Starting the agent",
    "Getting ready",
  ]);
  expect(screen.getByText("Starting the agent").closest("li")?.dataset.state).toBe("current");
  expect(screen.queryByText("Agent started")).toBeNull();
});

test("a repository is cloned before the agent starts, and one sees how far it is", () => {
  const instance = {
    stages: ["requested", "created", "sidecar", "box"].map((name) => ({ name, elapsed_ms: 1 })),
    progress: "Receiving objects: 12 %",
  } as unknown as Instance;
  const { rerender } = render(<StartStages instance={instance} hasRepository onCancel={() => {}} />);
  const cloning = screen.getByText("Cloning the repository").closest("li");
  expect(cloning?.dataset.state).toBe("current");
  expect(cloning?.textContent).toContain("Receiving objects: 12 %");
  expect(screen.getByText("Starting the agent").closest("li")?.dataset.state).toBe("ahead");
  rerender(<StartStages instance={instance} onCancel={() => {}} />);
  expect(screen.queryByText("Cloning the repository")).toBeNull();
});

test("one that finds no place says what it waits for, and afterwards that it waited", () => {
  const waiting = {
    state: "requested",
    stages: ["requested", "waiting"].map((name) => ({ name, elapsed_ms: null })),
  };
  const { rerender } = render(<StartStages instance={waiting as unknown as Instance} onCancel={() => {}} />);
  expect(screen.getByText(/^Waiting for a place/).closest("li")?.dataset.state).toBe("current");
  rerender(
    <StartStages instance={{ ...waiting, state: "starting" } as unknown as Instance} onCancel={() => {}} />,
  );
  expect(screen.getByText("Waited for a place").closest("li")?.dataset.state).toBe("done");
  expect(screen.getByText("Looking for the image").closest("li")?.dataset.state).toBe("current");
});
