import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onPath } from "../../tools/engine/command";
import { cachedPostgres, librariesOf } from "../../tools/postgres/debian";
import { findPostgres } from "../../tools/postgres/find-postgres";

/** A folder that others may look into, as a user may that PostgreSQL runs as. */
async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "tenantry-deb-"));
  chmodSync(folder, 0o755);
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Packs a package of these files, all programs. */
function pack(folder: string, name: string, depends: string, files: readonly string[]): string {
  const root = path.join(folder, `tree-${name}`);
  mkdirSync(path.join(root, "DEBIAN"), { recursive: true });
  const control = `Package: ${name}\nVersion: 1\nArchitecture: all\nMaintainer: nobody <a@b.c>\nDescription: of a test\n`;
  writeFileSync(path.join(root, "DEBIAN", "control"), `${control}${depends && `Depends: ${depends}\n`}`);
  for (const file of files) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), "#!/bin/sh\n", { mode: 0o755 });
  }
  execFileSync("dpkg-deb", ["--build", root, path.join(folder, "archive", `${name}.deb`)], { stdio: "pipe" });
  return `${control}${depends && `Depends: ${depends}\n`}`;
}

/** A repository of packages on this machine; answers what tells apt-get of it. */
function archiveIn(folder: string): string[] {
  const archive = path.join(folder, "archive");
  mkdirSync(archive);
  const bin = "usr/lib/postgresql/99/bin";
  const stanzas = [
    ["postgresql", "postgresql-99", []],
    ["postgresql-99", "tenantry-test-library", [`${bin}/initdb`, `${bin}/postgres`]],
    ["tenantry-test-library", "", ["usr/lib/x86_64-linux-gnu/libtest.so"]],
  ] as const;
  const texts = stanzas.map(([name, depends, files]) => {
    const control = pack(folder, name, depends, files);
    const file = path.join(archive, `${name}.deb`);
    const [digest] = execFileSync("sha256sum", [file], { encoding: "utf8" }).split(" ");
    const size = execFileSync("stat", ["-c", "%s", file], { encoding: "utf8" }).trim();
    return `${control}Filename: ./${name}.deb\nSize: ${size}\nSHA256: ${digest}\n`;
  });
  writeFileSync(path.join(archive, "Packages"), texts.join("\n"));
  const list = path.join(folder, "sources.list");
  writeFileSync(list, `deb [trusted=yes] file:${archive} ./\n`);
  // An empty record of what is installed: this machine may have one of the name.
  const status = path.join(folder, "status");
  writeFileSync(status, "");
  return [`Dir::Etc::SourceList=${list}`, "Dir::Etc::SourceParts=-", `Dir::State::status=${status}`].flatMap((one) => [
    "-o",
    one,
  ]);
}

describe("the way to a PostgreSQL for tests", function () {
  this.timeout(120_000);

  it("is PG_BIN, or says what is wrong with it", () =>
    withFolder(async (folder) => {
      await assert.rejects(findPostgres({ env: { PG_BIN: folder } }), /PG_BIN: .* has not both of initdb and postgres/);
      for (const name of ["initdb", "postgres"]) writeFileSync(path.join(folder, name), "", { mode: 0o755 });
      assert.equal(await findPostgres({ env: { PG_BIN: folder } }), folder);
      assert.equal(await findPostgres({ env: { PATH: `/nowhere:${folder}` }, installed: folder }), folder);
    }));

  it("else unpacks Debian's packages into a cache, installs nothing, and finds them there the next time", function () {
    if (!onPath("apt-get") || !onPath("dpkg-deb")) this.skip();
    return withFolder(async (folder) => {
      const surroundings = {
        ...{ env: { PATH: "/nowhere" }, installed: path.join(folder, "nothing") },
        ...{ cached: path.join(folder, "cache", "postgres"), options: archiveIn(folder) },
      };
      const bin = await findPostgres(surroundings);
      assert.equal(bin, path.join(surroundings.cached, "usr/lib/postgresql/99/bin"));
      assert.equal(await librariesOf(bin), path.join(surroundings.cached, "usr/lib/x86_64-linux-gnu"));
      assert.equal(await findPostgres({ ...surroundings, options: ["-o", "Dir::Etc::SourceList=/nowhere"] }), bin);
      assert.deepEqual(readdirSync(path.dirname(surroundings.cached)), ["postgres"]);
    });
  });

  it("else says what to do, and leaves nothing half-done", function () {
    if (!onPath("apt-get")) this.skip();
    return withFolder(async (folder) => {
      const cached = path.join(folder, "cache", "postgres");
      const nothing = ["-o", "Dir::Etc::SourceList=/dev/null", "-o", "Dir::Etc::SourceParts=-"];
      const find = findPostgres({ env: { PATH: "/nowhere" }, installed: folder, cached, options: nothing });
      await assert.rejects(
        find,
        /^Error: No PostgreSQL: .*Install it \(Debian: apt-get install postgresql\), or name the/,
      );
      assert.deepEqual(readdirSync(path.dirname(cached)), []);
    });
  });

  it("has a cache that whoever PostgreSQL runs as can look into", () => {
    assert.equal(cachedPostgres({ XDG_CACHE_HOME: "/x" }, false), "/x/tenantry/postgres");
    assert.equal(cachedPostgres({ XDG_CACHE_HOME: "/x" }, true), "/var/cache/tenantry/postgres");
    assert.equal(cachedPostgres({ TENANTRY_CACHE: "/y" }, true), "/y/tenantry/postgres");
    assert.equal(cachedPostgres({ XDG_CACHE_HOME: "/x", TENANTRY_CACHE: "" }, false), "/x/tenantry/postgres");
  });
});
