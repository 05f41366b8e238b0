import { createHash } from "node:crypto";
import type { Migration } from "../../../provider/rollout/source";
import { executionOf } from "../../../provider/rollout/source/execution";
import { splitStatements } from "../../../provider/rollout/statements";

/** A history of these texts, called 0001_step and so on. */
export const migrationsOf = (...texts: string[]): Migration[] =>
  texts.map((sql, index) => {
    const id = `${String(index + 1).padStart(4, "0")}_step`;
    const hash = createHash("sha256").update(sql).digest("hex").slice(0, 16);
    return { id, file: `migrations/${id}.sql`, sql, hash, ...executionOf(splitStatements(sql), true) };
  });
