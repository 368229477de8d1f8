#!/usr/bin/env node
// Stands in for the desktop executable: takes the arguments that @vscode/test-electron and @vscode/test-cli give to `code`,
// runs the suite in the VS Code server and a headless Chromium, and exits with the suite's code.
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSuite } from './suite.mjs';

/** @type {Map<string, string>} */
const options = new Map();
/** @type {string[]} */
const paths = [];
for (const argument of process.argv.slice(2)) {
  const option = /^--([\w-]+)(?:=(.*))?$/s.exec(argument);
  if (option) options.set(`${option[1]}`, option[2] ?? '');
  else paths.push(argument);
}

/** @param {string} name */
const pathOf = (name) => {
  const value = options.get(name);
  if (!value) throw new Error(`The option --${name}=PATH is missing.`);
  return value.startsWith('file://') ? fileURLToPath(value) : value;
};

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
const folder = paths.find((path) => isAbsolute(path));
const failureShot = process.env['TURNWISE_TEST_SHOT'];
process.exit(
  await runSuite({
    developed: pathOf('extensionDevelopmentPath'),
    tests: pathOf('extensionTestsPath'),
    ...(folder === undefined ? {} : { folder }),
    ...(failureShot === undefined ? {} : { failureShot }),
  }),
);
