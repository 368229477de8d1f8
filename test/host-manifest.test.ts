import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';

const root = resolve(import.meta.dirname, '..');
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

const menuItem = z.object({ command: z.string(), when: z.string().optional() });
const step = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  completionEvents: z.array(z.string()).min(1),
  media: z.union([
    z.object({ svg: z.string(), altText: z.string() }),
    z.object({ image: z.record(z.enum(['dark', 'light', 'hc', 'hcLight']), z.string()), altText: z.string() }),
  ]),
});
const json: unknown = JSON.parse(text('package.json'));
const nls = z.record(z.string(), z.string()).parse(JSON.parse(text('package.nls.json')));
/** What stands behind a `%key%`. */
const said = (key: string): string => nls[key.replaceAll('%', '')] ?? `nothing behind ${key}`;

const manifest = z
  .object({
    contributes: z.object({
      commands: z.array(
        z.object({
          command: z.string(),
          title: z.string().regex(/^%command\.\w+%$/),
          category: z.literal('Turnwise'),
          icon: z
            .string()
            .regex(/^\$\([\w-]+\)$/)
            .optional(),
        }),
      ),
      menus: z.record(z.string(), z.array(menuItem)),
      keybindings: z.array(menuItem),
      views: z.object({ turnwise: z.array(z.object({ id: z.string() })) }),
      viewsWelcome: z.array(z.object({ view: z.string(), contents: z.string(), when: z.string() })),
      walkthroughs: z.array(z.object({ id: z.string(), steps: z.array(step) })),
    }),
  })
  .parse(json).contributes;

const steps = manifest.walkthroughs
  .flatMap((walkthrough) => walkthrough.steps)
  .map((one) => ({ ...one, description: said(one.description) }));
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
      [...said(contents).matchAll(/\(command:([\w.]+)\)/g)].map((m) => m[1]),
    ),
    ...[...code.matchAll(/executeCommand\('(turnwise\.\w+)'/g)].map((m) => m[1]).filter((id) => id !== undefined),
    ...steps.flatMap(({ description, completionEvents }) => [
      ...[...description.matchAll(/\(command:([\w.]+)\)/g)].map((m) => m[1]),
      ...completionEvents.flatMap((event) => /^onCommand:(.+)$/.exec(event)?.[1] ?? []),
    ]),
  ].filter((id) => id?.startsWith('turnwise.') === true && !id.startsWith('turnwise.chat.'));
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

test('what every extension of VS Code owes its users stands in the manifest', () => {
  const owed = z.object({
    l10n: z.literal('./l10n'),
    main: z.literal('./dist/extension.cjs'),
    extensionKind: z.tuple([z.literal('workspace')]),
    engines: z.looseObject({ vscode: z.literal('^1.104.0') }),
    devDependencies: z.looseObject({ '@types/vscode': z.literal('1.104.0') }),
    capabilities: z.object({
      untrustedWorkspaces: z.object({
        supported: z.literal('limited'),
        description: z.string().startsWith('%'),
        restrictedConfigurations: z.array(z.string()).min(5),
      }),
      virtualWorkspaces: z.object({ supported: z.literal('limited'), description: z.string().startsWith('%') }),
    }),
    // Views, commands and panels that come back wake it; nothing else does.
    activationEvents: z.array(z.string().regex(/^onWebviewPanel:turnwise\.\w+$/)),
  });
  expect(owed.safeParse(json).error?.issues ?? []).toEqual([]);
});

test('nothing is told to anybody: no telemetry in the code, and no package that sends any', () => {
  const { dependencies } = z.object({ dependencies: z.record(z.string(), z.string()) }).parse(json);
  expect(
    Object.keys(dependencies).filter((name) => /telemetry|analytics|sentry|applicationinsights/.test(name)),
  ).toEqual([]);
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const tellers = files.filter((file) =>
    /createTelemetryLogger|isTelemetryEnabled|sendBeacon/.test(text(`src/${file}`)),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(tellers).toEqual([]);
});

test('work that takes long says so and can be cancelled, but for what must not be left half done', () => {
  const works = readdirSync(join(root, 'src/host'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...text(`src/host/${file}`).matchAll(/withProgress\([\s\S]*?\{([\s\S]*?)\},\n/g)])
    .map(([, options = '']) => ({
      title: /l10n\.t\(\s*'([^']*)'/.exec(options)?.[1] ?? 'what a caller names',
      cancellable: /cancellable: true/.test(options),
    }));
  expect(works.length).toBeGreaterThanOrEqual(7);
  expect(
    works
      .filter(({ cancellable }) => !cancellable)
      .map(({ title }) => title)
      .sort(),
  ).toEqual(['Backing up the journal', 'Deleting the conversation for good']);
});

test('a command in a menu or a title bar has an icon of the editor', () => {
  const icons = new Map(manifest.commands.map(({ command, icon }) => [command, icon]));
  const known = text('node_modules/@vscode/codicons/dist/codicon.css');
  for (const [command, icon] of icons) {
    expect(icon, command).toBeDefined();
    expect(known, command).toContain(`.codicon-${icon?.slice(2, -1) ?? ''}:before`);
  }
});

test('whatever is shown only sometimes says when', () => {
  const items = Object.values(manifest.menus).flat();
  expect(items.filter(({ when }) => when === undefined)).toEqual([]);
  expect(manifest.viewsWelcome.map(({ when }) => when).every((when) => when !== '')).toBe(true);
  // Nothing configured, nothing there, nothing to be had: each is met with what to do.
  expect(manifest.viewsWelcome.length).toBeGreaterThanOrEqual(3);
  for (const { contents } of manifest.viewsWelcome) expect(said(contents)).toMatch(/\]\(command:[\w.]+\)/);
});

test('the walkthrough leads through connect, chat, review and export, each with a picture, a command and its end', () => {
  expect(steps.map(({ id }) => id)).toEqual(['connect', 'chat', 'review', 'export']);
  for (const { id, description, media, title } of steps) {
    expect(description, id).toMatch(/\]\(command:turnwise\.\w+\)/);
    expect(said(title), id).not.toMatch(/^nothing behind/);
    const pictures = 'svg' in media ? [media.svg] : Object.values(media.image);
    for (const picture of pictures) expect(existsSync(join(root, picture)), picture).toBe(true);
    expect(said(media.altText), id).not.toMatch(/^nothing behind/);
  }
  const contexts = steps.flatMap(({ completionEvents }) =>
    completionEvents.flatMap((event) => /^onContext:(.+)$/.exec(event)?.[1] ?? []),
  );
  const host = readdirSync(join(root, 'src/host')).map((file) =>
    file.endsWith('.ts') ? text(`src/host/${file}`) : '',
  );
  for (const context of contexts)
    expect(
      host.some((code) => code.includes(`'setContext', '${context}'`)),
      context,
    ).toBe(true);
});
