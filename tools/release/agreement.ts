export interface Release {
  /** As git has it: "v1.2.3". */
  readonly tag: string | undefined;
  /** Of package.json, and of the lockfile. */
  readonly version: string;
  readonly locked: string;
  readonly changelog: string;
}

/** Why these are not one release: one sentence and what to do, or undefined. */
export function releaseProblem({ tag, version, locked, changelog }: Release): string | undefined {
  if (tag === undefined || tag === "") return "Which tag? Pass it: `npm run release -- v1.2.3`.";
  if (tag !== `v${version}`) {
    return `The tag is ${tag}, package.json says ${version}: tag v${version}, or run \`npm version\` before the tag.`;
  }
  if (locked !== version) return `package-lock.json says ${locked}, package.json ${version}: run \`npm install\`.`;
  const [, head = "", date = ""] = /^## (\S+)(?: - (\S+))?\s*$/m.exec(changelog) ?? [];
  if (head !== version) {
    return `CHANGELOG.md begins with "${head || "nothing"}", not with ${version}: write what is new under "## ${version}".`;
  }
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || Number.isNaN(Date.parse(date))) {
    return `CHANGELOG.md says "${version} - ${date}": give the day of the release, as in "## ${version} - 2026-11-30".`;
  }
  return undefined;
}
