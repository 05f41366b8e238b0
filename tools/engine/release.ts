import { homedir } from "node:os";
import path from "node:path";

/** The release this repository is tested with; tools/engine/go.mod and package-lock.json pin the same one. */
export const VERSION = "3.250.0";

/** Where the vendor says how to install it by hand. */
export const INSTALL_PAGE = "https://www.pulumi.com/docs/install/";

const exe = process.platform === "win32" ? ".exe" : "";
export const ENGINE = `pulumi${exe}`;
export const LANGUAGE_HOST = `pulumi-language-nodejs${exe}`;
/** Starts the dynamic provider; a script, which also ships inside the npm package @pulumi/pulumi. */
export const PROVIDER_LAUNCHER = `pulumi-resource-pulumi-nodejs${process.platform === "win32" ? ".cmd" : ""}`;

const root = path.resolve(__dirname, "..", "..");
/** The Go module that pins the engine's source. */
export const MODULE_FOLDER = __dirname;
/** Our own language host, for an engine built from source. */
export const HOST_FOLDER = path.join(__dirname, "host");
/** Holds the provider launcher. */
export const SDK_FOLDER = path.join(root, "node_modules", "@pulumi", "pulumi");

/** Holds `tenantry` and the other commands of this repository. */
export const COMMANDS_FOLDER = path.join(root, "node_modules", ".bin");

/** `${TENANTRY_CACHE ?? XDG_CACHE_HOME ?? ~/.cache}/tenantry/engine/<version>-<platform>-<arch>`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env["TENANTRY_CACHE"] || env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache");
  return path.resolve(base, "tenantry", "engine", `${VERSION}-${process.platform}-${process.arch}`);
}
