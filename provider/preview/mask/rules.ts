/** What becomes of a column's values. "hash": the same value has the same one everywhere, of the same type, and tells nothing. */
export const maskTreatments = ["keep", "null", "hash"] as const;
export type MaskTreatment = (typeof maskTreatments)[number];

/** By table, then by column. What is not listed is nulled; what rows hang on, see `plan.ts`. */
export type MaskRules = Readonly<Record<string, Readonly<Record<string, MaskTreatment>>>>;
