import { spawn } from "node:child_process";
import path from "node:path";
import { withProgress } from "../progress";
import { fillCache } from "./cache";
import { atLeast, onPath, outputOf } from "./command";
import { cacheFolder, ENGINE, MODULE_FOLDER, VERSION } from "./release";
import type { Way } from "./way";

/** The `go` line of go.mod. */
const OLDEST_GO = "1.25.11";
/** Long enough for Go to fetch the toolchain that go.mod asks for, where it may (GOTOOLCHAIN=auto). */
const TOOLCHAIN_MS = 120_000;
const PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const LINK = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${VERSION}`;

/** Built from the pinned Go module; go.sum verifies every source archive. */
export function engineBuilt(options: { searchPath?: string; folder?: string } = {}): Way {
  const { searchPath = process.env["PATH"] ?? "", folder = cacheFolder() } = options;
  return {
    name: "a build from the Go module",
    async find() {
      const go = onPath(process.platform === "win32" ? "go.exe" : "go", searchPath);
      if (!go) return { why: "no go on PATH" };
      // No C compiler needed, and the same binary with or without one.
      const env = { ...process.env, PATH: searchPath, CGO_ENABLED: "0", GOWORK: "off" };
      try {
        const said = await withProgress("asking for the Go toolchain", () =>
          outputOf(go, ["version"], { ms: TOOLCHAIN_MS, cwd: MODULE_FOLDER, env }),
        );
        const version = /go(\d+\.\d+(\.\d+)?)/.exec(said)?.[1] ?? said;
        if (!atLeast(version, OLDEST_GO)) return { why: `${go} is ${version}; the build needs ${OLDEST_GO} or later` };
      } catch (error) {
        return { why: `${go} version: ${(error as Error).message}` };
      }
      return fillCache((fresh) => build(go, env, path.join(fresh, ENGINE)), folder);
    },
  };
}

async function build(go: string, env: NodeJS.ProcessEnv, target: string): Promise<{ why: string } | undefined> {
  const args = ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", LINK, "-o", target, PACKAGE];
  let modules = 0;
  let last = "";
  const detail = () => (modules ? `${modules} modules downloaded` : "");
  const code = await withProgress(
    "building the Pulumi engine from its Go module",
    () =>
      new Promise<number | null>((resolve, reject) => {
        const child = spawn(go, args, { cwd: MODULE_FOLDER, env, stdio: ["ignore", "ignore", "pipe"] });
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          modules += text.split("go: downloading ").length - 1;
          last = text.trim().split("\n").pop() || last;
        });
        child.on("error", reject);
        child.on("close", resolve);
      }),
    { usually: "about 3 minutes", detail },
  );
  return code === 0 ? undefined : { why: `go build failed: ${last}` };
}
