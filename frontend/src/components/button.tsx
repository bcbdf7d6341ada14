// Buttons: one look per importance, and a square one for icons that always has a name.
import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";
import { Tooltip } from "./tooltip";

const button = cva(
  "inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-md border text-sm font-medium transition-ui disabled:cursor-not-allowed disabled:opacity-55",
  {
    variants: {
      look: {
        primary: "border-transparent bg-accent text-accent-fg hover:not-disabled:bg-accent-hover",
        plain: "border-border bg-raised text-fg hover:not-disabled:bg-hover",
        quiet:
          "border-transparent bg-transparent text-muted hover:not-disabled:bg-hover hover:not-disabled:text-fg",
        danger: "border-bad-border bg-raised text-bad hover:not-disabled:bg-bad-soft",
      },
      size: {
        normal: "h-(--control) px-3",
        small: "h-6 px-2 text-xs max-md:h-11 max-md:px-3",
        icon: "size-(--control) p-0",
        smallIcon: "size-6 p-0 max-md:size-11",
      },
    },
    defaultVariants: { look: "plain", size: "normal" },
  },
);

type ButtonProps = ComponentProps<"button"> & VariantProps<typeof button>;

export function Button({ look, size, className, type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={cn(button({ look, size }), className)} {...rest} />;
}

/** Classes of a button for links that look like one. */
export function buttonClass(variants: VariantProps<typeof button> = {}): string {
  return button(variants);
}

interface IconButtonProps extends Omit<ButtonProps, "size" | "children"> {
  /** What it does: its accessible name and its tooltip. */
  label: string;
  keys?: string[];
  small?: boolean;
  children: ReactNode;
}

export function IconButton({ label, keys, small, look = "quiet", children, ...rest }: IconButtonProps) {
  return (
    <Tooltip label={label} keys={keys}>
      <Button look={look} size={small ? "smallIcon" : "icon"} aria-label={label} {...rest}>
        {children}
      </Button>
    </Tooltip>
  );
}
