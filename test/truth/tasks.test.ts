import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/app/engine-process.ts';
import { loadTruthTasks } from '../../truth/tasks.ts';

const { ranking, misled, specified, kinds } = await loadTruthTasks();

test('what is told is a combination that training never saw', async () => {
  const file = join(packageRoot(), 'media/models/turnwise-toy-held-out.json');
  const listed = z.object({ combinations: z.array(z.string()) }).parse(JSON.parse(await readFile(file, 'utf8')));
  const known = new Set(listed.combinations);
  expect(ranking.length).toBeGreaterThanOrEqual(400);
  expect(ranking.filter(({ told }) => !known.has(told.combination)).map(({ id }) => id)).toEqual([]);
});

test('three to six questions, and every place equally often, also among the first tasks', () => {
  for (const some of [ranking, ranking.slice(0, 240)]) {
    for (const questions of [3, 4, 5, 6]) {
      const places = some
        .filter(({ hidden }) => hidden.length === questions)
        .map(({ hidden, told }) => hidden.indexOf(told.kind));
      const counts = Array.from({ length: questions }, (_, place) => places.filter((one) => one === place).length);
      expect(new Set(counts).size).toBe(1);
      expect(places).not.toContain(-1);
    }
  }
});

test('every other detail can be answered emptily within a fifth of the telling length', () => {
  const alike = (a: string, b: string): boolean => Math.max(a.length, b.length) <= 1.2 * Math.min(a.length, b.length);
  const unmatched = ranking.filter(({ hidden, told }) =>
    told.replies.some((reply) =>
      hidden.some((kind) => kind !== told.kind && !kinds[kind]?.empty.some((words) => alike(words, reply))),
    ),
  );
  expect(unmatched.map(({ id }) => id)).toEqual([]);
});

test('the wrong value is another line of code, and every request is asked of one task', () => {
  expect(misled.filter(({ line, wrong }) => line === wrong.line).map(({ id }) => id)).toEqual([]);
  expect(misled.filter(({ line, code }) => !code.includes(line)).map(({ id }) => id)).toEqual([]);
  const ids = [...ranking, ...misled, ...specified].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
