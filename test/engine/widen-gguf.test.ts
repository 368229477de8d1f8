import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bundledModel } from '../../src/app/engine-process.ts';
import { fromHalf, widenGguf } from '../../src/engine/widen-gguf.ts';

test.each([
  [0x0000, 0],
  [0x0001, 2 ** -24],
  [0x03ff, 1023 * 2 ** -24],
  [0x0400, 2 ** -14],
  [0x3c00, 1],
  [0x3555, 0.333251953125],
  [0xc000, -2],
  [0x7bff, 65504],
  [0x7c00, Infinity],
  [0x7e00, Number.NaN],
])('the half %i is %d', (bits, value) => {
  expect(fromHalf(bits)).toBe(value);
});

test('every finite half is a float32, and its sign bit only turns the sign', () => {
  for (let bits = 0; bits < 0x7c00; bits += 1) {
    const value = fromHalf(bits);
    expect(Math.fround(value)).toBe(value);
    expect(fromHalf(bits | 0x8000)).toBe(-value);
  }
});

test('a file that ends anywhere is an error or no F16 model, never a shorter model', () => {
  const file = readFileSync(bundledModel());
  fc.assert(
    fc.property(fc.integer({ min: 0, max: file.length - 64 }), (length) => {
      expect(() => widenGguf(file.subarray(0, length))).toThrow(RangeError);
    }),
    { numRuns: 60 },
  );
});

test('what is widened once stays as it is', () => {
  const wide = widenGguf(readFileSync(bundledModel()));
  expect(wide).not.toBeNull();
  if (wide) expect(widenGguf(wide)?.equals(wide)).toBe(true);
});
