import { createHash } from "node:crypto";
import type { Capabilities } from "../platform/capabilities";
import { type PreviewPlace, previewAddress } from "../registry/preview-address";
import { reservedPrefix } from "../registry/reserved-names";

/**
 * `tenantry-pr-42-acme-<hash>`: for people number and tenant, as far as the platform has room; for machines a hash of the
 * address, in which all of it stands. The prefix keeps branches out of lists, counts and fan-out, as all that is
 * Tenantry's own. Frozen: another name would leave branches behind.
 */
export function branchName(place: PreviewPlace, { names }: Pick<Capabilities, "names">): string {
  const hash = createHash("sha256").update(previewAddress(place)).digest("hex").slice(0, 12);
  const head = `${reservedPrefix}pr-${place.pullRequest}-`;
  const room = Math.max(0, names.maxLength - head.length - hash.length - 1);
  const tenant = place.tenant
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, room)
    .replace(/^-|-$/g, "");
  return `${head}${tenant ? `${tenant}-` : ""}${hash}`;
}
