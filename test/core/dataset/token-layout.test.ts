import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TurnContext } from '../../../src/core/dataset/contexts.ts';
import { layTokens } from '../../../src/core/dataset/token-layout.ts';

const context = (prompt: number[], action: number[], more: Partial<TurnContext> = {}): TurnContext => ({
  prompt_ids: prompt,
  action_ids: action,
  logprobs: null,
  observed: null,
  ...more,
});
const credit = (advantage: number | null, trainable = true): { advantage: number | null; trainable: boolean } => ({
  advantage,
  trainable,
});
const scored = { scored: true };

test('contexts that grow are one sequence: its ids are those of the last context and its action', () => {
  const layout = layTokens(
    [context([1, 2], [3, 4]), context([1, 2, 3, 4, 5, 6], [7], { observed: { start: 4, end: 5 } })],
    [credit(0.5), credit(-1)],
    scored,
  );
  expect(layout.columns).toEqual({
    input_ids: [1, 2, 3, 4, 5, 6, 7],
    loss_mask: [0, 0, 1, 1, 0, 0, 1],
    behavior_logprobs: null,
    token_advantages: [0, 0, 0.5, 0.5, 0, 0, -1],
    segments: null,
  });
  expect(layout.actions).toEqual([
    { start: 2, end: 4 },
    { start: 6, end: 7 },
  ]);
  expect(layout.observations).toEqual([{ start: 4, end: 5 }, null]);
});

test('ids that the policy never saw together never stand together', () => {
  const layout = layTokens([context([1, 2], [3, 4]), context([1, 2, 9], [7])], [credit(1), credit(2)], scored);
  expect(layout.columns.input_ids).toBeNull();
  expect(layout.columns.segments).toEqual([
    {
      input_ids: [1, 2, 3, 4],
      loss_mask: [0, 0, 1, 1],
      behavior_logprobs: null,
      token_advantages: [0, 0, 1, 1],
      turn_index: 0,
    },
    {
      input_ids: [1, 2, 9, 7],
      loss_mask: [0, 0, 0, 1],
      behavior_logprobs: null,
      token_advantages: [0, 0, 0, 2],
      turn_index: 1,
    },
  ]);
});

test('ids that generation wrote and the template writes differently are no prefix', () => {
  const layout = layTokens([context([1], [3, 4]), context([1, 34, 5], [7])], [credit(1), credit(2)], scored);
  expect(layout.columns.input_ids).toBeNull();
  expect(layout.columns.segments).toHaveLength(2);
});

test('what is not trained on has mask 0, advantage 0 and no behaviour log-prob', () => {
  const logprobs = [-0.5, -0.25];
  const grown = [1, 3, 4, 5];
  const layout = layTokens(
    [
      context([1], [3, 4], { logprobs }),
      context(grown, [6, 7], { logprobs }),
      context([...grown, 6, 7], [8, 9], { logprobs }),
    ],
    [credit(1, false), credit(null), credit(0)],
    scored,
  );
  expect(layout.columns.loss_mask).toEqual([0, 0, 0, 0, 0, 0, 1, 1]);
  expect(layout.columns.token_advantages).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  expect(layout.columns.behavior_logprobs).toEqual([null, null, null, null, null, null, -0.5, -0.25]);
});

test('an action without ids has no span, and a conversation without any has no tokens', () => {
  const some = layTokens([null, context([1, 2, 3], [4])], [credit(1), credit(1)], scored);
  expect(some.actions).toEqual([null, { start: 3, end: 4 }]);
  expect(some.columns.loss_mask).toEqual([0, 0, 0, 1]);
  const none = layTokens([null, null], [credit(1), credit(1)], scored);
  expect(none.columns).toEqual({
    input_ids: null,
    loss_mask: null,
    behavior_logprobs: null,
    token_advantages: null,
    segments: null,
  });
});

test('outside of a batch there are no advantages, not even zeros', () => {
  const layout = layTokens([context([1], [2])], [credit(null)], { scored: false });
  expect(layout.columns).toMatchObject({ input_ids: [1, 2], loss_mask: [0, 0], token_advantages: null });
});

test('every action is found again at its span, in one sequence or in segments', () => {
  const ids = fc.array(fc.nat(5), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      fc.array(fc.record({ prompt: ids, action: ids, grows: fc.boolean() }), { minLength: 1, maxLength: 5 }),
      (drawn) => {
        let before: number[] = [];
        const contexts = drawn.map(({ prompt, action, grows }) => {
          const prompt_ids = grows ? [...before, ...prompt] : prompt;
          before = [...prompt_ids, ...action];
          return context(prompt_ids, action);
        });
        const { columns, actions } = layTokens(
          contexts,
          drawn.map((_, at) => credit(at + 1)),
          scored,
        );
        contexts.forEach(({ prompt_ids, action_ids }, turn) => {
          const piece = columns.segments?.find(({ turn_index }) => turn_index === turn);
          const whole = columns.input_ids ?? piece?.input_ids ?? [];
          const span = actions[turn] ?? { start: 0, end: 0 };
          expect(whole.slice(0, span.start)).toEqual(prompt_ids);
          expect(whole.slice(span.start, span.end)).toEqual(action_ids);
          const advantages = columns.token_advantages ?? piece?.token_advantages ?? [];
          expect(advantages.slice(span.start, span.end)).toEqual(action_ids.map(() => turn + 1));
        });
        // Glued only where the policy saw it all at once.
        if (columns.input_ids !== null) expect(columns.input_ids).toEqual(before);
      },
    ),
  );
});
