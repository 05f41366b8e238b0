import { TenantryError } from "../../provider/platform/errors";

/** Where something stands. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export interface Problem extends Place {
  /** Of the property, such as "tenants.acme.plan"; empty: the file itself. */
  readonly path: string;
  readonly message: string;
}

const shown = 20;
/** More are not counted: nobody reads them. */
const most = 10_000;

/** All that is wrong with a manifest, so that it is told at once. */
export class Problems {
  readonly all: Problem[] = [];
  private readonly told = new Set<string>();

  /** What two steps find is told once. */
  add(place: Place, path: readonly (string | number)[], message: string): void {
    if (this.all.length >= most) return;
    const problem = { ...place, path: pathText(path), message };
    const line = problemLine(problem);
    if (this.told.has(line)) return;
    this.told.add(line);
    this.all.push(problem);
  }

  /** Fails with "invalid-input" where there are any: the first 20, one a line, and a count. */
  throwIfAny(): void {
    if (this.all.length > 0) throw new TenantryError("invalid-input", problemsText(this.all));
  }
}

/** In the order of the files' lines. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const files = new Map([...new Set(problems.map(({ file }) => file))].map((file, i) => [file, i]));
  return [...problems].sort(
    (a, b) =>
      files.get(a.file)! - files.get(b.file)! || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

export function problemsText(problems: readonly Problem[]): string {
  const lines = inOrder(problems).slice(0, shown).map(problemLine);
  const atLeast = problems.length >= most ? "at least " : "";
  if (lines.length < problems.length) lines.push(`and ${atLeast}${problems.length - lines.length} more.`);
  return lines.length === 1 ? lines[0]! : [`${atLeast}${problems.length} problems:`, ...lines].join("\n");
}

export function problemLine({ path, message, ...place }: Problem): string {
  return [placeText(place), path, message].filter(Boolean).join(": ");
}

export const placeText = ({ file, line, column }: Place): string =>
  [file, line, column].filter((part) => part !== undefined).join(":");

/** A key that is not a plain word is quoted: `tenants."acme gmbh".plan`. */
const pathText = (path: readonly (string | number)[]): string =>
  path
    .map((part) => {
      if (typeof part === "number") return `[${part}]`;
      return /^[\p{L}\p{N}_$:@-]+$/u.test(part) ? `.${part}` : `.${JSON.stringify(clipped(part))}`;
    })
    .join("")
    .replace(/^\./, "");

const clipped = (text: string): string => (text.length <= 80 ? text : `${text.slice(0, 77)}...`);

/** A value in a message: on one line, and not too long. */
export const quoted = (text: string): string => JSON.stringify(clipped(text));
