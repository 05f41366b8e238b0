import { type z } from "zod";
import {
  type Manifest,
  type ManifestTenant,
  entries,
  listedTenant,
  manifestFile,
  sections,
  single,
  tenant,
  tenantProperties,
} from "./definition";
import type { ReadDocument } from "./document";
import { Places, remember } from "./places";
import { type Place, type Problems, placeText, quoted } from "./problems";
import { checkReferences } from "./references";
import type { Row } from "./rows";
import { accept, keysOf } from "./wording";

type Path = readonly (string | number)[];

/** What a file can refer to. */
export interface Surroundings {
  /** A path in the file, as seen from where the manifest's own path is. */
  readonly fromFile: (path: string) => string;
  readonly isFile: (path: string) => boolean;
  /** Adds the rows of a CSV file. */
  readonly rows: (file: string) => void;
}

/** A manifest in the making: files are added in turn, and what is wrong in one does not hide what is wrong in the next. */
export class Assembly {
  private readonly places = new Places({ file: "manifest" });
  private readonly single: Record<string, unknown> = {};
  private readonly entries: Record<string, Record<string, unknown>> = {};
  private readonly tenants: ManifestTenant[] = [];
  private hasTenants = false;

  constructor(private readonly problems: Problems) {}

  addDocument(file: string, { value, placeOf }: ReadDocument, around: Surroundings): void {
    const at = (path: Path) => ({ path, placeOf });
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      const what = value === null ? "it is empty" : "it is no map";
      this.problems.add({ file }, [], `${what}; a manifest begins with \`version: 1\` and has \`tenants:\`.`);
      return;
    }
    const content = value as Record<string, unknown>;
    for (const key of sections) {
      // Told before everything else: a later format may mean something else by the same words.
      if (key === "version" && !accept(manifestFile.shape.version, content[key], [], at([key]), this.problems)) return;
    }
    accept(manifestFile.pick({ $schema: true }), unknownOf(content), sections, at([]), this.problems);
    for (const [key, schema] of Object.entries(single)) {
      if (content[key] !== undefined) this.addSingle(key, schema, content[key], placeOf);
    }
    for (const [key, schema] of Object.entries(entries)) {
      if (content[key] !== undefined) this.addEntries(key, schema, content[key], placeOf, around);
    }
    if ("tenants" in content) this.addTenants(content["tenants"], placeOf, around);
  }

  addRows(rows: readonly Row[]): void {
    this.hasTenants = true;
    for (const { placeOf, value } of rows) {
      const { id } = value;
      const base = typeof id === "string" ? ["tenants", id] : [];
      this.addListed(value, base, (path) => placeOf(path.slice(base.length)));
    }
  }

  finish(path: string): Manifest {
    if (!this.hasTenants) {
      const text = "there are no tenants in it. Where none are meant, write `tenants: {}`.";
      if (this.problems.all.length === 0) this.problems.add({ file: path }, [], text);
    }
    const { groups, residency = {}, plans = {}, schemas = {} } = this.entries;
    const manifest = {
      version: 1,
      defaults: {},
      namePattern: "{id}",
      ...this.single,
      ...{ groups, residency, plans, schemas, tenants: this.tenants },
    } as Manifest;
    remember(manifest, this.places);
    checkReferences(manifest, this.places, this.problems);
    return manifest;
  }

  private addSingle(key: string, schema: z.ZodType, value: unknown, placeOf: ReadDocument["placeOf"]): void {
    if (this.isTwice([key], [key], placeOf)) return;
    const accepted = accept(schema, value, keysOf(schema), { path: [key], placeOf }, this.problems);
    if (accepted !== undefined) this.single[key] = accepted;
  }

  private addEntries(
    section: string,
    schema: z.ZodType,
    value: unknown,
    placeOf: ReadDocument["placeOf"],
    { fromFile }: Surroundings,
  ): void {
    const all = (this.entries[section] ??= {});
    if (!this.isMap(value, [section], placeOf)) return;
    for (const [name, entry] of Object.entries(value)) {
      const path = [section, name];
      if (this.isTwice(path, path, placeOf)) continue;
      const given = entry === null && (section === "groups" || section === "plans") ? {} : entry;
      const accepted = accept(schema, given, keysOf(schema), { path, placeOf }, this.problems);
      // One that is wrong is there all the same, so that nobody is told that there is none.
      all[name] =
        section === "schemas" && accepted ? located(accepted as { migrations?: string }, fromFile) : (accepted ?? {});
    }
  }

  private addTenants(value: unknown, placeOf: ReadDocument["placeOf"], around: Surroundings): void {
    this.hasTenants = true;
    if (typeof value === "string") return this.addRowsOf(value, placeOf(["tenants"]), around);
    if (Array.isArray(value)) {
      value.forEach((item: unknown, i) => {
        const entry = typeof item === "object" && item !== null ? item : { id: item };
        this.addListed(entry, ["tenants", i], placeOf);
      });
      return;
    }
    if (!this.isMap(value, ["tenants"], placeOf)) return;
    for (const [id, entry] of Object.entries(value)) {
      const path = ["tenants", id];
      if (this.isTwice(path, path, placeOf)) continue;
      const named = accept(listedTenant.shape.id, id, [], { path, placeOf }, this.problems);
      const accepted = accept(tenant, entry ?? {}, tenantProperties, { path, placeOf }, this.problems);
      if (named !== undefined && accepted) this.tenants.push({ id, ...accepted });
    }
  }

  private addRowsOf(name: string, place: Place, { fromFile, isFile, rows }: Surroundings): void {
    const file = fromFile(name);
    if (!name.endsWith(".csv")) {
      const text = `${quoted(name)} is no CSV file; write the path of one, or a map of ids.`;
      this.problems.add(place, ["tenants"], text);
    } else if (isFile(file)) rows(file);
    else this.problems.add(place, ["tenants"], `there is no file ${file}.`);
  }

  /** One that has its id in it: `base` is where it stands in its file. */
  private addListed(entry: object, base: Path, placeOf: (path: Path) => Place): void {
    const accepted = accept(listedTenant, entry, ["id", ...tenantProperties], { path: base, placeOf }, this.problems);
    if (accepted?.id === undefined) return;
    if (!this.isTwice(["tenants", accepted.id], base, placeOf)) this.tenants.push(accepted);
  }

  private isMap(value: unknown, path: Path, placeOf: ReadDocument["placeOf"]): value is Record<string, unknown> {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return true;
    const text = value === null ? `it is empty; write \`${path[0]}: {}\` where none are meant.` : "must be a map.";
    this.problems.add(placeOf(path), path, text);
    return false;
  }

  /** Reports what another file, or row, has already. Within a map the reader has told it. */
  private isTwice(path: Path, base: Path, placeOf: (path: Path) => Place): boolean {
    const first = this.places.find(path);
    if (!first) {
      this.places.note(path, base, placeOf);
      return false;
    }
    this.problems.add(placeOf(base), path, `it is given twice; first in ${placeText(first)}.`);
    return true;
  }
}

const unknownOf = (content: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(content).filter(([key]) => key === "$schema" || !sections.includes(key)));

const located = (schema: { migrations?: string }, fromFile: (path: string) => string): object =>
  schema.migrations === undefined ? schema : { ...schema, migrations: fromFile(schema.migrations) };
