import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", ".tenantry/", "node_modules/", "**/*.js", "**/*.mjs"] },
  ...tseslint.configs.recommended,
  { rules: { "no-console": "off", "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }] } },
);
