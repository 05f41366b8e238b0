import { type Style, type Colour, clip, paint } from "./screen";
import { listed } from "./table";

/** A tenant that is not where it should be, or is to be left where it is. */
export interface Reason {
  readonly name: string;
  readonly state: string;
  readonly why?: string;
}

const colours: Readonly<Record<string, Colour>> = {
  current: "green",
  behind: "yellow",
  skipped: "yellow",
  failed: "red",
  differs: "red",
  quarantined: "red",
  unknown: "red",
};

/** Lines for one state at most; who has the same reason shares a line. `live`: cut to the width. */
const shown = 10;

export function reasonLines(tenants: readonly Reason[], style: Style & { readonly live: boolean }): string[] {
  const states = [...new Set(tenants.map(({ state }) => state))];
  const column = Math.max(0, ...states.map((state) => state.length));
  return states.flatMap((state) => {
    const byReason = new Map<string, string[]>();
    for (const { name, why } of tenants.filter((one) => one.state === state)) {
      const reason = why === undefined ? "" : shortReason(name, why);
      byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
    }
    const lines = [...byReason].map(([reason, names]) => {
      const text = `${listed(names)}${reason ? `: ${reason}` : ""}`;
      const room = style.width - column - 4;
      const label = paint(style, colours[state] ?? "grey", state.padEnd(column));
      return `${label}  ${style.live ? clip(text, room) : text.replace(/\s+/g, " ")}`;
    });
    const rest = lines.length - shown;
    return rest > 0 ? [...lines.slice(0, shown), `${" ".repeat(column)}  and ${rest} reasons more`] : lines;
  });
}

/** Without the tenant's name before it, and without what is the same after every failure. */
export function shortReason(name: string, why: string): string {
  const own = why.startsWith(`${name}: `) ? why.slice(name.length + 2) : why;
  const [what = own] = own.split(" Nothing of that file was applied.");
  return what.endsWith(".") ? what.slice(0, -1) : what;
}
