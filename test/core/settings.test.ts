import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  findProfile,
  isLoopback,
  manifestProperties,
  manifestWords,
  readSettings,
  settingKeys,
} from '../../src/core/settings.ts';

const manifest = z
  .object({
    contributes: z.object({ configuration: z.object({ properties: z.record(z.string(), z.unknown()) }) }),
    capabilities: z.object({ untrustedWorkspaces: z.object({ restrictedConfigurations: z.array(z.string()) }) }),
  })
  .parse(JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8')));

const nls = z
  .record(z.string(), z.string())
  .parse(JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.nls.json'), 'utf8')));

describe('settings', () => {
  test('a value that cannot be used is replaced by its default and reported; the others stand', () => {
    const values: Record<string, unknown> = {
      'chat.temperature': 'hot',
      'chat.maxTurns': 4,
      servers: [{ name: 'gpu', url: 'ftp://x', model: 'm' }],
    };
    const { settings, problems } = readSettings((key) => values[key]);
    expect(settings['chat.temperature']).toBe(0.7);
    expect(settings['chat.maxTurns']).toBe(4);
    expect(settings.servers).toEqual([]);
    expect(problems.map(({ key }) => key).sort()).toEqual(['chat.temperature', 'servers']);
    expect(problems.every(({ message }) => message.includes('turnwise.'))).toBe(true);
  });

  test('the name "engine" belongs to the local engine', () => {
    const servers = [{ name: 'engine', url: 'http://127.0.0.1:1/v1', model: 'm' }];
    const { settings, problems } = readSettings((key) => (key === 'servers' ? servers : undefined));
    expect(problems).toHaveLength(1);
    expect(findProfile(settings, 'engine')).toEqual({ kind: 'engine' });
  });

  test('a profile is found by its name, and an unknown name is null', () => {
    const servers = [{ name: 'gpu', url: 'https://gpu.example/v1', model: 'm' }];
    const { settings } = readSettings((key) => (key === 'servers' ? servers : undefined));
    expect(findProfile(settings, 'gpu')).toMatchObject({ kind: 'server', model: 'm', scorer: 'openai-completions' });
    expect(findProfile(settings, 'GPU')).toBeNull();
  });

  test('a profile says what kind of server scores; another word is reported', () => {
    const profile = { name: 'gpu', url: 'https://gpu.example/v1', model: 'm' };
    for (const scorer of ['vllm', 'sglang', 'llama-server', 'openai-completions', 'engine', 'none']) {
      const servers = [{ ...profile, scorer, tokenizer: 'hf:owner/name' }];
      const { settings, problems } = readSettings((key) => (key === 'servers' ? servers : undefined));
      expect(problems).toEqual([]);
      expect(findProfile(settings, 'gpu')).toMatchObject({ scorer, tokenizer: 'hf:owner/name' });
    }
    const { problems } = readSettings((key) => (key === 'servers' ? [{ ...profile, scorer: 'vLLM' }] : undefined));
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('servers (0.scorer)')]);
  });

  test.each([
    ['http://127.0.0.1:8000/v1', true],
    ['http://127.9.9.9/v1', true],
    ['http://[::1]:8000/v1', true],
    ['http://localhost/v1', true],
    ['http://localhost.example.com/v1', false],
    ['http://127.0.0.1.example.com/v1', false],
    ['https://10.0.0.5/v1', false],
  ])('%s on this machine: %s', (url, expected) => {
    expect(isLoopback(url)).toBe(expected);
  });

  test('package.json says exactly what the schema says', () => {
    expect(manifest.contributes.configuration.properties).toEqual(manifestProperties());
    expect(nls).toMatchObject(manifestWords());
  });

  test('what names a server, a file or a process is machine-scoped and restricted in an untrusted workspace', () => {
    const properties = manifestProperties() as Record<string, { scope: string }>;
    const endpoints = settingKeys().filter((key) => /server|path|model$/.test(key));
    expect(endpoints.length).toBeGreaterThanOrEqual(5);
    for (const key of endpoints) {
      expect(properties[`turnwise.${key}`]?.scope, key).toBe('machine');
      expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toContain(`turnwise.${key}`);
    }
  });
});
