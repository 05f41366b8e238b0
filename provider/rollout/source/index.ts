export { type Migration, type MigrationRef, type Recorded, digestOf } from "./migration";
export { type MigrationFormat, type MigrationHistory, migrationFormats, readMigrations } from "./read";
