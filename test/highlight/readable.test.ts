import { expect, test } from 'vitest';
import { readable } from '../../src/highlight/readable.ts';

test('a colour that can be read stays as it is; one that cannot is darkened on light and lightened on dark', () => {
  expect(readable('#0000ff', 'light')).toBe('#0000ff');
  expect(readable('#9cdcfe', 'dark')).toBe('#9cdcfe');
  expect(readable('#098658', 'light')).toMatch(/^#0[0-8][5-8]/);
  expect(readable('#098658', 'light')).not.toBe('#098658');
  expect(readable('#ffffff', 'light')).not.toBe('#ffffff');
  expect(readable('#000000', 'dark')).not.toBe('#000000');
});
