// A diff with the comments on its lines, those that are being written too.
import { useMemo } from "react";
import { lineInWords } from "@/components/diff-line";
import { DiffView } from "@/components/diff-view";
import { type PatchLine, parsePatch } from "@/lib/patch";
import { CommentField, LineComment } from "./line-comments";
import { addComment, removeComment, useReview } from "./review";
import { openDraft, useDraftPlaces } from "./review-drafts";

function aboutLine(line: PatchLine) {
  const isDeleted = line.kind === "delete";
  return { line: isDeleted ? line.oldLine : line.newLine, isDeleted, code: line.text };
}

interface ReviewedDiffProps {
  session: string;
  path: string;
  patch: string;
  /** Of this diff among all of its file, as `pathOfPlace` reads it. */
  place: string;
  isSplit: boolean;
}

export function ReviewedDiff({ session, path, patch, place, isSplit }: ReviewedDiffProps) {
  const comments = useReview(session);
  const drafts = useDraftPlaces(session);
  const lines = useMemo(() => parsePatch(patch), [patch]);
  const below = (index: number) => {
    const placeOfLine = `${place}.${index}`;
    const here = comments.filter((comment) => comment.place === placeOfLine);
    const line = drafts.includes(placeOfLine) ? lines[index] : undefined;
    if (here.length === 0 && !line) return null;
    return (
      <>
        {here.map((comment) => (
          <LineComment
            key={comment.id}
            comment={comment}
            onRemove={() => removeComment(session, comment.id)}
          />
        ))}
        {line && (
          <CommentField
            session={session}
            place={placeOfLine}
            where={`${lineInWords(line)} of ${path}`}
            onSave={(text) => addComment(session, { ...aboutLine(line), place: placeOfLine, path, text })}
          />
        )}
      </>
    );
  };
  const onWrite = (_: PatchLine, index: number) => openDraft(session, `${place}.${index}`);
  return <DiffView patch={patch} path={path} notes={{ onWrite, below }} isSplit={isSplit} />;
}
