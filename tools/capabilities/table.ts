import { type ShownPlatform, shownPlatforms } from "./platforms";
import { type ProvenFlag, capabilityRows } from "./rows";

const begin = "<!-- capabilities: npm run capabilities -->";
const end = "<!-- /capabilities -->";

/** The README with its table of capabilities as the drivers' flags have it. */
export function withTable(readme: string, platforms: readonly ShownPlatform[] = shownPlatforms): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md lacks "${begin}" or "${end}"`);
  return `${readme.slice(0, from + begin.length)}\n\n${table(platforms)}\n\n${readme.slice(to)}`;
}

function table(platforms: readonly ShownPlatform[]): string {
  const rows = capabilityRows.map(({ flag, what, cell }) => [
    what,
    ...platforms.map(({ capabilities, perDatabase }) =>
      perDatabase?.flags.includes(flag as ProvenFlag) ? perDatabase.note : cell(capabilities),
    ),
  ]);
  const head = ["", ...platforms.map(({ name }) => `\`${name}\``)];
  return [head, head.map(() => "---"), ...rows]
    .map((row) => `| ${row.join(" | ")} |`.replace("|  |", "| |"))
    .join("\n");
}
