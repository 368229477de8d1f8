import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTextStream } from '../../src/engine/text-stream.ts';

// A tokenizer of single bytes: the hardest there is, every character but ASCII is spread over several tokens.
const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];
const fromBytes = (ids: readonly number[]): string => new TextDecoder().decode(Uint8Array.from(ids));

function run(text: string, stops: readonly string[]): { pieces: string[]; stopped: boolean } {
  const stream = createTextStream(fromBytes, stops);
  const pieces = bytesOf(text).map((id) => stream.push(id));
  pieces.push(stream.flush());
  return { pieces, stopped: stream.stopped };
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', 'é', '日', '🙂'), maxLength: 30 });

test('pieces add up to the text, and none shows half a character', () => {
  fc.assert(
    fc.property(text, (whole) => {
      const { pieces } = run(whole, []);
      expect(pieces.join('')).toBe(whole);
      expect(pieces.join('')).not.toContain('\uFFFD');
    }),
  );
});

test('everything before the first stop string comes out, and nothing of it or after it', () => {
  fc.assert(
    fc.property(text, fc.array(fc.constantFrom('ab', 'b\n', '日a', 'aaa', '🙂'), { maxLength: 3 }), (whole, stops) => {
      const { pieces, stopped } = run(whole, stops);
      // Where a stop string is complete first decides; several may end at the same token.
      let end = 0;
      const hit = (upTo: string): number[] => stops.map((stop) => upTo.indexOf(stop)).filter((at) => at >= 0);
      while (end < whole.length && hit(whole.slice(0, end)).length === 0) end += 1;
      const first = hit(whole.slice(0, end));
      expect(stopped).toBe(first.length > 0);
      expect(pieces.join('')).toBe(first.length > 0 ? whole.slice(0, Math.min(...first)) : whole);
    }),
  );
});

test('bytes that never become a character come out as such in the end', () => {
  const stream = createTextStream(fromBytes, []);
  expect(stream.push(0xf0)).toBe('');
  expect(stream.flush()).toBe('\uFFFD');
});
