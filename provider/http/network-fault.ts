import { TenantryError } from "../platform/errors";
import { runOver } from "./cancellation";

/** Why an exchange ended without a whole answer. */
export interface NetworkFault {
  readonly kind:
    "refused" | "not-resolved" | "certificate" | "handshake" | "lost" | "closed" | "timed-out" | "too-large";
  /** False only if certain: nothing of the request can have reached the platform. */
  readonly sent: boolean;
  /** A few words for the reader. */
  readonly text: string;
}

const beforeConnection: Record<string, [NetworkFault["kind"], string]> = {
  ECONNREFUSED: ["refused", "connection refused"],
  EHOSTUNREACH: ["refused", "host unreachable"],
  ENETUNREACH: ["refused", "network unreachable"],
  EADDRNOTAVAIL: ["refused", "no local address left"],
  ENOTFOUND: ["not-resolved", "host name not found"],
  EAI_AGAIN: ["not-resolved", "host name not resolved"],
  UND_ERR_CONNECT_TIMEOUT: ["refused", "connecting took too long"],
};

/**
 * How a handshake ends that will end so again: the other side speaks no TLS, no version or cipher of ours, or wants a
 * certificate of ours. Other OpenSSL errors can come at any time, so that the request may have been sent.
 */
const handshake = new RegExp(
  "ERR_TLS_|ERR_SSL_.*(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|HANDSHAKE_FAILURE|" +
    "UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|NO_PROTOCOLS|UNRECOGNIZED_NAME|INSUFFICIENT_SECURITY)",
);

/** Sorts what undici and Node throw. Unknown errors count as "lost": the request may have had its effect. */
export function networkFault(error: unknown): NetworkFault {
  const code = codeOf(error);
  const early = beforeConnection[code];
  if (early) return { kind: early[0], sent: false, text: `${early[1]} (${code})` };
  // A certificate is judged before the first byte of the request is sent.
  if (/CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER|GET_CRL|DECRYPT|DECODE)|HOSTNAME_MISMATCH|INVALID_CA/.test(code)) {
    return { kind: "certificate", sent: false, text: `the host's TLS certificate is not trusted (${code})` };
  }
  if (handshake.test(code)) {
    return { kind: "handshake", sent: false, text: `no TLS connection could be agreed on (${code})` };
  }
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT" || code === "TimeoutError") {
    return { kind: "timed-out", sent: true, text: "no whole answer in time" };
  }
  if (code === runOver) {
    return { kind: "closed", sent: true, text: "no answer before the run was cancelled" };
  }
  return { kind: "lost", sent: true, text: `the connection was lost${code ? ` (${code})` : ""}` };
}

/** The error that callers see. `where` is method and address, e.g. "GET https://api.turso.tech/v1/locations". */
export function faultError(fault: NetworkFault, where: string, lost: boolean): TenantryError {
  const afterLostReply = lost || fault.sent;
  switch (fault.kind) {
    case "timed-out":
      return new TenantryError("timed-out", `${where}: ${fault.text}.`, {
        fix: "Try again; if it lasts, check the network and the platform's status page.",
        afterLostReply,
      });
    case "closed":
      return new TenantryError("cancelled", `${where}: ${fault.text}.`, {
        fix: "Run it again: what took effect is found.",
        afterLostReply,
      });
    case "too-large":
      return new TenantryError("bad-answer", `${where}: ${fault.text}.`, {
        fix: "Check the address and for a proxy in between; of a database, ask for fewer or shorter rows at once.",
        afterLostReply,
      });
    case "certificate":
    case "handshake":
      return new TenantryError("untrusted-host", `${where}: ${fault.text}.`, {
        fix:
          fault.kind === "certificate"
            ? "Check the address; behind a proxy with its own certificates, name their authority's file in NODE_EXTRA_CA_CERTS."
            : "Check the address (http or https?) and for a proxy in between.",
        afterLostReply,
      });
    default:
      return new TenantryError("unreachable", `${where}: ${fault.text}.`, {
        fix: "Check the address, the network, and that the platform is running.",
        afterLostReply,
      });
  }
}

function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
    if (at.name === "TimeoutError") return "TimeoutError";
  }
  return "";
}
