"""What changed in a workspace, asked of the live instance. Answers are hostile: shaped and bounded here."""

from __future__ import annotations

import uuid
from typing import TypeVar

import msgspec

from openagent.lib.errors import AppError
from sessions_app import relay
from sessions_app.services import activity, shapes
from sessions_app.services.files import BadAnswer
from sidecar.protocol import changes

_T = TypeVar("_T", bound=msgspec.Struct)


def list_changes(*, session_id: uuid.UUID, base: str) -> shapes.Shape:
    """The files that differ from `base`. AppError `asleep`, `unavailable`, `busy`, as the sidecar says."""
    answer = _ask(session_id, "changes.list", changes.ChangesList(base=base), changes.ChangeList)
    return {
        "base": base,
        "since": answer.since or None,
        "files": [_file(file) for file in answer.files[: changes.MAX_FILES]],
        "total": answer.total,
        "unread": answer.unread,
    }


def diff(
    *, session_id: uuid.UUID, base: str, path: str, old_path: str, lines_around: int, ignore_space: bool
) -> shapes.Shape:
    """How one file differs, as text: what is not UTF-8 in it is replaced. AppError as for `list_changes`."""
    question = changes.ChangesDiff(
        base=base, path=path, old_path=old_path, context=lines_around, ignore_space=ignore_space
    )
    answer = _ask(session_id, "changes.diff", question, changes.ChangeDiff)
    if len(answer.patch) > changes.MAX_PATCH_BYTES:
        raise BadAnswer
    patch = answer.patch.decode("utf-8", "replace")
    return {"path": path, "patch": patch, "truncated": answer.truncated}


def revert(*, session_id: uuid.UUID, base: str, path: str, old_path: str) -> shapes.Shape:
    """Make a file again what it was in `base`. AppError as for `list_changes`, or `not_kept`."""
    question = changes.ChangesRevert(base=base, path=path, old_path=old_path)
    answer = _ask(session_id, "changes.revert", question, changes.ChangeReverted)
    return {"path": path, "undo": answer.undo}


def _file(file: changes.ChangedFile) -> shapes.Shape:
    plain: shapes.Shape = msgspec.to_builtins(file)
    return plain


def _ask(session_id: uuid.UUID, verb: str, question: msgspec.Struct, kind: type[_T]) -> _T:
    activity.touch(session_id=session_id)
    try:
        asked = msgspec.to_builtins(msgspec.convert(msgspec.to_builtins(question), type(question)))
    except msgspec.ValidationError:
        raise AppError("invalid", "There is nothing of this kind to compare with.", 400) from None
    try:
        return msgspec.convert(relay.query(session_id, verb, asked), kind)
    except msgspec.ValidationError:
        raise BadAnswer from None
