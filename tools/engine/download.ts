import { createWriteStream } from "node:fs";
import { chmod, mkdir, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EnvHttpProxyAgent, fetch } from "undici";
import { withProgress } from "../progress";
import { fillCache, sha256 } from "./cache";
import { outputOf } from "./command";
import { cacheFolder, ENGINE, LANGUAGE_HOST, PROVIDER_LAUNCHER, VERSION } from "./release";
import type { Way } from "./way";

/**
 * The two places where the vendor publishes releases. The npm launcher `pulumi` (3.250.0) runs the vendor's install
 * script, which takes the same archives from there; we take them ourselves because that script does not compare
 * checksums.
 */
export const PLACES = [
  "https://get.pulumi.com/releases/sdk",
  `https://github.com/pulumi/pulumi/releases/download/v${VERSION}`,
];

/** A closed network often swallows packets without an answer: do not wait long for the first byte. */
const CONNECT_MS = 8_000;
const DOWNLOAD_MS = 10 * 60_000;
const UNPACK_MS = 120_000;

const SYSTEMS: Record<string, string> = { linux: "linux", darwin: "darwin", win32: "windows" };
const PROCESSORS: Record<string, string> = { x64: "x64", arm64: "arm64" };

/** The archive's name for this machine, or undefined where the vendor publishes none. */
export function archiveName(platform: string = process.platform, arch: string = process.arch): string | undefined {
  const [system, processor] = [SYSTEMS[platform], PROCESSORS[arch]];
  const ending = platform === "win32" ? "zip" : "tar.gz";
  return system && processor && `pulumi-v${VERSION}-${system}-${processor}.${ending}`;
}

/** The vendor's release archive, verified against the vendor's list of checksums. */
export function engineDownloaded(options: { places?: string[]; folder?: string; connectMs?: number } = {}): Way {
  const { places = PLACES, folder = cacheFolder(), connectMs = CONNECT_MS } = options;
  return {
    name: "the vendor's site",
    async find() {
      const archive = archiveName();
      if (!archive) return { why: `no release for ${process.platform} on ${process.arch}` };
      const reasons: string[] = [];
      for (const place of places) {
        try {
          const digest = await publishedDigest(place, archive, connectMs);
          return await fillCache(async (fresh) => {
            await fetchAndUnpack(`${place}/${archive}`, digest, fresh, connectMs);
            return undefined;
          }, folder);
        } catch (error) {
          reasons.push(`${new URL(place).host}: ${oneLine(error)}`);
        }
      }
      return { why: reasons.join("; ") };
    },
  };
}

/**
 * The digest is the vendor's list beside the archive, read over TLS, not one pinned here: the release's digests could
 * not be read from a trusted copy when this was written. It guards against a damaged or half archive, not against a
 * vendor's site in other hands; building from source (go.sum) does.
 */
async function publishedDigest(place: string, archive: string, connectMs: number): Promise<string> {
  const response = await get(`${place}/pulumi-${VERSION}-checksums.txt`, connectMs);
  const list = await response.text();
  const line = list.split("\n").find((each) => each.trim().split(/\s+/)[1]?.replace(/^\*/, "") === archive);
  const digest = line?.trim().split(/\s+/)[0];
  if (!digest || !/^[0-9a-f]{64}$/.test(digest)) throw new Error(`its checksum list does not name ${archive}`);
  return digest;
}

async function fetchAndUnpack(url: string, digest: string, folder: string, connectMs: number): Promise<void> {
  const archive = path.join(folder, path.basename(url));
  const unpacked = path.join(folder, "unpacked");
  let bytes = 0;
  const detail = () => `${Math.round(bytes / 1e6)} MB so far`;
  await withProgress(
    "downloading the Pulumi engine",
    async () => {
      const response = await get(url, connectMs, DOWNLOAD_MS);
      if (!response.body) throw new Error("empty answer");
      const body = Readable.fromWeb(response.body);
      body.on("data", (chunk: Buffer) => (bytes += chunk.length));
      await pipeline(body, createWriteStream(archive));
    },
    { detail },
  );
  if ((await sha256(archive)) !== digest) throw new Error(`${path.basename(url)} does not match its checksum`);
  await mkdir(unpacked);
  // Windows has had a tar that reads .zip since 2018.
  await outputOf("tar", ["-xf", archive, "-C", unpacked], { ms: UNPACK_MS, cwd: tmpdir() });
  // Only what a Node.js program needs: the archive holds the hosts of six languages.
  const wanted = [ENGINE, LANGUAGE_HOST, PROVIDER_LAUNCHER];
  for (const entry of await readdir(unpacked, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !wanted.includes(entry.name)) continue;
    const kept = path.join(folder, entry.name);
    await rename(path.join(entry.parentPath, entry.name), kept);
    await chmod(kept, 0o755);
  }
  await rm(unpacked, { recursive: true, force: true });
  await rm(archive);
}

async function get(url: string, connectMs: number, wholeMs = connectMs) {
  // Proxies from HTTPS_PROXY and NO_PROXY are honoured, as the vendor's own script does through curl.
  const dispatcher = new EnvHttpProxyAgent({ connectTimeout: connectMs, headersTimeout: connectMs });
  const response = await fetch(url, { dispatcher, signal: AbortSignal.timeout(wholeMs) });
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return response;
}

/** fetch hides the reason in `cause`. */
function oneLine(error: unknown): string {
  const cause = (error as Error).cause as (Error & { code?: string }) | undefined;
  const text = cause ? cause.code || cause.message : (error as Error).message;
  return text.split("\n")[0] ?? text;
}
