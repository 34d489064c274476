import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Scripts and styles of the pages: our own, and those of xterm.js from its packages; these files and no others. */

const { resolve } = createRequire(import.meta.url);
const ours = join(import.meta.dirname, '../page');

const packaged = ['xterm', 'addon-fit', 'addon-web-links', 'addon-unicode11'].map((name) => {
  const main = resolve(`@xterm/${name}`); // …/lib/<name>.js; the module is beside it
  return join(dirname(main), `${basename(main, '.js')}.mjs`);
});
const files = [
  ...packaged,
  resolve('@xterm/xterm/css/xterm.css'),
  ...readdirSync(ours)
    .filter((name) => /\.(js|css|svg)$/.test(name))
    .map((name) => join(ours, name)),
];

export const registerAssets = async (scope: FastifyInstance): Promise<void> => {
  await scope.register(fastifyStatic, { root: ours, serve: false });
  for (const file of files) {
    const name = basename(file);
    // Asked for again each time, and mostly answered with "not modified".
    scope.get(`/assets/${name}`, (_request, reply) =>
      reply.sendFile(name, dirname(file), { cacheControl: false }).header('cache-control', 'no-cache'),
    );
  }
};
