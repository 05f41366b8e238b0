import { readFileSync } from "node:fs";
import { TenantryError } from "../../../provider/platform/errors";
import { type MaskRules, type MaskTreatment, maskTreatments } from "../../../provider/preview/mask/rules";
import { readDocument } from "../../manifest/document";
import { Problems } from "../../manifest/problems";

/** Reads rules for masking, YAML or JSON. Fails with "invalid-input": all that is wrong, each with line and column. */
export function readMask(file: string): MaskRules {
  const problems = new Problems();
  const document = readDocument(file, textOf(file), problems);
  problems.throwIfAny();
  const rules: Record<string, Record<string, MaskTreatment>> = {};
  const place = (...path: string[]) => document?.placeOf(path) ?? { file };
  const entries = entriesOf(document?.value ?? {});
  if (!entries) problems.add(place(), [], 'it must be tables, each with columns: "users: { plan: keep }".');
  for (const [table, columns] of entries ?? []) {
    const own = (rules[table] = {} as Record<string, MaskTreatment>);
    const each = entriesOf(columns ?? {});
    if (!each) problems.add(place(table), [table], 'it must be columns: "{ plan: keep, email: hash }".');
    for (const [column, treatment] of each ?? []) {
      const known = maskTreatments.find((one) => one === treatment || (one === "null" && treatment === null));
      if (known) own[column] = known;
      else problems.add(place(table, column), [table, column], `it must be ${maskTreatments.join(", ")}.`);
    }
  }
  problems.throwIfAny();
  return rules;
}

const entriesOf = (value: unknown): [string, unknown][] | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new TenantryError(
      "invalid-input",
      `--mask: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      { fix: "Name a file of rules, such as mask.yaml." },
    );
  }
}
