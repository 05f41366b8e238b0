import assert from "node:assert/strict";
import { type Attempt, isAbsent, problemOf } from "../../provider/drivers/turso/problems";
import type { HttpAnswer } from "../../provider/http/answer";
import type { ErrorCode } from "../../provider/platform/errors";

function answer(status: number, problem: string, problemCode?: string): HttpAnswer {
  const common = { where: "POST h/p", body: undefined, requestId: "r-1", retryAfter: undefined, afterLostReply: false };
  return { ...common, status, problem, problemCode };
}

const attempt = (kind: Attempt["kind"]): Attempt => ({ doing: "do it", kind, organization: "acme" });

describe("turso problems", () => {
  const table: [Attempt["kind"], number, string, ErrorCode, string?][] = [
    ["create-database", 409, "database with name a already exists", "already-exists"],
    ["create-database", 400, "database with same name already exists", "already-exists"],
    ["create-database", 422, "name not available", "already-exists"],
    ["create-database", 422, "", "already-exists"],
    ["create-database", 409, "database with name quota-plan already exists", "already-exists"],
    ["create-database", 409, "database with name protected already exists", "already-exists"],
    ["create-database", 422, "name must only contain lowercase letters", "invalid-input"],
    ["create-database", 400, "invalid database name", "invalid-input"],
    ["create-database", 400, "group not found", "group-not-found"],
    ["create-database", 404, "group not found", "group-not-found"],
    ["create-database", 404, "could not find database with name group-a: record not found", "database-not-found"],
    ["create-database", 400, "could not find database with name tpl: record not found", "database-not-found"],
    ["create-database", 400, "size_limit is not supported for db-api controlled databases", "unsupported"],
    ["create-database", 402, "Upgrade your plan to create more databases", "plan-refused"],
    ["create-database", 403, "database limit reached", "plan-refused"],
    ["create-database", 400, "You have exceeded your quota of databases", "plan-refused"],
    ["create-database", 400, "this is not available on your plan", "plan-refused"],
    ["create-database", 400, "not here", "plan-refused", "feature_not_available_for_starter_plan"],
    ["create-database", 403, "not a member of the organization", "forbidden"],
    ["create-group", 409, "group already exists", "already-exists"],
    ["create-group", 400, "invalid location", "unknown-location"],
    ["create-group", 422, "location mars does not exist", "unknown-location"],
    ["create-group", 402, "more groups need the Scaler plan", "plan-refused"],
    ["look", 404, "organization not found", "organization-not-found"],
    ["look", 404, "could not find organization with slug x: record not found", "organization-not-found"],
    ["change", 404, "could not find database with name organization: record not found", "database-not-found"],
    ["change", 404, "group not found", "group-not-found"],
    ["change", 400, "allowed_ips needs a paid plan", "plan-refused"],
    ["delete", 403, "database a is protected from deletion", "protected"],
    ["delete", 400, "delete protection is enabled", "protected"],
    ["delete", 409, "cannot delete: delete_protection is on", "protected"],
    ["token", 400, "Permissions are not supported for db-api controlled databases", "unsupported"],
    ["token", 400, "Invalid expiration format", "invalid-input"],
    ["look", 429, "", "rate-limited"],
    ["look", 500, "boom", "unavailable"],
    ["look", 503, "plan your visit", "unavailable"],
    ["look", 408, "", "unavailable"],
    ["look", 401, "", "credentials-rejected"],
  ];
  for (const [kind, status, text, code, problemCode] of table) {
    it(`${kind}: ${status} "${text}" is ${code}`, () => {
      const error = problemOf(answer(status, text, problemCode), attempt(kind));
      assert.equal(error.code, code);
      assert.equal(error.platformText, text || undefined);
      assert.equal(error.requestId, "r-1");
      assert.match(error.message, /^Could not do it: /);
    });
  }

  it("keeps whether an earlier attempt may have had its effect", () => {
    const taken = { ...answer(409, "already exists"), afterLostReply: true };
    assert.equal(problemOf(taken, attempt("create-database")).afterLostReply, true);
    assert.equal(problemOf(answer(409, "already exists"), attempt("create-database")).afterLostReply, false);
    assert.equal(problemOf(answer(503, ""), attempt("create-database")).afterLostReply, true);
  });

  it("tells absence from a wrong organization", () => {
    assert.equal(isAbsent(answer(404, "could not find database with name a: record not found")), true);
    assert.equal(isAbsent(answer(404, "could not find database with name organization: record not found")), true);
    assert.equal(isAbsent(answer(404, "organization not found")), false);
    assert.equal(isAbsent(answer(410, "gone")), false);
  });

  it("says when to come back", () => {
    const limited = { ...answer(429, "slow down"), retryAfter: 1_500 };
    assert.match(problemOf(limited, attempt("look")).message, /Try again in 2 s/);
  });
});
