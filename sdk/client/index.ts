/** The run-time library, for applications: no Pulumi, no platform token. */
export { type EnsureSchemaOptions, type EnsuredSchema, ensureSchema } from "./ensure-schema";
