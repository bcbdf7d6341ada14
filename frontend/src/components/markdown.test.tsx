// An agent's markdown is hostile: what it may and may not put on the page.
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { hostOf, Markdown } from "./markdown";

describe("Markdown", () => {
  test("shows raw HTML as text", () => {
    const { container } = render(
      <Markdown text={"Before <img src=x onerror=alert(1)> <script>alert(1)</script> after"} />,
    );
    expect(container.querySelector("img, script")).toBeNull();
    expect(container.textContent).toContain("<img src=x onerror=alert(1)>");
  });

  test("does not load pictures, but says where they are", () => {
    const { container } = render(<Markdown text="![secret](https://tracker.example/?q=1)" />);
    expect(container.querySelector("img")).toBeNull();
    expect(screen.getByRole("link").textContent).toContain("Picture: secret (tracker.example)");
  });

  test("links say which host they lead to, and open without a referrer", () => {
    render(<Markdown text="[the docs](https://docs.example/page)" />);
    const link = screen.getByRole("link");
    expect(link.textContent).toContain("the docs (docs.example)");
    expect(link.getAttribute("rel")).toBe("noopener noreferrer nofollow");
    expect(link.getAttribute("target")).toBe("_blank");
  });

  test.each(["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "/admin/", "not a url"])(
    "%s is no link",
    (href) => {
      const { container } = render(<Markdown text={`[text](${href})`} />);
      expect(container.querySelector("a")).toBeNull();
      expect(container.textContent).toContain("text");
    },
  );

  test("code keeps its characters and can be copied", () => {
    render(<Markdown text={"```python\nx = '<b>'\n```"} />);
    expect(screen.getByText("x = '<b>'")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Copy code" })).toBeTruthy();
  });

  test("characters that hide or turn others are shown by number, and code is copied as it is", async () => {
    const { container } = render(
      <Markdown text={"A *user\u202etxt.exe* and `a\u200bb`.\n\n```sh\necho \u202e# hi\n```"} />,
    );
    expect(container.textContent).toContain("user⟨U+202E⟩txt.exe and a⟨U+200B⟩b.");
    expect(screen.getByText("echo ⟨U+202E⟩# hi")).toBeTruthy();
    await userEvent.setup().click(screen.getByRole("button", { name: "Copy code" }));
    expect(await navigator.clipboard.readText()).toBe("echo \u202e# hi");
  });

  test("what is half-written shows without its marks while more may come", () => {
    const { container } = render(<Markdown text="This is **bold" isStreaming />);
    expect(container.textContent).toBe("This is bold");
  });
});

test("hostOf knows only addresses that may be followed", () => {
  expect(hostOf("https://a.example:8443/x")).toBe("a.example:8443");
  expect(hostOf("mailto:a@b.example")).toBe("a@b.example");
  expect(hostOf("javascript:alert(1)")).toBeNull();
  expect(hostOf(undefined)).toBeNull();
});
