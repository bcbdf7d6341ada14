// What can go wrong with a request: the platform refused it, or it could not be reached.

/** The platform answered with a problem document; `code` is the stable part. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    /** Everything else that the document says. */
    readonly fields: Record<string, unknown> = {},
  ) {
    super(detail);
  }

  /** Under this the platform's log tells more. */
  get requestId(): string {
    return typeof this.fields.request_id === "string" ? this.fields.request_id : "";
  }

  /** Messages by field name, for forms. */
  get fieldErrors(): Record<string, string> {
    const errors = this.fields.errors;
    if (typeof errors !== "object" || errors === null) return {};
    return Object.fromEntries(Object.entries(errors).map(([name, list]) => [name, firstMessage(list)]));
  }
}

/** No answer came: the network is gone or the platform is. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  constructor() {
    super("The server cannot be reached. Nothing was lost; try again.");
  }
}

function firstMessage(list: unknown): string {
  const first: unknown = Array.isArray(list) ? list[0] : list;
  if (typeof first === "string") return first;
  if (typeof first === "object" && first !== null && "message" in first) return String(first.message);
  return "This value is not valid.";
}

/** The error that a response's body describes, whatever its shape is. */
export function problemOf(response: Response, body: unknown): ApiError {
  const document: Record<string, unknown> = typeof body === "object" && body !== null ? { ...body } : {};
  const code = typeof document.code === "string" ? document.code : `http_${response.status}`;
  const fallback =
    response.status >= 500
      ? "The server had a problem. It is logged there; try again."
      : "The server refused this.";
  const detail = typeof document.detail === "string" && document.detail ? document.detail : fallback;
  return new ApiError(response.status, code, detail, document);
}

/** One sentence for people. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError) {
    const [first] = Object.values(error.fieldErrors);
    return first ?? error.message;
  }
  return error instanceof Error && error.message ? error.message : "Something went wrong.";
}

export function isCode(error: unknown, code: string): error is ApiError {
  return error instanceof ApiError && error.code === code;
}

/** Whether the platform does not know who is asking. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.code === "not_authenticated");
}
