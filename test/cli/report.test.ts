import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reportData } from '../../src/app/report/report-data.ts';
import { figuresOf, reportPage } from '../../src/app/report/report-page.ts';
import { scoreKeys } from '../../src/app/score-store.ts';
import { reduce } from '../../src/core/reduce.ts';
import { openJournal } from '../../src/store/journal.ts';
import { sampleStore } from '../app/export-fixture.ts';
import { sampleSpecs, type SampleSpec } from '../core/dataset/sample.ts';
import { temporaryFolder, temporaryStore } from '../store/temporary-store.ts';
import { runCli } from './run-cli.ts';

const SECRET = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_');

/** A store of scored conversations that all failed after telling replies, with these among them. */
function filled(more: readonly SampleSpec[] = []): string {
  const folder = temporaryFolder('report');
  const specs = [...sampleSpecs, ...more];
  const { journal, scoredOf } = sampleStore(folder, specs);
  for (const { id } of specs) {
    const scored = scoredOf(reduce(journal.read(id)));
    if (scored === null) continue;
    const { scorerKey, optionsKey } = scoreKeys(scored.scorer, scored.options);
    const turns = scored.turns.map((turn) => (turn.gain === null ? turn : { ...turn, gain: 0.5, gain_sum: 2 }));
    journal.putScored(id, scorerKey, optionsKey, { ...scored, turns });
  }
  journal.close();
  return join(folder, 'store.db');
}

test('turnwise report writes one page that needs nothing else, and says the figures to a stranger', async () => {
  const store = filled();
  const out = join(temporaryFolder('out'), 'report');
  const { code, stdout, stderr } = await runCli(['report', '--store', store, '--out', out]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^12 conversations, \d+ scored by .+, with \d+ answered questions\.\n/);
  expect(stdout).toMatch(/Gain per question +\+2\.00 nats/);
  expect(stdout).toMatch(/Agreement with thumbs +unknown/);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(`The page is ${join(out, 'index.html')}`);
  expect(readdirSync(out)).toEqual(['index.html']);
  const page = readFileSync(join(out, 'index.html'), 'utf8');
  // Nothing that runs, nothing that is fetched: no script, no address but the name of SVG.
  expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son\w+=|\sstyle=/i);
  expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
  expect(page).toContain("default-src 'none'");
  expect(page).toContain('prefers-color-scheme:dark');
  expect(page.match(/<svg [^>]*role="img" aria-label="/g)).toHaveLength(3);
  expect(page).toContain('honourable failure');

  // What the page says is what the data says.
  const journal = openJournal(store, { readOnly: true });
  const data = reportData(journal);
  journal.close();
  for (const [name, value] of figuresOf(data)) expect(page).toContain(`<dt>${name}</dt><dd>${value}<small>`);
  expect(reportPage(data)).toBe(page);
  const again = await runCli(['report', '--store', store, '--out', out, '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({ marks: data.marks, trends: { episodes: 12 } });
});

test('no word of a conversation that may not be exported, and no secret of one that may', async () => {
  const said = (turn: number): string => `qumran reply ${turn}`;
  const store = filled([
    { id: 'zanzibar', source: 'real_developer', questions: 2, passed: 0, reply: said },
    { id: 'released', source: 'real_developer', questions: 2, passed: 0, reply: said },
    { id: 'withheld', questions: 2, passed: 0, reply: said },
    { id: SECRET, questions: 2, passed: 0, reply: said },
    // Where a title is cut, half of it would be left.
    { id: `${'long '.repeat(8)}${SECRET}`, questions: 2, passed: 0, reply: said },
  ]);
  const journal = openJournal(store);
  journal.append('released', [{ type: 'consent_set', scope: 'exportable' }]);
  journal.append('withheld', [{ type: 'consent_set', scope: 'excluded' }]);
  journal.append('zanzibar', [
    { type: 'override_set', turn: 0, change: { field: 'note', value: 'tamarind note' } },
    { type: 'rated', turn: 0, thumb: 1, note: 'saffron note' },
  ]);
  journal.close();
  const out = temporaryFolder('out');
  expect(await runCli(['report', '--store', store, '--out', out])).toMatchObject({ code: 0 });
  const page = readFileSync(join(out, 'index.html'), 'utf8');
  expect(page).toContain('please write function released');
  expect(page).toContain('not released for export');
  expect(page.match(/&lt;redacted:github-token:\d&gt;/g)?.length).toBeGreaterThanOrEqual(1);
  expect(page).toContain('please write function long long long');
  expect(page).not.toMatch(/zanzibar|withheld|qumran|tamarind|saffron|ghp_|wWPw5k4a/);
});

test('an empty store is a page that helps; what cannot be done is a sentence', async () => {
  const empty = temporaryStore();
  openJournal(empty).close();
  const out = temporaryFolder('out');
  const { code, stdout } = await runCli(['report', '--store', empty, '--out', out]);
  expect({ code, first: stdout.split('\n')[0] }).toEqual({ code: 0, first: 'The store holds no conversation yet.' });
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('score some conversations first');

  const other = temporaryFolder('out');
  writeFileSync(join(other, 'index.html'), '<p>mine</p>');
  const refused = await runCli(['report', '--store', empty, '--out', other]);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is another page; choose another folder') as unknown,
  });
  expect(readFileSync(join(other, 'index.html'), 'utf8')).toBe('<p>mine</p>');
  const below = await runCli(['report', '--store', empty, '--out', join(empty, 'out')]);
  expect(below).toMatchObject({ code: 2, stderr: expect.stringContaining('choose another folder') as unknown });
  const missing = await runCli(['report', '--store', join(other, 'none.db'), '--out', out]);
  expect(missing.code).not.toBe(0);
  expect(existsSync(join(other, 'none.db'))).toBe(false);
  const help = await runCli(['report', '--help']);
  expect(help.stdout).toMatch(/needs no network/);
});
