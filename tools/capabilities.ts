// `npm run capabilities`: writes the README's table of what each platform can do from the drivers' flags.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { withTable } from "./capabilities/table";

const file = path.resolve(__dirname, "..", "README.md");
writeFileSync(file, withTable(readFileSync(file, "utf8")));
