/** `tenantry/<version>`, so that a platform's operators can tell who calls. */
export const userAgent = `tenantry/${packageVersion()}`;

function packageVersion(): string {
  try {
    // By the package's own name: the sources and the built files lie at different depths below package.json.
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- JSON, which a bundler takes along
    return (require("tenantry/package.json") as { version: string }).version;
  } catch {
    return "unknown";
  }
}
