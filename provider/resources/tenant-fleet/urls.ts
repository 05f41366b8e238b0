import type { FleetRecord } from "./record";

/** The address of a tenant's database by the template of state, such as "libsql://{hostname}"; undefined: it has none. */
export const addressBy = (urls: string, { name, hostname }: Pick<FleetRecord, "name" | "hostname">) =>
  hostname && urls.replaceAll("{name}", () => name).replaceAll("{hostname}", () => hostname);
