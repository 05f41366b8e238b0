import { z } from "zod";

/**
 * Names of databases (Turso docs: lowercase letters, digits and dashes, at most 64). Turso documents no rule for groups:
 * the same one is used.
 */
export const name = z
  .string("a name is required")
  .regex(
    /^[a-z0-9-]{1,64}$/,
    "a name may only contain lowercase letters, numbers and dashes, and has at most 64 characters",
  );
