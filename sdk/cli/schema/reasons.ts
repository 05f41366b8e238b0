import { type Style, type Colour, fold, paint } from "./screen";
import { listed } from "./table";

/** A tenant that is not where it should be, or is to be left where it is. */
export interface Reason {
  readonly name: string;
  readonly state: string;
  readonly why?: string;
  /** Which statement it failed at. */
  readonly statement?: string;
}

/** In this order. */
const colours: Readonly<Record<string, Colour>> = {
  failed: "red",
  quarantined: "red",
  skipped: "yellow",
  differs: "red",
  "other-history": "red",
  unknown: "red",
};

/** Lines for one state at most; who has the same reason shares a line. `live`: parted where the width ends. */
const shown = 10;

export function reasonLines(tenants: readonly Reason[], style: Style & { readonly live: boolean }): string[] {
  const order = Object.keys(colours);
  const states = [...new Set(tenants.map(({ state }) => state))].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const column = Math.max(0, ...states.map((state) => state.length)) + 2;
  const fit = (text: string, indent: number): string[] =>
    fold(text, style, style.width - indent - 2).map((line, i) => (i === 0 ? line : `${" ".repeat(indent)}${line}`));
  return states.flatMap((state) => {
    const label = paint(style, colours[state] ?? "grey", state) + " ".repeat(column - state.length);
    const reasons = byReason(tenants.filter((one) => one.state === state));
    const rest = reasons.length - shown;
    return [
      ...reasons
        .slice(0, shown)
        .flatMap(({ reason, statement, names }) => [
          ...withLabel(label, fit(`${listed(names)}${reason ? `: ${reason}` : ""}`, column)),
          ...(statement === undefined ? [] : withLabel(" ".repeat(column + 2), fit(statement, column + 2))),
        ]),
      ...(rest > 0 ? [`${" ".repeat(column)}and ${rest} more`] : []),
    ];
  });
}

const withLabel = (label: string, [first = "", ...rest]: readonly string[]): string[] => [`${label}${first}`, ...rest];

function byReason(tenants: readonly Reason[]): { reason: string; statement: string | undefined; names: string[] }[] {
  const found = new Map<string, { reason: string; statement: string | undefined; names: string[] }>();
  for (const { name, why, statement } of tenants) {
    const reason = why === undefined ? "" : shortReason(name, why);
    const known = found.get(reason) ?? { reason, statement, names: [] };
    known.names.push(name);
    found.set(reason, known);
  }
  return [...found.values()];
}

/** Without the tenant's name before it, and without what is the same after every failure. */
export function shortReason(name: string, why: string): string {
  const own = why.startsWith(`${name}: `) ? why.slice(name.length + 2) : why;
  const [what = own] = own.split(" Nothing of that file was applied.");
  return what.endsWith(".") ? what.slice(0, -1) : what;
}
