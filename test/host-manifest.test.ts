import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';

const root = resolve(import.meta.dirname, '..');
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

const menuItem = z.object({ command: z.string(), when: z.string().optional() });
const manifest = z
  .object({
    contributes: z.object({
      commands: z.array(z.object({ command: z.string(), title: z.string().min(1), category: z.literal('Turnwise') })),
      menus: z.record(z.string(), z.array(menuItem)),
      keybindings: z.array(menuItem),
      views: z.object({ turnwise: z.array(z.object({ id: z.string() })) }),
      viewsWelcome: z.array(z.object({ contents: z.string() })),
    }),
  })
  .parse(JSON.parse(text('package.json'))).contributes;

const ids = manifest.commands.map(({ command }) => command);

test('package.json lists the commands of the one table, in its order', () => {
  const table = [...text('src/host/commands.ts').matchAll(/^ {2}'(turnwise\.\w+)':/gm)].map((match) => match[1]);
  expect(ids).toEqual(table);
});

test('menus, keys, welcome views and code name only commands that exist', () => {
  const code = readdirSync(join(root, 'src/host'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => text(`src/host/${file}`))
    .join('\n');
  const named = [
    ...Object.values(manifest.menus)
      .flat()
      .map(({ command }) => command),
    ...manifest.keybindings.map(({ command }) => command),
    ...manifest.viewsWelcome.flatMap(({ contents }) =>
      [...contents.matchAll(/\(command:([\w.]+)\)/g)].map((m) => m[1]),
    ),
    ...[...code.matchAll(/executeCommand\('(turnwise\.\w+)'/g)].map((m) => m[1]).filter((id) => id !== undefined),
  ].filter((id) => !id?.startsWith('turnwise.chat.'));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((id) => !ids.includes(id ?? ''))).toEqual([]);
});

test('a command that needs a row of the tree is not in the palette', () => {
  const hidden = (manifest.menus['commandPalette'] ?? [])
    .filter(({ when }) => when === 'false')
    .map(({ command }) => command);
  const onRows = (manifest.menus['view/item/context'] ?? []).map(({ command }) => command);
  expect([...hidden].sort()).toEqual([...onRows].sort());
});
