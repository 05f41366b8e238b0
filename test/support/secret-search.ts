import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";

/** A text, and where it stood. */
export type Place = readonly [where: string, text: string];

/** How a secret can stand in a text: as it is, in a URL, in JSON, or somewhere within base64. */
export function formsOf(secret: string): string[] {
  const forms = new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  // What comes before it in base64 shifts its bits in three ways; the letters at both ends belong to its neighbours too.
  for (const before of ["", "x", "xx"]) {
    for (const kind of ["base64", "base64url"] as const) {
      const text = Buffer.from(before + secret)
        .toString(kind)
        .replace(/=+$/, "");
      forms.add(text.slice(before.length === 0 ? 0 : before.length + 1, -2));
    }
  }
  return [...forms];
}

/** Fails where a secret stands in clear, in any of its forms; says where, and not which. */
export function assertNowhere(secrets: Iterable<string>, places: readonly Place[]): void {
  for (const secret of new Set(secrets)) {
    assert.ok(secret.length >= 8, "too short to be told from other text");
    const forms = formsOf(secret);
    const found = places.filter(([, text]) => forms.some((form) => text.includes(form))).map(([where]) => where);
    assert.deepEqual(found, [], `a secret is in clear: ${secret.slice(0, 4)}...`);
  }
}

/** Every file below a folder: of the project, of the backend with its history, and of the engine's logs. */
export async function filesUnder(folder: string): Promise<Place[]> {
  const found: Place[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && !file.includes("node_modules"))
      found.push([file, withoutDebugging(await readFile(file, "utf8"))]);
  }
  return found;
}

/** The event log, which only tests switch on, has the messages of --debug too. */
function withoutDebugging(text: string): string {
  const lines = text.split("\n").filter((line) => !/^\{.*"diagnosticEvent":.*"severity":"debug"/.test(line));
  return lines.join("\n");
}
