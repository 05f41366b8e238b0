"use strict";
const fs = require("node:fs");
const path = require("node:path");

/**
 * The types that the package's entries show, and what those are made of: every declaration that no user can come to is
 * left out. Reads what the compiler wrote below `from`, writes the same tree, thinner, below `to`.
 *
 * A declaration is kept for each of its names that is met in one that is kept, whether or not it is meant there: too
 * much may stay, never too little. `entries` are paths below `from` without ".d.ts".
 */
function writeDeclarations(ts, { from, to, entries }) {
  const files = new Map();
  const fileOf = (name) => {
    if (!files.has(name)) files.set(name, readDeclarations(ts, from, name));
    return files.get(name);
  };
  const needAll = (name) => {
    const file = fileOf(name);
    for (const exported of file.exported) need(name, exported);
  };

  function need(name, wanted) {
    const file = fileOf(name);
    if (wanted === "*") return needAll(name);
    const passedOn = file.passedOn.get(wanted);
    if (passedOn) {
      if (file.keptExports.has(wanted)) return;
      file.keptExports.add(wanted);
      if (passedOn.file) need(passedOn.file, passedOn.name);
      else if (!passedOn.outside) keep(file, passedOn.name);
      return;
    }
    keep(file, wanted);
  }

  /** A name as it is known inside of a file. */
  function keep(file, local) {
    if (file.kept.has(local)) return;
    const imported = file.imports.get(local);
    if (imported) {
      file.kept.add(local);
      if (imported.file) need(imported.file, imported.name);
      return;
    }
    const statements = file.declared.get(local);
    if (!statements) return;
    file.kept.add(local);
    for (const statement of statements) mention(file, statement);
  }

  function mention(file, node) {
    if (ts.isIdentifier(node)) keep(file, node.text);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const target = targetOf(from, file.name, node.argument.literal.text);
      if (target) need(target, node.qualifier ? firstName(ts, node.qualifier) : "*");
    }
    ts.forEachChild(node, (child) => mention(file, child));
  }

  for (const entry of entries) needAll(entry);
  for (const file of files.values()) {
    const text = printed(ts, file);
    if (text === "") continue;
    const at = path.join(to, `${file.name}.d.ts`);
    fs.mkdirSync(path.dirname(at), { recursive: true });
    fs.writeFileSync(at, text);
  }
}

const firstName = (ts, qualifier) => (ts.isIdentifier(qualifier) ? qualifier.text : firstName(ts, qualifier.left));

/** The file of ours that a module specifier means, or undefined for a package. */
function targetOf(from, name, specifier) {
  if (!specifier.startsWith(".")) return undefined;
  const at = path.posix.join(path.posix.dirname(name), specifier).replace(/\.js$/, "");
  const found = [at, `${at}/index`].find((one) => fs.existsSync(path.join(from, `${one}.d.ts`)));
  if (!found) throw new Error(`${name}.d.ts imports "${specifier}", which the compiler has not written.`);
  return found;
}

function readDeclarations(ts, from, name) {
  const text = fs.readFileSync(path.join(from, `${name}.d.ts`), "utf8");
  const source = ts.createSourceFile(`${name}.d.ts`, text, ts.ScriptTarget.Latest, true);
  const file = { name, source, declared: new Map(), imports: new Map(), passedOn: new Map(), exported: new Set() };
  Object.assign(file, { kept: new Set(), keptExports: new Set() });
  const declare = (local, statement) => file.declared.set(local, [...(file.declared.get(local) ?? []), statement]);
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) {
      const target = targetOf(from, name, statement.moduleSpecifier.text);
      const { name: whole, namedBindings } = statement.importClause ?? {};
      const add = (local, imported) => file.imports.set(local, { file: target, name: imported });
      if (whole) add(whole.text, "default");
      if (namedBindings && ts.isNamespaceImport(namedBindings)) add(namedBindings.name.text, "*");
      else for (const one of namedBindings?.elements ?? []) add(one.name.text, (one.propertyName ?? one.name).text);
    } else if (ts.isExportDeclaration(statement)) {
      const { exportClause: clause, moduleSpecifier } = statement;
      if (!clause) throw new Error(`${name}.d.ts: "export *" hides what is shown; name it.`);
      const target = moduleSpecifier && targetOf(from, name, moduleSpecifier.text);
      for (const one of ts.isNamespaceExport(clause) ? [clause] : clause.elements) {
        const inside = one === clause ? "*" : (one.propertyName ?? one.name).text;
        file.passedOn.set(one.name.text, { file: target, name: inside, outside: !!moduleSpecifier });
        file.exported.add(one.name.text);
      }
    } else {
      const names = ts.isVariableStatement(statement)
        ? statement.declarationList.declarations.map((one) => one.name.text)
        : [statement.name.text];
      for (const one of names) {
        declare(one, statement);
        if (statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) file.exported.add(one);
      }
    }
  }
  return file;
}

function printed(ts, { source, kept, keptExports, declared }) {
  const wanted = new Set([...kept].flatMap((name) => declared.get(name) ?? []));
  const listed = (elements, names) => elements.filter((one) => names.has(one.name.text)).map((one) => one.getText());
  const parts = source.statements.map((statement) => {
    if (ts.isExportDeclaration(statement)) {
      const { exportClause: clause } = statement;
      if (ts.isNamespaceExport(clause)) return keptExports.has(clause.name.text) ? statement.getText() : "";
      return withNames(statement, clause, listed(clause.elements, keptExports));
    }
    if (!ts.isImportDeclaration(statement)) return wanted.has(statement) ? statement.getFullText().trim() : "";
    const { name, namedBindings } = statement.importClause ?? {};
    if (namedBindings && ts.isNamedImports(namedBindings)) {
      return withNames(statement, namedBindings, listed(namedBindings.elements, kept));
    }
    return kept.has((name ?? namedBindings?.name)?.text) ? statement.getText() : "";
  });
  const left = parts.filter((part) => part !== "");
  if (left.length === 0) return "";
  // Without an import or an export a file is no module.
  if (!left.some((part) => /^(?:export|import) /m.test(part))) left.push("export {};");
  // A tab for the compiler's four spaces: a twentieth of it all.
  return `${left.join("\n")}\n`.replace(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4));
}

/** The statement with fewer names between its braces. */
function withNames(statement, braces, names) {
  if (names.length === 0) return "";
  const text = statement.getText();
  const start = statement.getStart();
  return `${text.slice(0, braces.getStart() - start)}{ ${names.join(", ")} }${text.slice(braces.getEnd() - start)}`;
}

module.exports = { writeDeclarations };
