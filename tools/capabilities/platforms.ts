import { libsqlServerCapabilities } from "../../provider/drivers/libsql-server/capabilities";
import { localPlatformAt } from "../../provider/drivers/local/at-address";
import { persqlCapabilities } from "../../provider/drivers/persql/capabilities";
import { tenantsdbCapabilities } from "../../provider/drivers/tenantsdb/capabilities";
import { tursoCapabilities } from "../../provider/drivers/turso/capabilities";
import type { Capabilities } from "../../provider/platform/capabilities";
import type { PlatformName } from "../../provider/platform/platform";
import type { ProvenFlag } from "./rows";

export interface ShownPlatform {
  readonly name: PlatformName;
  readonly capabilities: Capabilities;
  /** What it does for some of its databases only; which, is in the note. */
  readonly perDatabase?: { readonly flags: readonly ProvenFlag[]; readonly note: string };
}

const local = localPlatformAt({ apiUrl: "http://127.0.0.1:7117", apiToken: "none" });

/** The columns of the README's table. */
export const shownPlatforms: readonly ShownPlatform[] = [
  {
    name: "turso",
    capabilities: tursoCapabilities,
    perDatabase: { flags: ["attach", "sizeLimit"], note: "older databases" },
  },
  { name: "local", capabilities: local.capabilities },
  {
    name: "libsql-server",
    capabilities: libsqlServerCapabilities,
    perDatabase: { flags: ["seedAtTime"], note: "with its backups to S3" },
  },
  { name: "persql", capabilities: persqlCapabilities },
  { name: "tenantsdb", capabilities: tenantsdbCapabilities },
];
