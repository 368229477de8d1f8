import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { expect, test, vi } from 'vitest';
import { exitCodeOf, type Servers } from '../../src/cli/command.ts';
import { registerImport } from '../../src/cli/import.ts';
import { reduce } from '../../src/core/reduce.ts';
import { toTranscript } from '../../src/core/to-transcript.ts';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryStore } from '../store/temporary-store.ts';

const messages = [
  { role: 'user', content: 'Convert it.' },
  { role: 'assistant', content: 'Which unit?' },
  { role: 'user', content: 'metres' },
  { role: 'assistant', content: 'I WANT TO ANSWER:\nx = 1', tool_calls: [] },
];
const row = (episode_id: string, extra: object = {}): object => ({ episode_id, messages, ...extra });

const noServers: Servers = {
  openScorer: () => expect.fail('an import asks no server'),
  openEngine: () => expect.fail('an import asks no server'),
  openModel: () => expect.fail('an import asks no server'),
};

/** `turnwise import` of these lines into a new or given store. */
async function runImport(
  lines: readonly (object | string)[],
  store = temporaryStore(),
): Promise<{ code: number; said: string; out: string; file: string; store: string }> {
  const file = join(dirname(store), 'in.jsonl');
  writeFileSync(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  const program = new Command().exitOverride();
  registerImport(program, noServers);
  let out = '';
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    await program.parseAsync(['node', 'turnwise', 'import', '--in', file, '--store', store, '--json']);
    return { code: 0, said: '', out, file, store };
  } catch (thrown) {
    return { code: exitCodeOf(thrown), said: (thrown as Error).message, out, file, store };
  } finally {
    stdout.mockRestore();
  }
}

test.each<[string, (object | string)[], number, RegExp]>([
  ['malformed JSON', [row('a'), '{"episode_id": '], 2, /JSON/],
  ['an outcome above 1', [row('a'), '', row('b', { outcome: 1.5 })], 3, /outcome/],
  ['an outcome that is no number', [row('a', { outcome: 'good' })], 1, /outcome/],
  ['no messages', [row('a', { messages: [] })], 1, /messages/],
  ['a role that is none', [row('a', { messages: [{ role: 'robot', content: '' }] })], 1, /role/],
  ['an id twice in the file', [row('a'), row('b'), row('a')], 3, /line 1/],
  ['an id that no store can hold', [row('a\u0000b')], 1, /control/],
  ['ids for other actions than there are', [row('a', { action_ids: [[1]] })], 1, /action_ids has 1 entries for 2/],
  ['states for other actions than there are', [row('a', { action_states: ['sampled'] })], 1, /action_states/],
])('%s: exit 1, file and line, and not even a store', async (_, lines, line, what) => {
  const { code, said, file, store, out } = await runImport(lines);
  expect(code).toBe(1);
  expect(said).toContain(`${file}:${line}: `);
  expect(said).toMatch(what);
  expect(out).toBe('');
  expect(existsSync(store)).toBe(false);
});

test('an empty file and a missing one are said in words', async () => {
  expect(await runImport(['', ''])).toMatchObject({
    code: 1,
    said: expect.stringMatching(/no conversation/) as unknown,
  });
  const program = new Command().exitOverride();
  registerImport(program, noServers);
  const call = program.parseAsync(['node', 'turnwise', 'import', '--in', '/no/such/file', '--store', temporaryStore()]);
  await expect(call).rejects.toThrow(/Cannot read \/no\/such\/file.*check the path/);
});

test('an id that the store knows: file and line, and none of the others comes in', async () => {
  const { store } = await runImport([row('a'), row('b')]);
  const again = await runImport([row('c'), row('b')], store);
  expect(again.code).toBe(1);
  expect(again.said).toContain(`${again.file}:2: episode_id b is in the store`);
  const journal = openJournal(store);
  expect(
    journal
      .episodes()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['a', 'b']);
  journal.close();
});

test('conversations come in as they are, unknown keys included, and go out the same', async () => {
  const full = {
    ...row('b', { group_id: 'g', outcome: 0.5, source: 'simulated', action_ids: [[1, 2], [3]] }),
    action_states: ['sampled', 'edited'],
    rating: { by: 'somebody' },
  };
  const { code, out, store } = await runImport([row('a'), full]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({ imported: 2, store });
  const journal = openJournal(store, { readOnly: true });
  expect(toTranscript(reduce(journal.read('b')))).toEqual({ ...full, group_rule: 'task' });
  const plain = reduce(journal.read('a'));
  expect(plain).toMatchObject({
    groupRule: 'request',
    source: 'imported:messages',
    givenOutcome: null,
    importedRow: {},
    messages,
  });
  expect(plain.consent.scope).toBe('local-only');
  journal.close();
});
