import { ApiProblem } from "../problem";

const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Reads a moment in ISO 8601 with its time zone, as the API asks for it (Turso docs: a zone that is missing is a 400). */
export function parseInstant(text: unknown, parameter: string): Date {
  const instant = typeof text === "string" && shape.test(text) ? new Date(text) : new Date(NaN);
  if (!Number.isNaN(instant.getTime())) return instant;
  throw new ApiProblem(
    400,
    `invalid ${parameter} parameter: ${JSON.stringify(text)} is not a time such as "2026-01-31T12:00:00Z"`,
  );
}
