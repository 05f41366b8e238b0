/** All that it takes to read a manifest, for programs that load it only if they have one. */
export { loadManifest } from "./load";
export { placesOf } from "./places";
export { Problems, placeText } from "./problems";
export { resolveManifest } from "./resolve";
