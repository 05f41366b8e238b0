import type { Manifest } from "./definition";
import type { Place } from "./problems";

type Path = readonly (string | number)[];

/** Where a manifest's properties stand, whichever file they came from. */
export class Places {
  private readonly owners = new Map<string, { readonly base: Path; readonly placeOf: (path: Path) => Place }>();

  constructor(private readonly otherwise: Place) {}

  /** `path` of the merged manifest is `base` in its file. The second of two is not noted. */
  note(path: Path, base: Path, placeOf: (path: Path) => Place): void {
    const key = keyOf(path);
    if (!this.owners.has(key)) this.owners.set(key, { base, placeOf });
  }

  of(path: Path): Place {
    for (const length of [2, 1]) {
      const owner = path.length >= length ? this.owners.get(keyOf(path.slice(0, length))) : undefined;
      if (owner) return owner.placeOf([...owner.base, ...path.slice(length)]);
    }
    return this.otherwise;
  }

  /** Undefined where that is not in any file. */
  find(path: Path): Place | undefined {
    return this.owners.has(keyOf(path)) ? this.of(path) : undefined;
  }
}

const keyOf = (path: Path): string => path.join("\n");

// Beside the manifest, which is plain data.
const known = new WeakMap<Manifest, Places>();

export const remember = (manifest: Manifest, places: Places): void => void known.set(manifest, places);

/** Of a manifest that did not come from files: everything is "the manifest". */
export const placesOf = (manifest: Manifest): Places => known.get(manifest) ?? new Places({ file: "manifest" });
