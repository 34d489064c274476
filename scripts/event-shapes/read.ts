import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { API, type Checker, SymbolFlags, type Type } from 'typescript/unstable/sync';

/** The shapes of events as the compiler sees them, written out whole: what is behind a name is part of the shape. */

/** By `<type> <version>`, all shapes in which such an event was ever written, the present one last. */
export type Shapes = Record<string, string[]>;

export type ReadShapes = {
  /** By type, the shape of its data. */
  current: Record<string, string>;
  /** Whether what was written in that shape can be read as today's. */
  fits(type: string, shape: string): boolean;
};

const describe = (checker: Checker, type: Type): string => {
  if (type.isUnionType()) {
    const parts = [...new Set(type.getTypes().map((part) => describe(checker, part)))];
    const both = parts.includes('true') && parts.includes('false');
    const plain = both ? [...parts.filter((part) => part !== 'true' && part !== 'false'), 'boolean'] : parts;
    return plain.sort().join(' | ');
  }
  if (type.isLiteralType()) return JSON.stringify(type.value);
  if (checker.isArrayType(type)) {
    const [element] = checker.getTypeArguments(type as Parameters<Checker['getTypeArguments']>[0]);
    return `(${describe(checker, element!)})[]`;
  }
  if (!type.isObjectType() && !type.isIntersectionType()) return checker.typeToString(type);
  const fields = checker.getPropertiesOfType(type).map((property) => {
    const isOptional = (property.flags & SymbolFlags.Optional) !== 0;
    const value = describe(checker, checker.getTypeOfSymbol(property)!);
    return isOptional
      ? `${property.name}?: ${value
          .split(' | ')
          .filter((part) => part !== 'undefined')
          .join(' | ')}`
      : `${property.name}: ${value}`;
  });
  return `{ ${fields.sort().join('; ')} }`;
};

/** Runs `work` with the compiler looking at a file of its own, which may import from the project. */
const withCompiler = <T>(
  root: string,
  text: string,
  work: (checker: Checker, declared: (name: string) => Type) => T,
): T => {
  const folder = mkdtempSync(join(root, 'node_modules/.event-shapes-'));
  const api = new API({ cwd: root });
  try {
    const file = join(folder, 'shapes.ts');
    writeFileSync(file, text);
    const config = join(folder, 'tsconfig.json');
    writeFileSync(
      config,
      JSON.stringify({ extends: join(root, 'tsconfig.json'), include: [], files: ['shapes.ts'] }),
    );
    const snapshot = api.updateSnapshot({ openProjects: [config] });
    const project = snapshot.getProject(config)!;
    const { checker } = project;
    const declared = (name: string): Type => {
      const position = text.indexOf(`type ${name} `) + 'type '.length;
      return checker.getDeclaredTypeOfSymbol(checker.getSymbolAtPosition(file, position)!);
    };
    return work(checker, declared);
  } finally {
    api.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** `root`: of the project; it holds the union of all events as `DomainEvent`. */
export const readShapes = <T>(root: string, recorded: Shapes, work: (shapes: ReadShapes) => T): T => {
  const known = Object.entries(recorded).flatMap(([key, shapes]) => shapes.map((shape) => ({ key, shape })));
  const nameOf = (index: number) => `Recorded${index}Shape`;
  const domain = relative(join(root, 'node_modules/x'), join(root, 'services/bot/store/domain-event.ts'));
  const text = [
    `import type { DomainEvent } from '${domain}';`,
    'export type All = DomainEvent;',
    ...known.map(({ shape }, index) => `export type ${nameOf(index)} = ${shape};`),
  ].join('\n');
  return withCompiler(root, text, (checker, declared) => {
    const all = declared('All');
    const events = all.isUnionType() ? all.getTypes() : [all];
    const types = new Map(
      events.map((event) => {
        const [type, data] = ['type', 'data'].map((name) =>
          checker.getTypeOfSymbol(checker.getPropertyOfType(event, name)!),
        );
        return [String((type as Type & { value: string }).value), data!] as const;
      }),
    );
    return work({
      current: Object.fromEntries([...types].map(([type, data]) => [type, describe(checker, data)])),
      fits(type, shape) {
        const index = known.findIndex((one) => one.shape === shape);
        return checker.isTypeAssignableTo(declared(nameOf(index)), types.get(type)!);
      },
    });
  });
};
