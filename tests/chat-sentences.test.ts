import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from '@swc/core';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

/**
 * Every sentence that people read in the chat stands in services/bot/texts/, where it is read, tried and mended as a
 * whole. Elsewhere in the bot no literal holds two words or a pictogram, except what goes to operators (logs, errors,
 * the environment's faults) and to the database.
 */

const root = join(import.meta.dirname, '..');

type Node = { type?: string; [field: string]: unknown };

const logging = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const operatorCalls = ['withDeadline'];
const words = /\p{L}\S*\s+\S*\p{L}/u;
const pictogram = /\p{Extended_Pictographic}/u;
const sqlWords = /^(?:not in|[\w.]+ as \w+|begin immediate|vacuum into \?)$/;

const nameOf = (node: unknown): string => {
  const { type, value, property, object } = (node ?? {}) as Node;
  if (type === 'Identifier') return String(value);
  if (type !== 'MemberExpression') return '';
  const last = nameOf(property);
  return last === '' ? nameOf(object) : last;
};

/** What no person in the chat reads: everything below it is left alone. */
const isForOperators = (node: Node): boolean => {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
      return true;
    case 'CallExpression':
      return [...logging, ...operatorCalls].includes(nameOf(node.callee));
    case 'NewExpression':
      return /Error$/.test(nameOf(node.callee)) && nameOf(node.callee) !== 'UsageError';
    case 'ClassDeclaration':
      return nameOf(node.superClass) === 'Error';
    case 'TaggedTemplateExpression': {
      const { tag } = node as { tag: Node };
      return nameOf(tag.type === 'MemberExpression' ? tag.object : tag) === 'sql';
    }
    default:
      return node.type?.startsWith('Ts') === true && node.type.endsWith('Type');
  }
};

/** A failpoint's name is nothing to read, but what is done between its two sides may well be. */
const readIn = (node: Node): Node =>
  node.type === 'CallExpression' && nameOf(node.callee) === 'sideEffect'
    ? { ...node, arguments: (node.arguments as unknown[]).slice(1) }
    : node;

const literalOf = ({ type, value, cooked }: Node): string => {
  if (type === 'StringLiteral') return String(value);
  return type === 'TemplateElement' ? String(cooked) : '';
};

/** What is said as it stands, however short: the parts of `fmt`, and what these calls are given directly. */
const saidDirectly = (node: Node): string[] => {
  if (node.type === 'TaggedTemplateExpression' && nameOf(node.tag) === 'fmt') {
    const { template } = node as { template: { quasis: Node[] } };
    return template.quasis.map(literalOf);
  }
  const isCall = node.type === 'CallExpression' || node.type === 'NewExpression';
  if (!isCall || !['toast', 'UsageError'].includes(nameOf(node.callee))) return [];
  return ((node.arguments ?? []) as { expression: Node }[]).map(({ expression }) => literalOf(expression));
};

const sentencesIn = async (source: string): Promise<string[]> => {
  const { body } = await parse(source, { syntax: 'typescript', target: 'esnext' });
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      const node = value as Node;
      if (isForOperators(node)) return;
      const text = literalOf(node);
      if ((words.test(text) && !sqlWords.test(text)) || pictogram.test(text)) found.add(text);
      for (const said of saidDirectly(node)) if (/\p{L}/u.test(said)) found.add(said);
      Object.values(readIn(node)).forEach(visit);
    }
  };
  visit(body);
  return [...found];
};

const botFiles = async (): Promise<string[]> => {
  const { stdout } = await execa('git', ['ls-files', 'services/bot/*.ts'], { cwd: root });
  return stdout
    .split('\n')
    .filter((file) => !file.endsWith('.test.ts') && !file.includes('/testing/'))
    .filter((file) => !forOthers.some((path) => file.startsWith(path)));
};

/** The sentences themselves, and what only operators read: variables, and figures for Prometheus. */
const forOthers = ['services/bot/texts/', 'services/bot/env.ts', 'services/bot/metrics/'];

describe('outside texts/', () => {
  it('nothing in the bot puts a sentence of its own into the chat', async () => {
    const files = await botFiles();
    expect(files.length).toBeGreaterThan(80);
    const found: string[] = [];
    for (const file of files)
      for (const text of await sentencesIn(await readFile(join(root, file), 'utf8')))
        found.push(`${file}: ${text}`);
    expect(found).toEqual([]);
  });

  it.each([
    ['a sentence', "await conversation.reply(plain('The VM is gone.'));"],
    ['a sentence beside a failpoint', "sideEffect('store: post', () => post('The VM is gone.'));"],
    ['a sentence with values in it', 'const text = fmt`$' + '{name} is gone now`;'],
    ['a sentence of one word', 'await conversation.reply(plain(fmt`Gone.`));'],
    ['a toast', "conversation.toast('Gone');"],
    ['a fault of an argument', "throw new UsageError('no such plan');"],
    ['a fault in a schema', "const name = z.string('the name is missing');"],
    ['the label of a button', "const button = { text: '🗑 Remove', data };"],
  ])('%s is found', async (_what, source) => {
    expect(await sentencesIn(source)).toHaveLength(1);
  });

  it.each([
    ['a line of the log', "log.warn({ err }, 'the queue was not read');"],
    ['an error for operators', "throw new Error('the store is closed');"],
    ['an error of its own kind', "class Gone extends Error { constructor() { super('it is gone'); } }"],
    ['SQL', 'await sql`select 1 from events`.execute(db);'],
    ['a word', "const status = 'running';"],
  ])('%s is none', async (_what, source) => {
    expect(await sentencesIn(source)).toEqual([]);
  });
});
