"""What each agent was seen not to do of what `tests/contract/agents` asks; docs/agents.md is made from it.

A promise that is named for an agent below is expected to fail for it, and the tests fail when it does not.
"""

from __future__ import annotations

from collections.abc import Mapping

PROMISES: Mapping[str, str] = {
    "it_streams_its_answer": "Streams its answer",
    "offsets_count_characters_beyond_the_basic_plane_as_one": "Carries every character",
    "it_streams_its_thoughts_apart": "Streams its thoughts",
    "it_publishes_its_plan": "Publishes a plan",
    "it_tells_of_its_tools": "Shows files written and commands run, with diffs and output",
    "it_shows_what_a_command_prints_while_it_runs": "Shows what a command prints while it runs",
    "a_sub_agents_work_hangs_below_the_call_that_started_it": "Shows what sub-agents do",
    "it_says_what_it_offers": "Says which modes and models it has",
    "it_asks_before_it_runs_a_command": "Asks before it runs a command",
    "a_permission_for_the_session_is_not_asked_again": 'Knows "for this session"',
    "a_rejection_ends_the_turn": "Stops when it is rejected",
    "a_rejection_with_a_message_is_advice": "Takes advice with a rejection",
    "a_question_is_answered": "Asks questions",
    "a_question_may_stay_unanswered": "Takes no for an answer to a question",
    "an_answer_counts_once": "Takes one answer for each request",
    "nobody_waits_for_an_answer_to_what_was_not_asked": "Takes no answer that it did not ask for",
    "a_permission_dies_with_its_turn": "Forgets what it asked when the turn ends",
    "edits_can_be_accepted_and_commands_still_asked_for": "Has a mode that accepts edits only",
    "automatic_asks_only_before_it_leaves_the_workspace": "Asks before it leaves the workspace",
    "a_plan_changes_nothing": "Changes nothing in plan mode",
    "a_turn_can_be_cancelled": "Stops within two seconds, and goes on afterwards",
    "a_running_tool_is_interrupted": "Stops a command that runs",
    "cancelling_at_once_is_obeyed": "Stops before it has begun",
    "cancelling_what_is_not_open_does_nothing": "Is not disturbed by a late stop",
    "one_turn_at_a_time": "Takes one prompt at a time",
    "a_failure_of_the_provider_has_a_class": "Says what the provider refused",
    "an_unknown_model_is_said_to_be_that": "Says that a model is unknown",
    "a_failure_that_passes_is_waited_for": "Tries again when the provider is busy",
    "a_crash_ends_the_turn_and_the_next_prompt_works": "Comes back after a crash",
    "after_a_rest_the_next_prompt_goes_on_with_the_conversation": "Rests between prompts and forgets nothing",
    "a_prompt_that_comes_while_it_goes_to_rest_is_answered": "Takes a prompt while it goes to rest",
    "a_reader_that_falls_behind_misses_nothing": "Waits for a slow reader",
    "a_successor_takes_up_the_conversation": "Takes up the conversation after a sleep",
}
"""The tests of the suite by their names, and what they mean for people."""

NOTES: Mapping[str, tuple[str, ...]] = {
    "codex": (
        "It cannot set up a sandbox of its own inside of the box, so it works without one. It asks before "
        "commands that may change something, as far as their programs are known to, and not before it edits "
        "files with a tool of its own.",
    ),
    "gemini": (
        "It does not show what a command has printed.",
        "It forgets prompts that were stopped, and after a sleep also those that begin with a slash.",
    ),
}
"""What a person should know before they choose it."""

_RESUME = "a_successor_takes_up_the_conversation"
LEFT: Mapping[str, str] = {
    "files": "Has its files after a sleep",
    "processes": "Has what ran in the background after a sleep",
}
"""What else may be left of a session that sleeps, and what that means for people."""
PROCESSES_END = "Processes end with their box."


def left(agent_id: str) -> dict[str, bool]:
    """What is: files are on the session's disk, conversations in the agent's own store on it."""
    conversation = _RESUME not in LIMITS.get(agent_id, {})
    return {"files": True, "conversation": conversation, "processes": False}


_NO_PLAN = "It offers its model no tool for a plan."
_NO_QUESTION = "It offers its model no tool for questions."
_NO_PARENTS = "It does not say which sub-agent does what."
_QUESTIONS = (
    "a_question_is_answered",
    "a_question_may_stay_unanswered",
    "a_turn_can_be_cancelled[while it has a question]",
)
_OUTPUT_AT_LAST = "It shows what a command has printed when that is over."
_HIDES_OUTPUT = "It does not show what a command has printed."

LIMITS: Mapping[str, Mapping[str, str]] = {
    "copilot": {
        **dict.fromkeys(_QUESTIONS, _NO_QUESTION),
        "it_publishes_its_plan": _NO_PLAN,
        "it_shows_what_a_command_prints_while_it_runs": _OUTPUT_AT_LAST,
        "a_sub_agents_work_hangs_below_the_call_that_started_it": _NO_PARENTS,
    },
    "claude": {
        "it_shows_what_a_command_prints_while_it_runs": _OUTPUT_AT_LAST,
        "it_publishes_its_plan": _NO_PLAN,
        "a_sub_agents_work_hangs_below_the_call_that_started_it": "It says twice that they are done.",
        "edits_can_be_accepted_and_commands_still_asked_for": "It reads without asking, by commands too.",
    },
    "codex": {
        "it_publishes_its_plan": _NO_PLAN,
        "a_sub_agents_work_hangs_below_the_call_that_started_it": "It offers its sub-agents in a form that "
        "the scripted model does not speak, so nobody has seen them here.",
        "it_tells_of_its_tools": "With models that it does not know it writes files by commands.",
        "automatic_asks_only_before_it_leaves_the_workspace": "It does not say where its commands write.",
        "it_streams_its_thoughts_apart": "It adds lines to its thoughts.",
    },
    "gemini": {
        **dict.fromkeys(_QUESTIONS, _NO_QUESTION),
        "it_publishes_its_plan": _NO_PLAN,
        "a_sub_agents_work_hangs_below_the_call_that_started_it": _NO_PARENTS,
        "it_tells_of_its_tools": _HIDES_OUTPUT,
        "it_shows_what_a_command_prints_while_it_runs": _HIDES_OUTPUT,
        "it_streams_its_thoughts_apart": "It formats its thoughts anew.",
        "automatic_asks_only_before_it_leaves_the_workspace": "It never writes outside, whoever allows it.",
        "a_plan_changes_nothing": "In plan mode it writes its plan into a folder of its own.",
    },
}
