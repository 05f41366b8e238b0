import type { Handler } from "../handler";
import { fitDefaultName, keepDefaultName } from "../inputs";
import { expectTenant, releaseIntents } from "./ahead";
import { createTenantDatabase } from "./create";
import { diffTenantDatabase } from "./diff";
import { judgeTenantDatabase, type TenantDatabaseInputs } from "./inputs";
import type { TenantDatabaseOutputs } from "./outputs";
import { readTenantDatabase } from "./read";
import { removeTenantDatabase } from "./remove";
import { judgeRestoreFrom } from "./restore-point";
import { updateTenantDatabase } from "./update";

export const tenantDatabase: Handler<TenantDatabaseInputs, TenantDatabaseOutputs> = {
  check({ news: declared, olds, capabilities, platform }) {
    const news = fitDefaultName(declared, capabilities);
    const failures = [
      ...judgeTenantDatabase(news, capabilities, platform),
      ...judgeRestoreFrom(news.restoreFrom, olds === undefined, capabilities, platform),
    ];
    return { inputs: keepDefaultName(news, olds), failures };
  },
  diff: ({ olds, news, context }) => diffTenantDatabase(olds, news, context),
  expect: ({ inputs, context }) => expectTenant(context, inputs),
  async create({ inputs, context }) {
    try {
      return await createTenantDatabase(inputs, context);
    } catch (error) {
      await releaseIntents(context);
      throw error;
    }
  },
  read: ({ id, outputs, context }) => readTenantDatabase(id, outputs, context),
  update: ({ id, olds, news, context }) => updateTenantDatabase(id, olds, news, context),
  delete: ({ id, outputs, context }) => removeTenantDatabase(id, outputs, context),
};
