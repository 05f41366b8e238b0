import { createRequire } from "node:module";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

export type Severity = "info" | "warning";

let client: EngineClient | undefined;

/** The engine's address is the host's own argument; there is none in a test. */
const engineAddress = (): string | undefined =>
  /^[\w.-]+:\d+$/.test(process.argv[2] ?? "") ? process.argv[2] : undefined;

/**
 * Writes a line to the engine's own log, on the line of the resource with that URN; to standard output where there is
 * no engine. A log that cannot be written is no reason to fail. An `ephemeral` line is only shown as long as it is the
 * latest.
 */
export async function engineLog(severity: Severity, message: string, urn: string, ephemeral = false): Promise<void> {
  const address = engineAddress();
  if (!address) return ephemeral ? undefined : console.log(message);
  // gRPC must be the SDK's own copy: the generated client accepts no other's credentials.
  const ofSdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));
  const grpc = ofSdk("@grpc/grpc-js") as typeof import("@grpc/grpc-js");
  client ??= new EngineClient(address, grpc.credentials.createInsecure());
  const request = new LogRequest();
  request.setSeverity(severity === "info" ? LogSeverity.INFO : LogSeverity.WARNING);
  request.setMessage(message);
  request.setUrn(urn);
  request.setEphemeral(ephemeral);
  await new Promise<void>((resolve) => client!.log(request, () => resolve()));
}
