import assert from "node:assert/strict";
import { type NetworkFault, faultError, networkFault } from "../../provider/http/network-fault";
import type { ErrorCode } from "../../provider/platform/errors";

describe("network fault", () => {
  // Code, kind, whether the request may have been sent, what callers see.
  const table: [string, NetworkFault["kind"], boolean, ErrorCode][] = [
    ["ECONNREFUSED", "refused", false, "unreachable"],
    ["UND_ERR_CONNECT_TIMEOUT", "refused", false, "unreachable"],
    ["ENOTFOUND", "not-resolved", false, "unreachable"],
    ["EAI_AGAIN", "not-resolved", false, "unreachable"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "certificate", false, "untrusted-host"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "certificate", false, "untrusted-host"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate", false, "untrusted-host"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "certificate", false, "untrusted-host"],
    ["CERT_HAS_EXPIRED", "certificate", false, "untrusted-host"],
    ["CERT_NOT_YET_VALID", "certificate", false, "untrusted-host"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "certificate", false, "untrusted-host"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "handshake", false, "untrusted-host"],
    ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "handshake", false, "untrusted-host"],
    // Can come in the middle of a request.
    ["ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "lost", true, "unreachable"],
    ["ECONNRESET", "lost", true, "unreachable"],
    ["UND_ERR_SOCKET", "lost", true, "unreachable"],
    ["UND_ERR_BODY_TIMEOUT", "timed-out", true, "timed-out"],
    ["", "lost", true, "unreachable"],
  ];
  for (const [code, kind, sent, seen] of table) {
    it(`${code || "an error without a code"}: ${kind}, ${seen}`, () => {
      // Node may hide the code in a cause.
      const thrown = Object.assign(new Error("failed"), code ? { code } : {});
      for (const error of [thrown, new TypeError("fetch failed", { cause: thrown })]) {
        const fault = networkFault(error);
        assert.deepEqual([fault.kind, fault.sent], [kind, sent]);
        const shown = faultError(fault, "GET api.example/v1", false);
        assert.deepEqual([shown.code, shown.afterLostReply], [seen, sent]);
        assert.match(shown.message, /^GET api\.example\/v1: .*\. [A-Z].*\.$/);
      }
    });
  }
});
