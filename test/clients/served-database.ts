import { startLocalPlatform, type LocalPlatform } from "../../provider/local";
import { apiCaller, mint, type ApiCaller } from "../local/api-caller";

/** A database of an embedded platform, as an application knows it: an address and a token. */
export interface ServedDatabase {
  readonly platform: LocalPlatform;
  readonly api: ApiCaller;
  readonly url: string;
  readonly token: string;
  /** A fresh, empty one in the same group, which the same token opens. */
  another(): Promise<string>;
  close(): Promise<void>;
}

export async function serveDatabase(): Promise<ServedDatabase> {
  const platform = await startLocalPlatform();
  const api = apiCaller(platform, "local");
  await api.ok("POST", "/groups", { name: "g", location: "local" });
  let made = 0;
  const another = async (): Promise<string> => {
    const name = `d${++made}`;
    await api.ok("POST", "/databases", { name, group: "g" });
    return platform.databaseUrl(name);
  };
  const url = await another();
  const token = await mint(api, "groups/g");
  return { platform, api, url, token, another, close: () => platform.close() };
}
