import { expect, test } from 'vitest';
import { TurnwiseError } from '../../src/core/error.ts';

test('an error of another bundle is one of ours, and other errors are not', async () => {
  // The query makes a second copy of the module, as a second bundle does.
  const path = '../../src/core/error.ts?copy';
  const copy = (await import(path)) as { TurnwiseError: typeof TurnwiseError };
  expect(copy.TurnwiseError).not.toBe(TurnwiseError);
  const foreign = new copy.TurnwiseError('backend', 'unreachable', 'Nobody is there.');
  expect(foreign instanceof TurnwiseError).toBe(true);
  expect(new TurnwiseError('usage', 'a', 'b') instanceof TurnwiseError).toBe(true);
  for (const other of [new Error('no'), { name: 'TurnwiseError' }, null, undefined, 'TurnwiseError']) {
    expect(other instanceof TurnwiseError).toBe(false);
  }
});
