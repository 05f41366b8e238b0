import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { previewReportSchema, type PreviewReport } from "../../provider/preview/report";

const report: PreviewReport = {
  version: 1,
  repository: "shop/app",
  pullRequest: 42,
  data: "masked",
  expiresAt: null,
  branches: [
    {
      tenant: "acme",
      source: "tenant-acme",
      branch: "tenantry-pr-42-acme-0123456789ab",
      url: "libsql://tenantry-pr-42-acme-0123456789ab.example.test",
      databaseId: "3f2a",
      state: "migration-failed",
      created: true,
      from: "0001_init",
      to: "0002_due",
      applied: [{ id: "0002_due", ms: 12.5, rowsWritten: 3, lockedMs: 10 }],
      error: { migration: "0003_unique", message: "UNIQUE constraint failed: notes.text" },
    },
  ],
  fleet: { tenants: 200, projectedMs: 162.5 },
};

describe("A preview's report", () => {
  it("is read back as it was written", () => {
    assert.deepEqual(previewReportSchema.parse(JSON.parse(JSON.stringify(report))), report);
  });

  it("is refused where it is of another version or has holes", () => {
    assert.equal(previewReportSchema.safeParse({ ...report, version: 2 }).success, false);
    assert.equal(previewReportSchema.safeParse({ ...report, branches: [{ tenant: "acme" }] }).success, false);
  });
});
