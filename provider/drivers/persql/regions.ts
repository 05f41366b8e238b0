import type { Location } from "../../platform/platform";

/**
 * PerSQL docs, regions: hints of where a database starts, given when it is made and never changed; a word that is not
 * in the list counts as "auto" there, without an error.
 */
export const regions: readonly Location[] = [
  { code: "auto", description: "wherever it is first asked for" },
  { code: "wnam", description: "western North America" },
  { code: "enam", description: "eastern North America" },
  { code: "sam", description: "South America" },
  { code: "weur", description: "western Europe" },
  { code: "eeur", description: "eastern Europe" },
  { code: "apac", description: "Asia and the Pacific" },
  { code: "oc", description: "Oceania" },
  { code: "afr", description: "Africa" },
  { code: "me", description: "the Middle East" },
];
