// Failures by class: what happened, whose matter it is, and what to do.
import type { ErrorClass } from "@/protocol/events";

export interface ErrorWords {
  title: string;
  advice: string;
  /** Where the advice can be followed. */
  place?: "keys" | "usage";
}

export const ERROR_WORDS: Record<ErrorClass, ErrorWords> = {
  provider_auth: {
    title: "The provider refused the key",
    advice: "Test or replace the key, then send the prompt again.",
    place: "keys",
  },
  provider_quota: {
    title: "The provider's quota is used up",
    advice: "Add credit at the provider or choose another model, then send the prompt again.",
  },
  provider_rate_limit: {
    title: "The provider limits how fast it may be asked",
    advice: "Wait a moment, then send the prompt again.",
  },
  provider_unavailable: {
    title: "The provider cannot be reached",
    advice: "Try again in a moment, or choose another model.",
  },
  provider_bad_response: {
    title: "The provider's answer made no sense",
    advice: "Send the prompt again. If it happens every time, choose another model.",
  },
  key_missing: {
    title: "There is no key for this provider",
    advice: "Add a key, or choose a model that needs none.",
    place: "keys",
  },
  unknown_model: {
    title: "The provider does not know this model",
    advice: "Choose another model below the conversation.",
  },
  context_too_long: {
    title: "The conversation is too long for this model",
    advice: "Start a new session, or choose a model with more room.",
  },
  agent_crash: {
    title: "The agent program ended unexpectedly",
    advice: "What it did so far is kept. Send a prompt to go on.",
  },
  agent_hang: {
    title: "The agent no longer answers",
    advice: "What it did so far is kept. Send a prompt to go on.",
  },
  box_lost: {
    title: "The box was lost",
    advice: "The files and the conversation are kept. Send a prompt to start it again.",
  },
  disk_full: {
    title: "The disk is full",
    advice: "Delete files in the workspace, or ask whoever runs this installation for room.",
  },
  budget_exceeded: {
    title: "The budget is used up",
    advice:
      "What was done so far is kept, and prompts wait. Once it is raised they go on; run this one again.",
    place: "usage",
  },
  flood: {
    title: "The agent wrote too much, too fast",
    advice: "Some of its output was left out. Ask it to be quieter.",
  },
  clone_failed: {
    title: "The repository was not cloned",
    advice:
      "A private repository needs a token for its host. Start a new session then, or clone it in this one.",
    place: "keys",
  },
  internal: {
    title: "OpenAgent had a fault",
    advice: "It is logged. What was stored is kept; send the prompt again.",
  },
};
