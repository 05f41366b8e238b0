import { z } from "zod";
import { counted } from "../schema/table";
import { markerOf } from "./comment-text";
import { code, table } from "./markdown";

/** What `tenantry preview down --json` prints: the end of a pull request's branches. */
export const previewEnd = z.object({
  format: z.literal(1),
  /** "owner/name" */
  repository: z.string(),
  pullRequest: z.number().int().positive(),
  /** Names of databases. */
  deleted: z.array(z.string()),
  left: z.array(z.object({ name: z.string(), why: z.string() })),
});
export type PreviewEnd = z.infer<typeof previewEnd>;

/** How many are named. */
const most = 40;

/** The comment's last words. How many were deleted is not said: whoever runs it again deletes none. */
export function endText(end: PreviewEnd): string {
  const lines = [markerOf(end), "### Preview databases", ""];
  if (end.left.length === 0) lines.push("Deleted: nothing is left of them.");
  else {
    const rows = end.left.slice(0, most).map(({ name, why }) => [code(name), code(why, 300)]);
    const more = end.left.length - rows.length;
    lines.push(
      `**${counted(end.left.length, "database")} could not be deleted.** \`tenantry preview down\` tries it again.`,
      "",
      ...table(["Database", "Why"], rows),
      ...(more > 0 ? ["", `And ${more} more.`] : []),
    );
  }
  return `${lines.join("\n")}\n`;
}
