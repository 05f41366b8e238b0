import { z } from "zod";
import { StatementError } from "./fault";

/** A value on the wire. Integers travel as text, since JSON numbers lose digits beyond 2^53. */
export const wireValue = z.discriminatedUnion("type", [
  z.object({ type: z.literal("null") }),
  z.object({ type: z.literal("integer"), value: z.string().regex(/^[+-]?\d{1,19}$/) }),
  z.object({ type: z.literal("float"), value: z.number() }),
  z.object({ type: z.literal("text"), value: z.string() }),
  z.object({ type: z.literal("blob"), base64: z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/) }),
]);

export type WireValue = z.infer<typeof wireValue>;

/** A value as the engine takes and gives it: a bigint is an INTEGER, a number is a REAL. */
export type EngineValue = null | bigint | number | string | Buffer;

export function toEngine(value: WireValue): EngineValue {
  switch (value.type) {
    case "null":
      return null;
    case "integer": {
      const integer = BigInt(value.value);
      if (integer !== BigInt.asIntN(64, integer)) {
        throw new StatementError("ARGS_INVALID", `integer ${value.value} does not fit in 64 bits`);
      }
      return integer;
    }
    case "blob":
      return Buffer.from(value.base64, "base64");
    default:
      return value.value;
  }
}

export function toWire(value: EngineValue): WireValue {
  if (value === null) return { type: "null" };
  if (typeof value === "bigint") return { type: "integer", value: value.toString() };
  if (typeof value === "string") return { type: "text", value };
  if (typeof value === "number") {
    if (!Number.isFinite(value)) {
      throw new StatementError("SQL_INPUT_ERROR", "the result holds an infinite number, which JSON cannot express");
    }
    return { type: "float", value };
  }
  return { type: "blob", base64: value.toString("base64").replace(/=+$/, "") };
}
