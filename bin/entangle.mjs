#!/usr/bin/env node
// The command line on the project's own Node, from whichever folder and Node it is called.
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { targetNode } from './bootstrap/node-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = targetNode(root);
if (node === undefined) {
  process.stderr.write(`entangle: its packages are not installed: run npm run setup in ${root}\n`);
  process.exitCode = 1;
} else {
  const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
  const { status, signal, error } = spawnSync(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (error !== undefined) process.stderr.write(`entangle: ${node} does not start: ${error.message}\n`);
  process.exitCode = status ?? (signal === null ? 1 : 128 + constants.signals[signal]);
}
