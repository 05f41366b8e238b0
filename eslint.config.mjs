import tseslint from "typescript-eslint";

const sqlVerb = "(?:SELECT|INSERT|UPDATE|DELETE FROM|CREATE|DROP|ALTER|PRAGMA|ATTACH|VACUUM|EXPLAIN)\\s";
const sqlTogether =
  "SQL takes values as arguments. Where a name must stand in it, quote it, and list the file in eslint.config.mjs.";

export default tseslint.config(
  { ignores: ["dist/", ".tenantry/", "node_modules/", "**/*.js", "**/*.mjs"] },
  ...tseslint.configs.recommended,
  {
    rules: {
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", destructuredArrayIgnorePattern: "^_" },
      ],
    },
  },
  {
    files: ["provider/**", "sdk/**"],
    // Looked at: names that are constants of ours or quoted there, a path that is escaped, SQL that is its caller's own.
    ignores: [
      "provider/rollout/{adoption,foreign-keys,ledger,stepwise}.ts",
      "provider/rollout/deployed/records.ts",
      "provider/rollout/fleet/verify.ts",
      "provider/rollout/schema/scratch.ts",
      "provider/registry/**",
      "provider/preview/{lease,remove}.ts",
      "provider/drivers/tenantsdb/postgres-sql.ts",
      "provider/drivers/tenantsdb/row-counts.ts",
      "provider/resources/tenant-database/{contents,row-counts}.ts",
      "provider/transfer/{carry,clear,load,rows,survey,verify}.ts",
      "provider/local/hrana/**",
      "provider/local/store/database-files.ts",
    ],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: `TemplateLiteral[expressions.length>0] > TemplateElement[value.raw=/^\\s*${sqlVerb}/]`,
          message: sqlTogether,
        },
        { selector: `BinaryExpression[operator='+'] > Literal[value=/^\\s*${sqlVerb}/]`, message: sqlTogether },
      ],
    },
  },
);
