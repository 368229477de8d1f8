import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/app/demo/random.ts';
import { askedKind, simulateDeveloper } from '../../../src/app/demo/simulated-developer.ts';
import type { Task, TaskFile } from '../../../src/app/demo/tasks.ts';

const file: TaskFile = {
  schema: 'turnwise-tasks/1',
  uninformative: ['not sure', 'you decide'],
  kinds: {
    missing: { questions: ['How should missing values be treated?', 'Gaps in the data: what do you want?'] },
    empty: { questions: ['What should an empty list give?', 'Nothing at all: what then?'] },
    blank: { questions: ['What should an empty name give?', 'Nothing at all: what then?'] },
    round: { questions: ['How should the result be rounded?', 'How many decimals?'] },
    order: { questions: ['In which order?'] },
  },
  tasks: [],
};
const task: Task = {
  id: 't',
  group: 'g',
  request: 'Sum the list. handle missing values; rounding: 2 decimals.',
  kinds: [
    { kind: 'missing', specified: false, replies: ['skip them', 'leave the gaps out'] },
    { kind: 'empty', specified: false, replies: ['zero', 'just 0'] },
    { kind: 'round', specified: true, replies: ['2 decimals'] },
  ],
  function: 'solve',
  reference: 'def solve(xs): return 0',
  calls: [{ call: 'solve([])', returns: '0' }],
};
const developer = (label = 'a') => simulateDeveloper(task, file, seededRandom(label));

describe('which kind a question is about', () => {
  test.each([
    ['', null],
    ['?!', null],
    ['OK, name: find_stock.', null],
    ['What is the weather like today in this town?', null],
    ['How should missing values be treated?', 'missing'],
    ['OK, rounding: 2 decimals. How should missing values be treated?', 'missing'],
    ['how should the MISSING values be treated', 'missing'],
    ['How many decimals?', 'round'],
    ['How should the result be rounded?', 'round'],
    ['Gaps in the data: what do you want?', 'missing'],
    // The same words serve two kinds; this task knows one of them.
    ['Nothing at all: what then?', 'empty'],
    // A kind that this task does not have.
    ['In which order?', null],
    ['What should an empty name give?', null],
  ])('%j: %s', (question, kind) => {
    expect(askedKind(question, task, file.kinds)).toBe(kind);
  });

  test('two kinds of the task in one question are none', () => {
    const short = { missing: { questions: ['a b c'] }, empty: { questions: ['d e f'] } };
    expect(askedKind('a b c d e f', task, short)).toBeNull();
  });
});

describe('what is answered', () => {
  test('a hidden kind: one of its ways of saying it, then "as I said"', () => {
    const { answer } = developer();
    const first = answer('How should missing values be treated?', []);
    expect(first).toMatchObject({ kind: 'typed', about: 'missing' });
    expect(['skip them', 'leave the gaps out']).toContain(first.kind === 'skipped' ? '' : first.text);
    const second = answer('Gaps in the data: what do you want?', []);
    expect(second.kind === 'typed' && second.text).toMatch(/^as I said, (skip them|leave the gaps out)$/);
  });

  test('a specified kind: as I said', () => {
    expect(developer().answer('How many decimals?', [])).toEqual({
      kind: 'typed',
      text: 'as I said, 2 decimals',
      about: 'round',
    });
  });

  test('an option that says it is clicked; an option that does not is not', () => {
    expect(developer().answer('How should missing values be treated?', ['raise an error', 'skip them'])).toEqual({
      kind: 'option',
      text: 'skip them',
      about: 'missing',
    });
    expect(developer().answer('How should missing values be treated?', ['raise an error', 'zero'])).toMatchObject({
      kind: 'typed',
    });
  });

  test('what does not concern the task: nothing useful, sometimes Skip', () => {
    const random = developer('many');
    const kinds = new Set<string>();
    for (let round = 0; round < 60; round += 1) {
      const reply = random.answer('In which order?', ['z to a', 'skip them']);
      kinds.add(reply.kind);
      if (reply.kind === 'typed') expect(file.uninformative).toContain(reply.text);
      else expect(reply).toEqual({ kind: 'skipped', about: null });
    }
    expect([...kinds].sort()).toEqual(['skipped', 'typed']);
  });

  test('the same seed says the same, another seed something else', () => {
    const talk = (label: string): unknown[] => {
      const { answer, complain } = developer(label);
      return [...Array.from({ length: 12 }, () => answer('In which order?', [])), complain()];
    };
    expect(talk('7')).toEqual(talk('7'));
    expect(talk('7')).not.toEqual(talk('8'));
  });
});

describe('what is said about a wrong proposal', () => {
  const complaints = Array.from({ length: 200 }, (_, at) => {
    const { answer, complain } = developer(`c${at}`);
    answer('How should missing values be treated?', []);
    return [complain(), complain()] as const;
  });

  test('at most one complaint, by some developers, about what was not told', () => {
    const said = complaints.filter(([first]) => first !== null);
    expect(said.length).toBeGreaterThan(60);
    expect(said.length).toBeLessThan(140);
    for (const [first, second] of said) {
      expect(first).toMatch(/^That is not right: (zero|just 0)$/);
      expect(second).toBeNull();
    }
  });

  test('no complaint where the request said everything', () => {
    const specified = { ...task, kinds: task.kinds.map((kind) => ({ ...kind, specified: true })) };
    for (let at = 0; at < 20; at += 1) {
      expect(simulateDeveloper(specified, file, seededRandom(`s${at}`)).complain()).toBeNull();
    }
  });
});
